"""The node's belief about UTC: a correlation to mission time, followed, stepped and told.

Hop: under all three flows. Pure. UTC is a label: a delay never sees it, an instant is looked up in
it, and a step of it is a new correlation. After cFE's TIME: the correlation has a quality, runs on
alone (flywheel) while its source is silent, and every step is counted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from flight.base.clock import UtcCorrelation, UtcQuality

UTC_NS_MIN, UTC_NS_MAX = 946_684_800_000_000_000, 4_102_444_800_000_000_000
"""2000 and 2100: a reading outside is none."""
STEP_NS = 250_000_000
"""A smaller difference is jitter or slewing and is followed without a word."""
STEP_CONFIRMED = 3
"""Readings in a row that agree on another correlation: one late cycle is no step of the clock."""
WINDOW = 8
"""Readings of which the least late counts: a late cycle only ever makes UTC seem further on."""


@dataclass(frozen=True, slots=True)
class UtcChange:
    """What is worth telling.

    Attributes:
        step_ns: how far UTC has stepped, forward positive; 0 for none.
        before, after: quality; equal when it has not changed.
    """

    step_ns: int
    before: UtcQuality
    after: UtcQuality


class UtcKeeper:
    """Follows a source of UTC that may be late, silent, or wrong for a while.

    Args:
        correlation: what is believed at the start.

    Attributes:
        correlation: what is believed now.
        steps: steps followed since the start; last_step_ns: the latest of them.
    """

    def __init__(self, correlation: UtcCorrelation | None = None) -> None:
        self.correlation = UtcCorrelation() if correlation is None else correlation
        self.steps = 0
        self.last_step_ns = 0
        self._near: deque[int] = deque(maxlen=WINDOW)
        self._away: deque[int] = deque(maxlen=STEP_CONFIRMED)

    @property
    def known(self) -> bool:
        """Whether UTC was ever told."""
        return self.correlation.quality is not UtcQuality.UNSET

    def utc_ns(self, mission_ns: int) -> int:
        """Unix nanoseconds of a mission time, as believed now."""
        return self.correlation.utc_ns(mission_ns)

    def observe(self, now_ns: int, utc_ns: int | None, *, locked: bool) -> UtcChange | None:
        """One reading of UTC, or that there is none; what changed, or None.

        `locked`: a time source holds the clock that was read.
        """
        before = self.correlation
        if utc_ns is None or not UTC_NS_MIN <= utc_ns <= UTC_NS_MAX:
            after = UtcQuality.FLYWHEEL if self.known else UtcQuality.UNSET
            self.correlation = UtcCorrelation(before.offset_ns, after, before.set_at_ns)
            return None if after is before.quality else UtcChange(0, before.quality, after)
        after = UtcQuality.SYNCHRONISED if locked else UtcQuality.COARSE
        step_ns = self._follow(utc_ns - now_ns)
        if self._away:
            after = UtcQuality.FLYWHEEL if self.known else after  # neither is believed yet
        set_at_ns = before.set_at_ns if self._away else now_ns
        self.correlation = UtcCorrelation(self._near_offset(before), after, set_at_ns)
        if not step_ns and after is before.quality:
            return None
        return UtcChange(step_ns, before.quality, after)

    def _follow(self, offset_ns: int) -> int:
        """Books one reading; how far UTC has stepped, if that is certain now."""
        believed_ns = self._near_offset(self.correlation)
        if not self.known and not self._near:
            self._near.append(offset_ns)
            return 0
        if abs(offset_ns - believed_ns) <= STEP_NS:
            self._near.append(offset_ns)
            self._away.clear()
            return 0
        self._away.append(offset_ns)
        if len(self._away) < STEP_CONFIRMED or max(self._away) - min(self._away) > STEP_NS:
            return 0
        self._near.clear()
        self._near.extend(self._away)
        self._away.clear()
        self.steps += 1
        self.last_step_ns = min(self._near) - believed_ns
        return self.last_step_ns

    def _near_offset(self, believed: UtcCorrelation) -> int:
        return min(self._near) if self._near else believed.offset_ns
