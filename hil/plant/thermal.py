"""Heat in the node: six lumped nodes, conduction between them, radiation to space.

The C kernel advances the network by classical Runge-Kutta at one second (error under 0.1 mK
against a tight implicit solver) and integrates the radiated heat by the same rule, so that
the energy ledger closes to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import mul, sub
from struct import Struct
from typing import NamedTuple

from hil.plant._plant_native import ffi, lib
from hil.plant.constants import STEFAN_BOLTZMANN_W_M2K4


class ThermalNode(IntEnum):
    """Index of each node of the spacecraft in every vector of temperatures and heats."""

    DIE = 0
    SINK = 1
    RADIATOR = 2
    BATTERY = 3
    TERMINAL = 4
    ARRAY = 5


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One lump: heat capacity, and the surface by which it radiates (0: none)."""

    capacity_j_k: float
    area_m2: float = 0.0
    emissivity: float = 0.0

    def __post_init__(self) -> None:
        """Physical bounds, checked once."""
        if self.capacity_j_k <= 0.0 or self.area_m2 < 0.0 or not 0.0 <= self.emissivity <= 1.0:
            raise ValueError(f"not a thermal node: {self}")


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """A conductance between two nodes."""

    a: int
    b: int
    conductance_w_k: float

    def __post_init__(self) -> None:
        """Heat flows from warm to cold."""
        if self.a == self.b or self.conductance_w_k <= 0.0:
            raise ValueError(f"not a thermal link: {self}")


class ThermalStep(NamedTuple):
    """Temperatures after the step, and the heat radiated during it."""

    temp_k: tuple[float, ...]
    radiated_j: float


class ThermalNet:
    """A network; `step` is pure, the object holds the constants in the kernel's form."""

    def __init__(self, nodes: Sequence[NodeConfig], links: Sequence[LinkConfig]) -> None:
        if not 1 <= len(nodes) <= lib.PLANT_NODES_MAX or len(links) > lib.PLANT_LINKS_MAX:
            raise ValueError(f"{len(nodes)} nodes and {len(links)} links do not fit the kernel")
        if any(not 0 <= end < len(nodes) for link in links for end in (link.a, link.b)):
            raise ValueError("a link ends at a node that is not there")
        self.nodes = tuple(nodes)
        self.links = tuple(links)
        self._net = ffi.new("struct plant_thermal_net *")
        self._net.node_count, self._net.link_count = len(nodes), len(links)
        for k, node in enumerate(nodes):
            self._net.capacity_j_k[k] = node.capacity_j_k
            self._net.emission_w_k4[k] = STEFAN_BOLTZMANN_W_M2K4 * node.emissivity * node.area_m2
        for k, link in enumerate(links):
            self._net.link_a[k], self._net.link_b[k] = link.a, link.b
            self._net.link_w_k[k] = link.conductance_w_k
        self._temp_k = ffi.new("double[]", len(nodes))
        self._heat_w = ffi.new("double[]", len(nodes))
        self._temp_view, self._heat_view = ffi.buffer(self._temp_k), ffi.buffer(self._heat_w)
        self._layout = Struct(f"={len(nodes)}d")
        self._capacity_j_k = tuple(node.capacity_j_k for node in nodes)
        self._radiated_j = ffi.new("double *")

    def with_emissivity_scale(self, node: int, scale: float) -> "ThermalNet":
        """The same network with one surface degraded (a fault's hand on the radiator)."""
        nodes = list(self.nodes)
        old = nodes[node]
        nodes[node] = NodeConfig(old.capacity_j_k, old.area_m2, old.emissivity * scale)
        return ThermalNet(nodes, self.links)

    def step(
        self, temp_k: Sequence[float], heat_w: Sequence[float], dt_s: float, steps: int = 1
    ) -> ThermalStep:
        """Advance by `steps` of `dt_s` under constant `heat_w` into each node."""
        self._layout.pack_into(self._temp_view, 0, *temp_k)
        self._layout.pack_into(self._heat_view, 0, *heat_w)
        self._radiated_j[0] = 0.0
        code = lib.plant_thermal_step(
            self._net, self._temp_k, self._heat_w, dt_s, steps, self._radiated_j
        )
        if code != 0:
            raise ValueError(f"thermal step of {dt_s} s x {steps} refused ({code})")
        return ThermalStep(self._layout.unpack(self._temp_view), self._radiated_j[0])

    def stored_j(self, before_k: Sequence[float], after_k: Sequence[float]) -> float:
        """Heat stored between two sets of temperatures."""
        grown_j = map(mul, self._capacity_j_k, map(sub, after_k, before_k))
        return float(sum(grown_j))
