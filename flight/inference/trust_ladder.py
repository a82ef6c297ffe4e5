"""What the flight process does when its worker no longer trusts its own answers. Pure.

The worker has by then put weights right and built its session again, in vain. Above that: a new
process on the same stored copy, then on the other stored copy, then no more of this model until
somebody says so. Good answers in a row lead back down.
"""

from __future__ import annotations

from enum import Enum

GOOD_ANSWERS = 100
"""So many trusted answers in a row, and the next doubt starts at the bottom again."""


class Rung(Enum):
    """What to do next; the order is the order of the ladder."""

    RESTART = "new worker process"
    SECOND_COPY = "new worker process on the second stored copy"
    REFUSE = "model refused"


_RUNGS = tuple(Rung)


class TrustLadder:
    """Where one model stands."""

    def __init__(self) -> None:
        self._height = 0
        self._good = 0

    @property
    def refused(self) -> bool:
        """Whether the top has been reached: no more answers of this model."""
        return self._height == len(_RUNGS)

    def distrusted(self) -> Rung:
        """One rung up; at the top it stays."""
        self._good = 0
        self._height = min(self._height + 1, len(_RUNGS))
        return _RUNGS[self._height - 1]

    def trusted(self) -> None:
        """A good answer."""
        if self.refused:
            return
        self._good += 1
        if self._good >= GOOD_ANSWERS:
            self._height = self._good = 0
