"""The kernel's thermal governors on the bench's node: they set its level in place of its own.

They know heat alone. For everything else they get what the node's own guard has without a model:
commands, faults and a full queue, and the battery budget. Close to the die's limit the board goes
off, whatever they say.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Protocol

from flight.telemetry.dictionary import ThrottleReason
from flight.thermal.governor import Governor, GovernorDecision
from hil.score.kernel_rules import PowerAllocatorRule, StepWiseRule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.thermal.board_profile import BoardProfile
    from flight.thermal.governor import GovernorInputs

STEP_MARGINS_K = (3.5, 5.0)
SUSTAINABLE_SHARES = (0.3, 0.5, 0.6, 0.8, 1.0)
"""What is tried of each governor; the best on the very scenario counts, which favours it."""
FAR_C, COLD_C = 1000.0, -100.0
OFF_K, ON_K = 2.5, 5.0
"""The hard trip: off so close under the die's limit, until it is so far under it again."""


class Rule(Protocol):
    """A thermal governor: a power cap from the zones' temperatures."""

    def cap(self, temps: Sequence[float]) -> float | None:
        """The cap in watts; None is off."""
        ...


class RuledByHeat:
    """`GovernorLike`: the highest level under the rule's cap that all but heat allows."""

    def __init__(self, profile: BoardProfile, rule: Rule) -> None:
        self._profile, self._rule = profile, rule
        self._rest = Governor(profile, ("die", "sink"))
        self._tripped = False

    def decide(
        self, inputs: GovernorInputs, die_target_c: float, sink_target_c: float, now_ns: int
    ) -> GovernorDecision:
        """The node's targets are not theirs: their trips stand at the die's limit."""
        del die_target_c, sink_target_c
        die_c = inputs.thermal.die_c
        if not isfinite(die_c):
            return GovernorDecision(0, ThrottleReason.FAULT, die_c)
        cold = replace(inputs.thermal, die_c=COLD_C, sink_c=COLD_C, sink_slope_k_s=0.0)
        decision = self._rest.decide(replace(inputs, thermal=cold), FAR_C, FAR_C, now_ns)
        under_k = self._profile.die_limit_c - die_c
        self._tripped = under_k < (ON_K if self._tripped else OFF_K)
        cap_w = None if self._tripped else self._rule.cap([die_c])
        levels = range(1, self._profile.top + 1)
        most = max((m for m in levels if self._profile.active_w(m) <= (cap_w or 0.0)), default=0)
        if most >= decision.level:
            return decision
        return GovernorDecision(most, ThrottleReason.DIE, die_c)


def forms() -> dict[str, dict[str, Callable[[BoardProfile], RuledByHeat]]]:
    """Governors by name, each in the forms that are tried, by what they are called."""
    return {
        "step_wise": {
            f"trip {k:g} K below": partial(_step_wise, margin_k=k) for k in STEP_MARGINS_K
        },
        "power_allocator": {
            f"{s:.0%} sustainable": partial(_power_allocator, share=s) for s in SUSTAINABLE_SHARES
        },
    }


def _step_wise(profile: BoardProfile, margin_k: float) -> RuledByHeat:
    caps_w = [profile.active_w(level) for level in range(profile.top, 0, -1)]
    return RuledByHeat(profile, StepWiseRule([profile.die_limit_c], [*caps_w, None], margin_k))


def _power_allocator(profile: BoardProfile, share: float) -> RuledByHeat:
    caps_w = [profile.active_w(level) for level in range(1, profile.top + 1)]
    rule = PowerAllocatorRule([profile.die_limit_c], caps_w, share * caps_w[-1])
    return RuledByHeat(profile, rule)
