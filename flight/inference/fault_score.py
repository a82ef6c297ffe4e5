"""What became of faults that were put in: counts that add up, and how sure they make one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CORRUPT_SHARE = 0.01
"""An answer is corrupt when more of its mask than this has changed."""
WILSON_Z = 1.959964
"""95 % two-sided."""


@dataclass(slots=True)
class Score:
    """What became of the faults of one place.

    Attributes:
        corrupting: would have changed more than `CORRUPT_SHARE` of the mask.
        caught: of those, something was noticed.
        righted: of those, and the answer given is the clean one, or none was given.
        noticed: of all trials.
        by_check: check -> corrupting faults that it alone would have caught.
        worst_silent: largest changed share of a mask that was given without a doubt.
        worst_bare: the same without any guard.
        by_bits: class of the bit -> (trials, corrupting).
    """

    trials: int = 0
    corrupting: int = 0
    caught: int = 0
    righted: int = 0
    noticed: int = 0
    by_check: dict[str, int] = field(default_factory=dict)
    worst_silent: float = 0.0
    worst_bare: float = 0.0
    by_bits: dict[str, tuple[int, int]] = field(default_factory=dict)


def together(scores: Sequence[Score]) -> Score:
    """Return what became of the faults of several places as if they were one."""
    whole = Score()
    for score in scores:
        whole.trials += score.trials
        whole.corrupting += score.corrupting
        whole.caught += score.caught
        whole.righted += score.righted
        whole.noticed += score.noticed
        whole.worst_silent = max(whole.worst_silent, score.worst_silent)
        whole.worst_bare = max(whole.worst_bare, score.worst_bare)
        for name, found in score.by_check.items():
            whole.by_check[name] = whole.by_check.get(name, 0) + found
        for kind, (seen, bad) in score.by_bits.items():
            before = whole.by_bits.get(kind, (0, 0))
            whole.by_bits[kind] = (before[0] + seen, before[1] + bad)
    return whole


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (E. B. Wilson, JASA 22, 1927)."""
    if not trials:
        return 0.0, 1.0
    share, square = hits / trials, WILSON_Z**2
    middle = share + square / (2 * trials)
    spread = WILSON_Z * sqrt(share * (1 - share) / trials + square / (4 * trials**2))
    scale = 1 + square / trials
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
