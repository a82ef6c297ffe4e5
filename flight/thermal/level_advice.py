"""The planner in the flying node: once a minute, which payload level the orbit ahead can bear.

Hop: between the estimates of the cycle and the guard's level. Pure. The node's own orbit tells sun
and daylight, the estimates tell energy and heat; what is advised is never more than a wish, since
the guard has judged before and its level is the highest there is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Protocol

from flight.power.power_budget import CHARGE_EFFICIENCY, DISCHARGE_EFFICIENCY
from flight.thermal.heat_network import HeatAhead, reduce_network
from flight.thermal.horizon import Forecast, LinkWindow, Series
from flight.thermal.node_model import BatteryModel, ComputeMode, FrameClass, HeatNode, NodeModel
from flight.thermal.planner import Planner, PlanState
from flight.thermal.plant_learner import PlantLearner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.power.power_budget import PowerState
    from flight.thermal.board_profile import BoardProfile
    from flight.thermal.plan_solver_native import Plan, Prices, SlotPlan
    from flight.thermal.thermal_estimate import ThermalState

ZERO_C_K = 273.15
STEFAN_BOLTZMANN = 5.670374419e-8
PLAN_EVERY_S = 60.0
OUTLOOK_STEP_S = 30.0
LAST_CONTACT_S, LAST_RATE_BPS = 120.0, 1e10
"""What lies beyond the horizon will carry what is left then."""
FRAME_VALUE, RESULT_BITS, STORE_BITS = 10.0, 1e7, 1e12
"""Numbers of the size that the solver is accurate for; only their ratios matter."""
WAITING_MAX = 1.0
"""A frame now is worth as much as one later, and what waits is not seen here: none are put off."""
WATTS_MAX = 500.0
END_SHARE = 0.9
"""Of the full battery is enough when the horizon ends; less when there is less now."""
PRICE_OVER_BEST = 1.5
LEAST_SHARE, ALL_SHARE = 0.02, 0.95
"""Of the frames that can be done: less than the first is none, more than the second is all."""


class Outlook(Protocol):
    """Sun and daylight ahead, as the node's own orbit has them."""

    @property
    def period_s(self) -> float:
        """Of the orbit."""
        ...

    def ahead(self, start_s: float, end_s: float, step_s: float) -> list[tuple[float, bool, bool]]:
        """(Unix seconds, in the sun, day below), evenly; empty where there is no orbit."""
        ...


@dataclass(frozen=True, slots=True)
class HeatPath:
    """From the sink outwards, as the node is built.

    Attributes:
        die_j_k, radiator_j_k: heat capacities; the sink's is the board profile's.
        sink_w_k: from sink to radiator.
        radiator_m2, emissivity: of what radiates.
        sink_c_max, radiator_c_max: limits of the plan.
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
class Advice:
    """A level to keep to, the frames expected, and what more of each would be worth."""

    level: int
    expected: bool
    prices: Prices


def plan_model(
    profile: BoardProfile, path: HeatPath, work: Work, energy_full_j: float, soc_floor: float
) -> NodeModel:
    """The node as the planner sees it; one class of frames, a level a mode."""
    modes = []
    for level in range(1, profile.top + 1):
        frame_s = profile.tile_ms(level, work.variant) * work.tiles_per_frame / 1000.0
        watts = profile.active_w(level)
        modes.append(
            ComputeMode(profile.levels[level - 1].name, watts, 0, (1.0 / frame_s,), (watts, 0, 0))
        )
    best = max(FRAME_VALUE * mode.frames_per_s[0] / mode.watts for mode in modes)
    return NodeModel(
        nodes=(
            HeatNode("die", path.die_j_k, profile.die_limit_c + ZERO_C_K),
            HeatNode("sink", profile.sink_j_per_k, path.sink_c_max + ZERO_C_K),
            HeatNode("radiator", path.radiator_j_k, path.radiator_c_max + ZERO_C_K,
                     STEFAN_BOLTZMANN * path.radiator_m2 * path.emissivity),
        ),
        conductances=((0, 1, 1.0 / profile.die_k_per_w), (1, 2, path.sink_w_k)),
        modes=tuple(modes),
        classes=(FrameClass("frame", (FRAME_VALUE,), (RESULT_BITS,), WAITING_MAX),),
        battery=BatteryModel(
            energy_full_j, soc_floor * energy_full_j, CHARGE_EFFICIENCY, DISCHARGE_EFFICIENCY,
            WATTS_MAX, WATTS_MAX,
        ),
        idle_w=0.0, idle_heat_w=(0.0, 0.0, 0.0), link_w=0.0, link_heat_w=(0.0, 0.0, 0.0),
        base_w=0.0, base_heat_w=(0.0, 0.0, 0.0), store_bits_max=STORE_BITS,
        energy_end_j=END_SHARE * energy_full_j, end_price_per_j=PRICE_OVER_BEST * best,
    )  # fmt: skip


class LevelAdvice:
    """One `advise` a cycle; plans when the last plan is a minute old."""

    def __init__(self, profile: BoardProfile, path: HeatPath, work: Work, outlook: Outlook) -> None:
        self._profile, self._path, self._work = profile, path, work
        self._outlook = outlook
        self._model: NodeModel | None = None
        self._learner: PlantLearner | None = None
        self._planned_s = -PLAN_EVERY_S
        self._plan: Plan | None = None
        self._owed = 0.0
        self._advice: Advice | None = None

    def advise(
        self, utc_s: float | None, thermal: ThermalState, power: PowerState | None
    ) -> Advice | None:
        """The level for now; None when there is no basis for a plan, or none can be made."""
        temp_k = [t + ZERO_C_K for t in (thermal.die_c, thermal.sink_c, thermal.radiator_c)]
        if utc_s is None or power is None or not all(map(isfinite, (*temp_k, power.soc))):
            self._advice = None
            return None
        model, learner = self._known(power)
        self._learn(learner, temp_k, thermal.payload_w)
        if utc_s - self._planned_s >= PLAN_EVERY_S or utc_s < self._planned_s:
            self._planned_s = utc_s
            self._replan(utc_s, model, learner, power, temp_k)
        return self._advice

    def _known(self, power: PowerState) -> tuple[NodeModel, PlantLearner]:
        """The model; made anew when the ground moves the floor."""
        floor = power.soc_floor + power.margin
        if self._model is None or self._learner is None or (
            abs(self._model.battery.energy_floor_j - floor * power.energy_full_j) > 1.0
        ):  # fmt: skip
            self._model = plan_model(
                self._profile, self._path, self._work, power.energy_full_j, floor
            )
            self._learner = self._learner or PlantLearner(self._model)
            self._ahead = HeatAhead(self._model)
        return self._model, self._learner

    def _learn(self, learner: PlantLearner, temp_k: Sequence[float], payload_w: float) -> None:
        if not isfinite(payload_w):
            return
        heat_w = list(learner.learned.heat_w)
        heat_w[0] += payload_w
        learner.heat(temp_k, self._ahead.after_second(temp_k, heat_w))

    def _replan(
        self, utc_s: float, model: NodeModel, learner: PlantLearner, power: PowerState,
        temp_k: Sequence[float],
    ) -> None:  # fmt: skip
        forecast = self._forecast(utc_s, power)
        if forecast is None:
            self._advice = None
            return
        learned = learner.learned
        learned.base_w = power.base_w
        energy_j = power.soc * power.energy_full_j
        model = replace(model, energy_end_j=min(energy_j, model.energy_end_j))
        planner = Planner(model, forecast, reduce_network(model))
        state = PlanState(energy_j, temp_k, [0.0], [[0.0]])
        plan = planner.plan(utc_s, state, learned, None)
        slot = None if plan is None else plan.slot_at(utc_s)
        if plan is None or slot is None or not plan.accurate:
            self._advice = None
            return
        fps = forecast.arrivals_fps[0].mean(utc_s, utc_s + PLAN_EVERY_S)
        self._advice = Advice(self._level(slot, fps), fps > 0.0, plan.prices)

    def _level(self, slot: SlotPlan, arrivals_fps: float) -> int:
        """The level planned most; minutes without work make up for shares of less than all."""
        shares = sorted(((share, m) for m, _, share in slot.work), reverse=True)
        if not shares or arrivals_fps <= 0.0:
            self._owed = 0.0
            return 0
        fps = [1.0 / self._frame_s(m + 1) for m in range(self._profile.top)]
        done_fps = sum(share * fps[m] for share, m in shares)
        wanted = done_fps / min(arrivals_fps, fps[-1])
        if wanted > ALL_SHARE:
            return shares[0][1] + 1
        self._owed += wanted
        if self._owed < 0.5 or wanted < LEAST_SHARE:
            return 0
        self._owed -= 1.0
        return shares[0][1] + 1

    def _frame_s(self, level: int) -> float:
        return self._profile.tile_ms(level, self._work.variant) * self._work.tiles_per_frame / 1e3

    def _forecast(self, utc_s: float, power: PowerState) -> Forecast | None:
        end_s = utc_s + 2.0 * self._outlook.period_s
        seen = self._outlook.ahead(utc_s, end_s, OUTLOOK_STEP_S)
        if len(seen) < 2:
            return None
        nothing = Series([(utc_s, 0.0)])
        contact = LinkWindow(end_s - LAST_CONTACT_S, end_s, LAST_RATE_BPS, 1.0)
        fps = self._work.frames_per_s
        return Forecast(
            end_s=end_s,
            sun=Series([(t, 1.0 if sunlit else 0.0) for t, sunlit, _ in seen]),
            array_w=power.array_w,
            heat_w=(nothing, nothing, nothing),
            windows=(contact,),
            arrivals_fps=(Series([(t, fps if day else 0.0) for t, _, day in seen]),),
        )
