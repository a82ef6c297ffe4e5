"""The node of this board as guard and planner see it: from its profile, its heat path and its work.

Pure values. One class of frames that the payload can make results of, and one for what is stored
already: that takes up link, but no mode makes more of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.power.power_budget import CHARGE_EFFICIENCY, DISCHARGE_EFFICIENCY
from flight.thermal.node_model import BatteryModel, ComputeMode, FrameClass, HeatNode, NodeModel

if TYPE_CHECKING:
    from flight.thermal.board_profile import BoardProfile

ZERO_C_K = 273.15
STEFAN_BOLTZMANN = 5.670374419e-8
FRAME_VALUE, RESULT_BITS, STORE_BITS = 10.0, 1e7, 1e12
"""Numbers of the size that the solver is accurate for; only their ratios matter."""
FRESH, STORED = 0, 1
"""Classes: frames that come, and results that wait for the link."""
WAITING_MAX = 1.0
"""A frame now is worth as much as one later, and what waits is not seen here: none are put off."""
WATTS_MAX = 500.0
END_SHARE = 0.9
"""Of the full battery is enough when the horizon ends; less when there is less now."""
PRICE_OVER_BEST = 1.5


@dataclass(frozen=True, slots=True)
class HeatPath:
    """From the sink outwards, as the node is built.

    Attributes:
        die_j_k, radiator_j_k: heat capacities; the sink's is the board profile's.
        sink_w_k: from sink to radiator.
        radiator_m2, emissivity: of what radiates.
        sink_c_max, radiator_c_max: limits.
    """

    die_j_k: float
    radiator_j_k: float
    sink_w_k: float
    radiator_m2: float
    emissivity: float
    sink_c_max: float
    radiator_c_max: float


@dataclass(frozen=True, slots=True)
class Work:
    """What the payload has to do.

    Attributes:
        variant: model variant.
        tiles_per_frame: computed for each frame.
        frames_per_s: while the ground below is lit.
    """

    variant: str
    tiles_per_frame: int
    frames_per_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the ground may move: kelvin of die and sink, joules of battery and of its floor."""

    die_k: float
    sink_k: float
    full_j: float
    floor_j: float


def frame_s(profile: BoardProfile, work: Work, level: int) -> float:
    """Time of a frame at a level of the board."""
    return profile.tile_ms(level, work.variant) * work.tiles_per_frame / 1000.0


def plan_model(
    profile: BoardProfile, path: HeatPath, work: Work, limits: Limits, link_w: float
) -> NodeModel:
    """One mode a level; the payload when it is off draws nothing."""
    modes = []
    for level in range(1, profile.top + 1):
        fps, watts = 1.0 / frame_s(profile, work, level), profile.active_w(level)
        name = profile.levels[level - 1].name
        modes.append(ComputeMode(name, watts, 0, (fps, 0.0), (watts, 0.0, 0.0)))
    best = max(FRAME_VALUE * mode.frames_per_s[FRESH] / mode.watts for mode in modes)
    radiates = STEFAN_BOLTZMANN * path.radiator_m2 * path.emissivity
    results = (FRAME_VALUE,), (RESULT_BITS,)
    return NodeModel(
        nodes=(
            HeatNode("die", path.die_j_k, limits.die_k),
            HeatNode("sink", profile.sink_j_per_k, limits.sink_k),
            HeatNode("radiator", path.radiator_j_k, path.radiator_c_max + ZERO_C_K, radiates),
        ),
        conductances=((0, 1, 1.0 / profile.die_k_per_w), (1, 2, path.sink_w_k)),
        modes=tuple(modes),
        classes=(
            FrameClass("fresh", *results, WAITING_MAX),
            FrameClass("stored", *results, WAITING_MAX),
        ),
        battery=BatteryModel(
            limits.full_j, limits.floor_j, CHARGE_EFFICIENCY, DISCHARGE_EFFICIENCY,
            WATTS_MAX, WATTS_MAX,
        ),
        idle_w=0.0, idle_heat_w=(0.0, 0.0, 0.0), link_w=link_w, link_heat_w=(0.0, 0.0, 0.0),
        base_w=0.0, base_heat_w=(0.0, 0.0, 0.0), store_bits_max=STORE_BITS,
        energy_end_j=END_SHARE * limits.full_j, end_price_per_j=PRICE_OVER_BEST * best,
    )  # fmt: skip
