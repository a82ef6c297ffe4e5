"""An event loop whose time is granted from outside: for a node on a bench that moves in lock-step.

Hop: under all three flows, where the operating system's clock is on a flight. Time stands still
while anything is ready. Then it jumps to the next timer if that lies within the grant; if none
does, the end of the grant is told and the loop waits for another. Descriptors work as ever: a
worker's answer or a signal is heard at whatever time it is.

A hold keeps time from passing an instant until work that takes real time is done: so a result is
there when the mission says so, and not when this machine was ready.

Asyncio's own heap compares floats, and fires timers of one instant in no order at all. Here a
timer's key is (nanoseconds, sequence).
"""

from __future__ import annotations

import asyncio
import selectors
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Protocol, TypeVarTuple

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable
    from contextvars import Context

_NS_PER_S = 1_000_000_000
HOLD_S = 60.0
"""Real time that held work may take; then its hold is lifted, and whoever waits sees it late."""
NEVER_NS = 1 << 126

Ts = TypeVarTuple("Ts")


class Grants(Protocol):
    """Who grants time."""

    def fileno(self) -> int:
        """Readable when there may be something to take."""
        ...

    def take(self) -> tuple[int, int] | None:
        """(start, end) of a new grant in nanoseconds, both inclusive; None when there is none.

        What it raises ends the loop's run: whoever has lost the power has no time either.
        """
        ...

    def heed(self) -> None:
        """What may be heard while a grant is being used; it raises as `take` does."""
        ...

    def done(self) -> None:
        """Nothing is left to do within the last grant."""
        ...


class Hold:
    """Keeps time below `t_ns` until `release`."""

    __slots__ = ("released", "t_ns")

    def __init__(self, t_ns: int) -> None:
        self.t_ns = t_ns
        self.released = False

    def release(self) -> None:
        """The work is done; may be called twice."""
        self.released = True


class _Timer(asyncio.TimerHandle):
    """A timer of the granted loop's own heap."""


class GrantedLoop(asyncio.SelectorEventLoop):
    """Follows `grants`; before the first one it is time zero, and nothing but descriptors moves.

    Attributes:
        grants_taken: so far.
        holds_lifted: holds that were not released within `HOLD_S` of real time.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self, grants: Grants, *, hold_s: float = HOLD_S) -> None:
        self._grants = grants
        self._hold_s = hold_s
        self._now_ns = 0
        self._until_ns = -1
        self._working = False
        self._free = False
        self._begun: asyncio.Future[None] | None = None
        self._sequence = 0
        self._waiting_grant: tuple[int, int] | None = None
        self._timers: list[tuple[int, int, _Timer]] = []
        self._holds: list[Hold] = []
        self.grants_taken = 0
        self.holds_lifted = 0
        self._waiting = _GrantSelector(self._turn, self._look, self._waited_in_vain)
        super().__init__(self._waiting)
        self._waiting.listen(grants)

    # Time.

    def time_ns(self) -> int:
        """Mission time in integer nanoseconds."""
        return self._now_ns

    def time(self) -> float:
        """Mission time in seconds; `time_ns` is exact."""
        return self._now_ns / _NS_PER_S

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:  # fmt: skip
        """As in asyncio, rounded to the nanosecond."""
        return self._call_at_ns(round(when * _NS_PER_S), callback, args, context)

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:  # fmt: skip
        """As in asyncio, rounded to the nanosecond."""
        t_ns = self._now_ns + round(delay * _NS_PER_S)
        return self._call_at_ns(t_ns, callback, args, context)

    async def at(self, t_ns: int) -> None:
        """Wait until `t_ns`; if that is past, until what is ready now has had its turn."""
        rung = self.create_future()
        timer = self._call_at_ns(max(t_ns, self._now_ns), _ring, (rung,), None)
        try:
            await rung
        finally:
            timer.cancel()

    async def begun(self) -> None:
        """Wait for the first grant; time has not moved within it when this returns."""
        if not self.grants_taken:
            self._begun = self.create_future()
            await self._begun

    def hold(self, t_ns: int) -> Hold:
        """Keeps time below `t_ns` until the hold is released."""
        hold = Hold(t_ns)
        self._holds.append(hold)
        return hold

    def let_go(self) -> None:
        """Time runs on by itself from here, without grants: the node ends."""
        self._free = True
        self._holds.clear()

    # Turns.

    def _call_at_ns(
        self, t_ns: int, callback: Callable[..., object], args: tuple[Any, ...],
        context: Context | None,
    ) -> _Timer:  # fmt: skip
        timer = _Timer(t_ns / _NS_PER_S, callback, args, self, context)
        self._sequence += 1
        heappush(self._timers, (t_ns, self._sequence, timer))
        return timer

    def _turn(self, *, idle: bool) -> float | None:
        """What the selector asks before it waits: how long, in real seconds; None is for ever.

        Zero when callbacks were made ready. Time moves on only while the loop is idle.
        """
        if self._make_ready() or not idle:
            return 0.0
        if self._waiting_grant is not None and not self._working and not self._free:
            self._take_grant(*self._waiting_grant)
            if self._ready:
                return 0.0
        limit_ns = self._limit_ns()
        if self._timers and self._timers[0][0] <= limit_ns:
            self._now_ns = max(self._now_ns, self._timers[0][0])
            self._make_ready()
            return 0.0
        if self._holds and limit_ns < (NEVER_NS if self._free else self._until_ns):
            return self._hold_s
        if self._working:
            self._now_ns = max(self._now_ns, self._until_ns)
            self._working = False
            self._grants.done()
            self._waiting.listen(self._grants)
        return None

    def _make_ready(self) -> bool:
        """Readies what is due by now, and forgets cancelled timers on the way."""
        timers, made = self._timers, False
        while timers and (timers[0][0] <= self._now_ns or timers[0][2].cancelled()):
            timer = heappop(timers)[2]
            if not timer.cancelled():
                self._ready.append(timer)
                made = True
        return made

    def _limit_ns(self) -> int:
        """The latest instant that time may reach now."""
        self._holds = [hold for hold in self._holds if not hold.released]
        limit_ns = NEVER_NS if self._free else self._until_ns if self._working else -1
        for hold in self._holds:
            limit_ns = min(limit_ns, hold.t_ns - 1)
        return limit_ns

    def _look(self) -> None:
        """The granter's descriptor is readable.

        A grant that comes while another is being used is not taken: `done` would be said of it. So
        nobody listens until then.
        """
        if self._working:
            self._grants.heed()
            self._waiting.ignore(self._grants)
            return
        grant = self._grants.take()
        if grant is not None:
            self._waiting_grant = grant

    def _take_grant(self, start_ns: int, until_ns: int) -> None:
        self._waiting_grant = None
        self._now_ns, self._until_ns = max(self._now_ns, start_ns), until_ns
        self._working = True
        self.grants_taken += 1
        if self._begun is not None:
            _ring(self._begun)

    def _waited_in_vain(self) -> None:
        """Held work has taken too long: nobody waits for it any more."""
        self.holds_lifted += len(self._holds)
        self._holds.clear()


_NOBODY: Any = None


def _ring(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)


class _GrantSelector(selectors.SelectSelector):
    """Asks the loop before it waits, and keeps the granter's own descriptor to itself."""

    def __init__(
        self,
        turn: Callable[..., float | None],
        look: Callable[[], None],
        in_vain: Callable[[], None],
    ) -> None:
        super().__init__()
        self._turn = turn
        self._look = look
        self._in_vain = in_vain

    def listen(self, grants: Grants) -> None:
        """Looks when there is something to take."""
        if grants not in self.get_map():
            self.register(grants, selectors.EVENT_READ, _NOBODY)

    def ignore(self, grants: Grants) -> None:
        """Until `listen`."""
        self.unregister(grants)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """The loop asks for 0 when callbacks are ready, else for None: it knows no timers here."""
        wait_s = self._turn(idle=timeout is None)
        found = super().select(wait_s)
        if not found and wait_s:
            self._in_vain()
        others = [event for event in found if event[0].data is not _NOBODY]
        if len(others) < len(found):
            self._look()
        return others
