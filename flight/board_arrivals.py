"""What wakes the contact loop of a board before its time: a received frame, an answer to give.

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

    from flight.base.clock import LoopClock
    from hal.native_devices import NativeDevices

_NS_PER_S = 1_000_000_000
_COUNT_BYTES = 8
"""What an eventfd is read by (eventfd(2))."""


@final
class FrameArrivals:
    """`wait_until` for the contact loop; ends early for whatever came since it last ended.

    One waiter at a time.

    Args:
        fd: readable when a frame was received (hal_wake.h); not closed here.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: LoopClock, fd: int) -> None:
        self._loop = loop
        self._clock = clock
        self._fd = fd
        self._waiter: asyncio.Future[None] | None = None
        self._missed = False
        loop.add_reader(fd, self._on_frames)

    async def wait_until(self, t_ns: int) -> None:
        """Wait for `t_ns` or for `wake`; gives way once even when either is past."""
        left_ns = 0 if self._missed else max(0, t_ns - self._clock.now_ns())
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(left_ns / _NS_PER_S, self.wake)
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None
            self._missed = False

    def wake(self) -> None:
        """End the wait; if nobody waits now, the next one."""
        if self._waiter is None:
            self._missed = True
        elif not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Listen no more. Twice is allowed."""
        self._loop.remove_reader(self._fd)

    def _on_frames(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, _COUNT_BYTES)
        self.wake()


def frame_arrivals(
    devices: NativeDevices,
    loop: asyncio.AbstractEventLoop,
    clock: LoopClock,
    opened: contextlib.ExitStack,
) -> FrameArrivals | None:
    """Those of the terminal of `devices`, given back by `opened`; None where one has to ask it."""
    fd = devices.receive_fd()
    if fd is None:
        return None
    arrivals = FrameArrivals(loop, clock, fd)
    opened.callback(arrivals.close)
    return arrivals
