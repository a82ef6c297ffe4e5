"""What the planner knows of a node: heat, power, what it can compute, what results are worth.

Plain values, built once from the configuration and the board's profile (or from a referee's case);
what changes in flight is learned beside it (`plant_learner`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeatNode:
    """One lump of the thermal network.

    Attributes:
        capacity_j_k: heat capacity.
        limit_k: never to be exceeded.
        radiance_w_k4: emissivity x area x Stefan-Boltzmann; 0 for a node inside.
    """

    name: str
    capacity_j_k: float
    limit_k: float
    radiance_w_k4: float = 0.0


@dataclass(frozen=True, slots=True)
class ComputeMode:
    """A power level with a model variant.

    Attributes:
        watts: drawn while it computes.
        variant: index of the model variant.
        frames_per_s: of each class of frames; 0 when it cannot.
        heat_w: into each heat node while it computes.
    """

    name: str
    watts: float
    variant: int
    frames_per_s: tuple[float, ...]
    heat_w: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FrameClass:
    """One kind of frames.

    Attributes:
        value: of a delivered result, by variant.
        result_bits: size of a result, by variant.
        frames_max: that may wait; more are lost.
    """

    name: str
    value: tuple[float, ...]
    result_bits: tuple[float, ...]
    frames_max: float


@dataclass(frozen=True, slots=True)
class BatteryModel:
    """Energy in and out, joules at the cells and watts at the bus."""

    energy_max_j: float
    energy_floor_j: float
    charge_efficiency: float
    discharge_efficiency: float
    charge_w_max: float
    discharge_w_max: float

    def change_w(self, net_w: float) -> float:
        """How fast the stored energy changes under a surplus (positive) or a load, in watts."""
        if net_w >= 0.0:
            return min(net_w, self.charge_w_max) * self.charge_efficiency
        return net_w / self.discharge_efficiency


@dataclass(frozen=True, slots=True)
class NodeModel:
    """The whole node. Heat is by node in the order of `nodes`, watts.

    Attributes:
        conductances: (node, node, W/K).
        idle_w, idle_heat_w: of the payload while it does nothing.
        link_w, link_heat_w: of the laser terminal while it sends.
        base_w, base_heat_w: of everything else.
        store_bits_max: room for results.
        energy_end_j, end_price_per_j: wanted at the horizon, and what a joule short of it costs.
    """

    nodes: tuple[HeatNode, ...]
    conductances: tuple[tuple[int, int, float], ...]
    modes: tuple[ComputeMode, ...]
    classes: tuple[FrameClass, ...]
    battery: BatteryModel
    idle_w: float
    idle_heat_w: tuple[float, ...]
    link_w: float
    link_heat_w: tuple[float, ...]
    base_w: float
    base_heat_w: tuple[float, ...]
    store_bits_max: float
    energy_end_j: float
    end_price_per_j: float

    @property
    def variant_count(self) -> int:
        """Model variants that the modes name."""
        return len(self.classes[0].value)

    def send_order(self) -> tuple[tuple[int, int], ...]:
        """(variant, class) of results, most value a bit first."""
        kinds = [(v, c) for v in range(self.variant_count) for c in range(len(self.classes))]
        return tuple(
            sorted(kinds, key=lambda k: -self.classes[k[1]].value[k[0]]
                   / self.classes[k[1]].result_bits[k[0]])
        )  # fmt: skip
