"""The guard's level, or the plan's where that is lower: heat and battery are the guard's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.telemetry.definitions import ThrottleReason
from flight.thermal.governor import GovernorDecision
from flight.thermal.level_advice import WAITING_LEVEL
from flight.thermal.plan_model import FRESH

if TYPE_CHECKING:
    from flight.executive import GovernorLike
    from flight.thermal.governor import GovernorInputs
    from flight.thermal.level_advice import LevelAdvice
    from flight.thermal.node_plant import NodePlant
    from flight.thermal.plan_desk import PlanDesk

AHEAD_S = 60.0
"""Frames of so long ahead are counted as coming now."""


class PlanGovernor:
    """One `decide` a cycle, like the guard it is built around."""

    def __init__(
        self, guard: GovernorLike, node: NodePlant, desk: PlanDesk, advice: LevelAdvice
    ) -> None:
        self._guard, self._node = guard, node
        self._desk, self._advice = desk, advice

    def decide(
        self, inputs: GovernorInputs, die_target_c: float, sink_target_c: float, now_ns: int
    ) -> GovernorDecision:
        """The level for the coming cycle; without a plan it is the guard's."""
        decision = self._guard.decide(inputs, die_target_c, sink_target_c, now_ns)
        now_s = now_ns * 1e-9
        slot, plant, keeper = self._desk.slot(now_s), self._node.plant, self._desk.keeper
        if slot is None or plant is None or keeper is None or keeper.plan is None:
            self._desk.tell(now_s, None)
            return decision
        fps = plant.forecast.arrivals_fps[FRESH].mean(now_s, now_s + AHEAD_S)
        level = self._advice.level(slot, fps, now_s)
        self._desk.tell(now_s, level)
        reason = ThrottleReason.NONE
        if fps > 0.0:
            reason = self._advice.reason(keeper.plan.prices, level, fps)
        else:
            level = WAITING_LEVEL
        if level >= decision.level:
            return decision
        return GovernorDecision(level, reason, decision.die_predicted_c, decision.link)
