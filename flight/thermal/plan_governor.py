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

FRAMES_LEAST = 0.5
"""Fewer than this in a slot of the plan are none that are worth waking up for."""


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
        fps = plant.forecast.arrivals_fps[FRESH].mean(slot.start_s, slot.end_s)
        level = self._advice.level(slot, fps, now_s)
        self._desk.tell(now_s, level)
        reason = ThrottleReason.NONE
        if fps * (slot.end_s - slot.start_s) > FRAMES_LEAST:
            reason = self._advice.reason(keeper.plan.prices, level, fps, plant.spared_for(now_s))
        else:
            level = WAITING_LEVEL
        if level >= decision.level:
            return decision
        return GovernorDecision(level, reason, decision.die_predicted_c, decision.link)
