"""What drives a board's cycle: the tick of the C layer, and the dead-man that wants signs of life.

Hop: wakes "sensor to actuator" every period. A thread in C adds to an eventfd, the event loop reads
it; nothing sleeps for a while and hopes. The same tick carries the sign of life: the loop checks
in when it takes a tick and the rate groups are behind their last one, waiting for the next. So the
guard misses it when the loop is blocked, when its process is stopped, and when the rate groups are
gone while the loop runs on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from flight.base.clock import LoopClock
from hal.guard import Guard
from hal.sample import HalError, HalErrorKind
from hal.tick_source import RealtimeGrant, TickSource, enter_realtime

if TYPE_CHECKING:
    import asyncio
    import contextlib
    from collections.abc import Callable

    from flight.board_config import BoardSection
    from hal.native_devices import NativeDevices

_NS_PER_S: Final = 1_000_000_000
ABOVE_LOOP = 5
"""Tick and supervisor run so many levels of SCHED_FIFO above the loop that they watch."""
PRIORITY_MAX = 99


@final
class TickClock:
    """`Clock` for the rate groups: `sleep_until` ends with the first tick that is due at or after.

    The tick starts with the first wait: what a start takes is nobody's overrun. One waiter at a
    time. A time that is past waits for the next tick: the groups that overran wait for theirs.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        source: TickSource,
        alive: Callable[[], None],
        offset_ns: int = 0,
    ) -> None:
        """Call `alive` for each tick that finds the groups waiting for it.

        `offset_ns` is what mission time is ahead of the machine's clock, by which C ticks: whole
        seconds, so that the periods of both fall together.
        """
        self._loop = loop
        self._source = source
        self._alive = alive
        self._fd = -1
        self._due_ns = 0
        self._waiter: asyncio.Future[None] | None = None
        self.offset_ns = offset_ns
        self.now_ns: Callable[[], int] = LoopClock(loop, offset_ns).now_ns

    async def sleep_until(self, t_ns: int) -> None:
        """Wait for the tick of `t_ns`; `HalError` when the tick cannot be started."""
        if self._fd < 0:
            self._start()
        self._due_ns = t_ns - self.offset_ns
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def first_due_ns(self) -> int:
        """Mission time of the first tick that a start cannot miss any more: the one after next.

        A group that is due there need not wait for its next whole period to begin.
        """
        period_ns, now_ns = self._source.period_ns, self.now_ns() - self.offset_ns
        return (now_ns // period_ns + 2) * period_ns + self.offset_ns

    def close(self) -> None:
        """End the tick. Twice is allowed."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._fd = -1
        self._source.stop()

    def _start(self) -> None:
        self._source.start()
        self._fd = self._source.fileno()
        self._loop.add_reader(self._fd, self._on_tick)

    def _on_tick(self) -> None:
        count, due_ns = self._source.take()
        if count == 0 or self._waiter is None or self._waiter.done():
            return
        self._alive()
        if due_ns >= self._due_ns:
            self._waiter.set_result(None)


@dataclass(slots=True)
class BoardTick:
    """The tick of this board and who watches over it.

    Attributes:
        clock: wakes the rate groups.
        source: the tick itself, for what it counts.
        guard: `None` when the hardware layer cannot be made safe from outside.
        priority: SCHED_FIFO that tick and supervisor asked for; 0 is none.
        unguarded: what there is less of the guard, and why; told once the node can tell.
        refused: what the loop asked of the scheduler and did not get, with the reason; likewise.
    """

    clock: TickClock
    source: TickSource
    guard: Guard | None
    priority: int = 0
    unguarded: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def close(self) -> None:
        """End the tick, then the watch and its process, in this order. Twice is allowed."""
        self.clock.close()
        if self.guard is not None:
            self.guard.close()


def open_board_tick(
    board: BoardSection,
    devices: NativeDevices,
    loop: asyncio.AbstractEventLoop,
    opened: contextlib.ExitStack,
    offset_ns: int = 0,
) -> BoardTick:
    """Make tick, guard and its supervisor, each given back by `opened`; raises `HalError`.

    A supervisor that cannot be started is a protection less and no reason not to fly.
    """
    period_ns = _NS_PER_S // board.tick_hz
    priority = min(board.rt_priority + ABOVE_LOOP, PRIORITY_MAX) if board.rt_priority else 0
    unguarded: list[str] = []
    guard = _guard(board, devices, period_ns, priority, unguarded)
    if guard is not None:
        opened.callback(guard.close)
    source = TickSource(period_ns, priority=priority, devices=devices)
    clock = TickClock(loop, source, (lambda: None) if guard is None else guard.check_in, offset_ns)
    opened.callback(clock.close)
    return BoardTick(clock, source, guard, priority, unguarded)


def enter_flight(board: BoardSection, devices: NativeDevices) -> RealtimeGrant:
    """The loop's own thread: SCHED_FIFO and the device's memory locked, when the board asks."""
    if board.rt_priority == 0:
        return RealtimeGrant(0, 0, ())
    return enter_realtime(priority=board.rt_priority, lock=devices)


def _guard(
    board: BoardSection,
    devices: NativeDevices,
    period_ns: int,
    priority: int,
    unguarded: list[str],
) -> Guard | None:
    try:
        guard = Guard(
            devices, period_ns=period_ns, limit_ticks=board.guard_ticks, priority=priority
        )
    except HalError as error:
        if error.kind is not HalErrorKind.UNSUPPORTED:
            raise
        unguarded.append(f"backend {board.hal} cannot be made safe from outside")
        return None
    try:
        guard.start_supervisor()
    except HalError as error:
        unguarded.append(f"supervisor not started: {error.kind.name}")
    return guard
