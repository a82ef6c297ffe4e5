"""`lumenode fly` with a fault in it that comes with SIGUSR1: faulty_flight.py FAULT --config FILE.

What stands still counts as such after a second or three instead of five or ten.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from flight.board_tick import TickClock
from flight.composition import fdir
from flight.downlink.downlink_service import DownlinkService
from flight.downlink.writer_thread import WriterThread
from flight.fly_command import main_fly

if TYPE_CHECKING:
    from types import FrameType

    from flight.base.clock import Clock

LIMITS_S = {"GROUP": 3, "DOWNLINK": 1, "STORE": 1}
struck = threading.Event()


def strike(_number: int, _frame: FrameType | None) -> None:
    struck.set()


def block_loop() -> None:
    """A lock that its own holder waits for, in the loop's thread."""

    def block(_number: int, _frame: FrameType | None) -> None:
        lock = threading.Lock()
        with lock:
            lock.acquire()

    signal.signal(signal.SIGUSR1, block)


def hold_loop_up() -> None:
    """The loop gets no turn for two and a half periods of its group."""
    signal.signal(signal.SIGUSR1, lambda _number, _frame: time.sleep(2.5))


def deadlock_task(*, once: bool = False) -> None:
    """The contact loop waits for something that never comes; with `once` its next life does not."""
    lives = []
    usual = DownlinkService.serve

    class Stopped:
        def __init__(self, clock: Clock, life: int) -> None:
            self.now_ns, self._sleep, self._life = clock.now_ns, clock.sleep_until, life

        async def sleep_until(self, t_ns: int) -> None:
            if struck.is_set() and (self._life == 1 or not once):
                await asyncio.get_running_loop().create_future()
            await self._sleep(t_ns)

    async def serve(self: DownlinkService) -> None:
        lives.append(self)
        self._clock = Stopped(self._clock, len(lives))
        await usual(self)

    DownlinkService.serve = serve


def starve_thread() -> None:
    """The store's writer gets no turn any more."""
    usual = WriterThread._write_due

    def write_due(self: WriterThread, *arguments: object) -> None:
        if struck.is_set():
            threading.Event().wait()
        usual(self, *arguments)

    WriterThread._write_due = write_due


def stop_tick() -> None:
    """The rate groups are woken no more, while the loop turns on."""
    usual = TickClock._on_tick

    def on_tick(self: TickClock) -> None:
        if struck.is_set():
            self._source.take()
        else:
            usual(self)

    TickClock._on_tick = on_tick


FAULTS = {
    "none": lambda: None,
    "blocked loop": block_loop,
    "loop held up": hold_loop_up,
    "deadlocked task": deadlock_task,
    "task that a restart cures": lambda: deadlock_task(once=True),
    "starved thread": starve_thread,
    "stopped tick": stop_tick,
}

if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, strike)
    for name, seconds in LIMITS_S.items():
        setattr(fdir, f"{name}_LIMIT_NS", seconds * 1_000_000_000)
    FAULTS[sys.argv[1]]()
    sys.exit(main_fly(sys.argv[2:]))
