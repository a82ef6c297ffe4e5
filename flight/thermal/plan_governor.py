"""The guard's level, or the plan's where that is lower: heat and battery are the guard's alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.telemetry.definitions import ThrottleReason
from flight.thermal.governor import GovernorDecision
from flight.thermal.level_advice import FRAME_VALUE

if TYPE_CHECKING:
    from flight.telemetry.channel_values import ChannelValues
    from flight.thermal.governor import Governor, GovernorInputs
    from flight.thermal.level_advice import Advice, LevelAdvice

NO_PLAN = -1.0
WAITING_LEVEL = 1
"""While no frames are expected: awake, at the least it can draw."""


class PlanGovernor:
    """One `decide` a cycle, like the guard it is built around."""

    def __init__(self, guard: Governor, advice: LevelAdvice, channels: ChannelValues) -> None:
        self._guard, self._advice = guard, advice
        self._values = channels.values
        self._index = tuple(
            channels.index(name)
            for name in (
                "plan.level", "plan.price_energy", "plan.price_heat", "plan.price_time",
            )
        )  # fmt: skip

    def decide(
        self, inputs: GovernorInputs, die_target_c: float, sink_target_c: float, now_ns: int
    ) -> GovernorDecision:
        """The level for the coming cycle; without a plan it is the guard's."""
        decision = self._guard.decide(inputs, die_target_c, sink_target_c, now_ns)
        advice = self._advice.advise(inputs.utc_s, inputs.thermal, inputs.power)
        self._tell(advice)
        if advice is None:
            return decision
        level = advice.level if advice.expected else WAITING_LEVEL
        if level >= decision.level:
            return decision
        reason = _reason(advice) if advice.expected else ThrottleReason.NONE
        return GovernorDecision(level, reason, decision.die_predicted_c)

    def _tell(self, advice: Advice | None) -> None:
        row = (NO_PLAN, 0.0, 0.0, 0.0)
        if advice is not None:
            prices = advice.prices
            row = (
                float(advice.level),
                1e3 * prices.joule / FRAME_VALUE,
                1e3 * prices.heat_j / FRAME_VALUE,
                prices.second / FRAME_VALUE,
            )
        for index, value in zip(self._index, row, strict=True):
            self._values[index] = value


def _reason(advice: Advice) -> ThrottleReason:
    """What is scarcest, by its price."""
    prices = advice.prices
    return (
        ThrottleReason.RADIATOR if prices.heat_j > prices.joule else ThrottleReason.ECLIPSE_RESERVE
    )
