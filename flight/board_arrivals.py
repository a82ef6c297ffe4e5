"""What the contact loop of a board hears before its time: a received frame, an answer to give.

Hop "received" of command -> ack. A thread in C hears the line and signals a descriptor, which the
event loop waits on; so a command is judged when it comes and not when somebody looks next. Where
time is granted or the terminal has to be asked there is no such descriptor, and the contact loop
goes by its grid alone.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from flight.base.clock import LoopClock

_NS_PER_S = 1_000_000_000
_COUNT_BYTES = 8
"""What an eventfd is read by (eventfd(2))."""


@final
class FrameArrivals:
    """The rest between two turns of the contact loop, in which it still hears.

    Heard is within the loop's own callback: another turn of the event loop, its timer and a task's
    wake-up would cost a fifth of the time that a command takes. One waiter at a time; what comes
    while nobody waits is heard when the next wait begins.

    Args:
        fd: readable when a frame was received (hal_wake.h); not closed here.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: LoopClock, fd: int) -> None:
        self._loop = loop
        self._clock = clock
        self._fd = fd
        self._hear: Callable[[], bool] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._owed = False
        loop.add_reader(fd, self._on_frames)

    async def wait_until(self, t_ns: int, hear: Callable[[], bool]) -> None:
        """Wait for `t_ns`, with `hear` called for whatever comes.

        Ends at once when `hear` is False, and raises what it raises. Gives way once even when
        `t_ns` is past.
        """
        self._hear, self._waiter = hear, self._loop.create_future()
        self._set_timer(t_ns)
        if self._owed:
            self._loop.call_soon(self._heed)
        try:
            await self._waiter
        finally:
            self._timer.cancel()
            self._hear = self._waiter = None

    def wake(self) -> None:
        """Have the waiter hear once more, after whoever calls is done."""
        if not self._owed:
            self._owed = True
            self._loop.call_soon(self._heed)

    def close(self) -> None:
        """Listen no more. Twice is allowed."""
        self._loop.remove_reader(self._fd)

    def _on_frames(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, _COUNT_BYTES)
        self._owed = True
        self._heed()

    def _heed(self) -> None:
        waiter, hear = self._waiter, self._hear
        if waiter is None or hear is None or waiter.done() or not self._owed:
            return
        self._owed = False
        try:
            if not hear():
                waiter.set_result(None)
        except Exception as error:  # noqa: BLE001  it is the waiter's
            waiter.set_exception(error)

    def _set_timer(self, t_ns: int) -> None:
        left_ns = max(0, t_ns - self._clock.now_ns())
        self._timer = self._loop.call_later(left_ns / _NS_PER_S, self._end, t_ns)

    def _end(self, t_ns: int) -> None:
        """A float deadline may ring nanoseconds early: a turn for these would be one too many."""
        if self._clock.now_ns() < t_ns:
            self._set_timer(t_ns)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
