"""A threshold that does not chatter: two overlapping levels and a count on each of them.

Hop: wherever a level becomes a decision (limits, throttle, modes). Pure. The two levels and the
persistence are arguments so that the table that uses them shows them.
"""

import math
from typing import Final, final


@final
class Hysteresis:
    """True once `persistence` consecutive values reached `set_at`; false once as many cleared.

    `set_at > clear_at` watches a rising value (hot), `set_at < clear_at` a falling one (low
    battery). Values between the two levels hold the state and break a streak. NaN breaks a streak
    and decides nothing.

    Args:
        set_at: level that sets (reached or passed).
        clear_at: level that clears (reached or passed, the other way).
        persistence: consecutive values needed either way, at least 1.
    """

    __slots__ = ("_rising", "_streak", "active", "clear_at", "persistence", "set_at", "transitions")

    def __init__(self, set_at: float, clear_at: float, persistence: int = 1) -> None:
        assert set_at != clear_at, "the two levels must leave a band between them"
        assert persistence >= 1, "persistence counts values, at least one"
        self.set_at = set_at
        self.clear_at = clear_at
        self.persistence: Final = persistence
        self._rising = set_at > clear_at
        self._streak = 0
        self.active = False
        self.transitions = 0

    def retune(self, set_at: float, clear_at: float) -> None:
        """Other levels from the next value on; the state stays, a streak under way is broken."""
        assert set_at != clear_at, "the two levels must leave a band between them"
        if (set_at, clear_at) != (self.set_at, self.clear_at):
            self.set_at, self.clear_at = set_at, clear_at
            self._rising = set_at > clear_at
            self._streak = 0

    def update(self, value: float) -> bool:
        """Feed one value; returns the state after it."""
        if not self._speaks_for_change(value):
            self._streak = 0
            return self.active
        self._streak += 1
        if self._streak >= self.persistence:
            self._streak = 0
            self.active = not self.active
            self.transitions += 1
        return self.active

    def _speaks_for_change(self, value: float) -> bool:
        if math.isnan(value):
            return False
        if self.active:
            return value <= self.clear_at if self._rising else value >= self.clear_at
        return value >= self.set_at if self._rising else value <= self.set_at
