"""The node's turn on a line, between two instants of the world: granted, or left to the wall clock.

In lock-step the world waits until the node is done, so a run is the same each time and as fast as
both can go. In free-run the node has the time there is; what is late is counted, and too much of it
says that the bench was no bench.
"""

from __future__ import annotations

import time
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from hil.bench_link.layout import GRANT_RETRY_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.stream_link import StreamLink

_NS_PER_S = 1_000_000_000
RETRY_S = GRANT_RETRY_NS / _NS_PER_S
DONE_LIMIT_S = 120.0
"""A node that is up and does not finish a tick in this time hangs."""
LATE_NS = _NS_PER_S // 2
"""Half a period: what the node sees is then older than it believes."""
LATE_SHARE_MAX = 0.01
"""More late steps or samples than this and a free run says nothing about the node."""


class Turn(Enum):
    """How a turn ended."""

    DONE = "done"
    RESTARTED = "another session"
    HANGS = "no end of its turn"
    ENDED = "its process ended"


class Turns(Protocol):
    """Gives the node its turns.

    Attributes:
        steps: turns given.
        late_steps: those that began more than half a period after their time.
        late_ns_max: the latest of all.
    """

    steps: int
    late_steps: int
    late_ns_max: int

    def begin(self) -> None:
        """A node has started: its ticks count from 1."""
        ...

    def act(self, now_ns: int, next_ns: int) -> Turn:
        """What is to be seen at `now_ns`, then time until just before `next_ns`."""
        ...

    def skip(self, next_ns: int) -> None:
        """Nobody is there; time passes until `next_ns`."""
        ...


class LockStep:
    """Time is granted; nothing is ever late.

    Args:
        utc_at: what the node is told of UTC at a mission time.
        ended: whether the node's process is known to have ended.
    """

    def __init__(
        self, link: StreamLink, utc_at: Callable[[int], int], ended: Callable[[], bool]
    ) -> None:
        self._link = link
        self._utc_at = utc_at
        self._ended = ended
        self._tick = self._sessions = 0
        self.steps = self.late_steps = self.late_ns_max = 0

    def begin(self) -> None:
        """See `Turns`."""
        self._tick = 0
        self._sessions = self._link.bench.sessions

    def act(self, now_ns: int, next_ns: int) -> Turn:
        """See `Turns`; grants are repeated until the node says that it is done."""
        link, bench = self._link, self._link.bench
        self._tick += 1
        self.steps += 1
        tick, waited_s = self._tick, 0.0
        while waited_s < DONE_LIMIT_S:
            # Before anything is said: a tick of an old session would be granted in the new one.
            bench.follow_session()
            if bench.sessions != self._sessions:
                return Turn.RESTARTED
            bench.show(tick, now_ns, self._utc_at(now_ns))
            bench.grant(tick, next_ns - 1, self._utc_at(next_ns - 1))
            if link.wait(lambda: bench.done(tick) or bench.sessions != self._sessions, RETRY_S):
                return Turn.DONE if bench.sessions == self._sessions else Turn.RESTARTED
            if self._ended():
                return Turn.ENDED
            waited_s += RETRY_S
        return Turn.HANGS

    def skip(self, next_ns: int) -> None:
        """See `Turns`: mission time costs nothing."""


class FreeRun:
    """Both ends follow their own clocks; `start` says when mission time zero was."""

    def __init__(
        self, link: StreamLink, utc_at: Callable[[int], int], ended: Callable[[], bool]
    ) -> None:
        self._link = link
        self._utc_at = utc_at
        self._ended = ended
        self._zero_ns: int | None = None
        self._tick = 0
        self.steps = self.late_steps = self.late_ns_max = 0

    def begin(self) -> None:
        """See `Turns`; the first one to begin sets the clock."""
        self._tick = 0
        if self._zero_ns is None:
            self._zero_ns = time.monotonic_ns()

    def mission_ns(self, mono_ns: int) -> int:
        """Mission time of an instant on this machine's monotonic clock."""
        return mono_ns - (self._zero_ns or 0)

    def act(self, now_ns: int, next_ns: int) -> Turn:
        """See `Turns`."""
        self.steps += 1
        late_ns = self.mission_ns(time.monotonic_ns()) - now_ns
        self.late_ns_max = max(self.late_ns_max, late_ns)
        self.late_steps += late_ns > LATE_NS
        if self._link.up:
            self._tick += 1
            self._link.bench.show(self._tick, now_ns, self._utc_at(now_ns))
        self.skip(next_ns)
        return Turn.ENDED if self._ended() else Turn.DONE

    def skip(self, next_ns: int) -> None:
        """See `Turns`: waits on the wall's clock, with the line at work, if only for a moment."""
        left_ns = next_ns - self.mission_ns(time.monotonic_ns())
        self._link.rest(max(left_ns, 0) / _NS_PER_S)
        while (left_ns := next_ns - self.mission_ns(time.monotonic_ns())) > 0:
            self._link.rest(left_ns / _NS_PER_S)


def judge_lateness(turns: Turns, link: dict[str, Any]) -> str | None:
    """Why a run with these turns and link statistics says nothing about the node; None if it does.

    In lock-step nothing is late, so nothing is ever wrong.
    """
    for what, late, of in (
        ("steps of the bench", turns.late_steps, turns.steps),
        ("samples at the node", link["samples_late"], link["samples_sent"]),
    ):
        if late > LATE_SHARE_MAX * of:
            return f"{late} of {of} {what} were late; allowed: {LATE_SHARE_MAX:.0%}"
    return None
