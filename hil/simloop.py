"""Virtual time: an asyncio event loop whose clock is an integer and whose idle time costs nothing.

Hop: carries all three flows in simulation. Flight's code runs on it unchanged; the bench steps it
with `run_until_ns` or schedules itself beside flight with `call_at_ns`.

Why not asyncio's own loop with a jumping selector: its heap compares only the time, so timers due
at one instant fire out of creation order; timers closer than its clock's resolution are merged;
and seconds in floats accumulate. Here a timer's key is (deadline in ns, priority, sequence), ready
callbacks run first in first out, and when nothing is ready the clock jumps to the next deadline.
There is no selector and no thread: methods that need one raise (see `simloop_traps`).

A failure anywhere (a callback's exception, a task's exception nobody retrieved, a trap) fails the
run: the first one is kept and raised out of `run_*` before the next batch of callbacks.
"""

import asyncio
import sys
import threading
import types
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from contextvars import Context
from heapq import heapify, heappop, heappush
from typing import Any, Final, TypeVar, TypeVarTuple, cast

from hil.simloop_handles import Alarm, Runnable, SimHandle
from hil.simloop_life import LoopLife, SimulationDeadlock, SimulationLivelock
from hil.simloop_traps import spring

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_NS_PER_S: Final = 1_000_000_000
_NEVER_NS: Final = 1 << 126  # past any deadline
_COMPACT_ABOVE: Final = 128  # cancelled timers tolerated before the heap is rebuilt


class SimLoop(LoopLife):
    """Event loop in virtual time, starting at `start_ns`; deterministic by construction.

    Args:
        start_ns: first value of the clock.
        max_callbacks_at_one_instant: bound on the callbacks run without time moving on;
            `SimulationLivelock` above it.
    """

    def __init__(self, start_ns: int = 0, max_callbacks_at_one_instant: int = 100_000) -> None:
        super().__init__()
        self._now_ns = start_ns
        self._sequence = 0
        self._ready: deque[Runnable] = deque()
        self._timers: list[tuple[int, int, int, Runnable]] = []
        self._timers_cancelled = 0
        self._at_this_instant = 0
        self._max_at_one_instant = max_callbacks_at_one_instant
        self._stopping = False
        self._thread_id = threading.get_ident()

    # Time.

    def time_ns(self) -> int:
        """Virtual time in integer nanoseconds."""
        return self._now_ns

    def time(self) -> float:
        """Virtual time in seconds; exact to 1 ns over the first 97 days, `time_ns` always."""
        return self._now_ns / _NS_PER_S

    # Scheduling.

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run the callback at this instant, after everything that is ready already."""
        handle = SimHandle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """`call_soon` on the loop's own thread; `SimulationTrap` from any other."""
        if threading.get_ident() != self._thread_id:
            trap = spring("loop.call_soon_threadsafe() from another thread", sys._getframe(1))  # noqa: SLF001
            self.call_exception_handler({"message": str(trap), "exception": trap})
            raise trap
        return self.call_soon(callback, *args, context=context)

    def call_at_ns(
        self,
        t_ns: int,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        priority: int = 0,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run the callback at `t_ns` (now, if that is past); lower priority numbers run first."""
        handle = SimHandle(callback, args, self, context)
        handle._when = t_ns / _NS_PER_S  # noqa: SLF001
        handle._scheduled = True  # noqa: SLF001
        self._sequence += 1
        heappush(self._timers, (max(t_ns, self._now_ns), priority, self._sequence, handle))
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Asyncio's form of `call_at_ns`: seconds, rounded to the nanosecond."""
        return self.call_at_ns(round(when * _NS_PER_S), callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run the callback `delay` seconds from now, rounded to the nanosecond."""
        t_ns = self._now_ns + round(delay * _NS_PER_S)
        return self.call_at_ns(t_ns, callback, *args, context=context)

    @types.coroutine
    def at(self, t_ns: int) -> Generator[Any, None, None]:
        """Await this to be woken at `t_ns`; if that is past, after what is ready at this instant.

        Waiters of one instant wake in the order in which they came to wait.
        """
        alarm = Alarm(self)
        self._sequence = sequence = self._sequence + 1
        now_ns = self._now_ns
        heappush(self._timers, (t_ns if t_ns > now_ns else now_ns, 0, sequence, alarm))  # noqa: FURB136 - half the cost of max()
        yield alarm

    def timer_cancelled(self) -> None:
        """Cancelled timers stay in the heap until they are the majority, as in asyncio."""
        self._timers_cancelled += 1
        if self._timers_cancelled > _COMPACT_ABOVE and self._timers_cancelled * 2 > len(
            self._timers
        ):
            # In place: the run loop holds a reference to this list.
            self._timers[:] = [entry for entry in self._timers if not entry[3]._cancelled]  # noqa: SLF001
            heapify(self._timers)
            self._timers_cancelled = 0

    # Running.

    def run_until_ns(self, t_end_ns: int) -> None:
        """Run everything due up to and including `t_end_ns` and leave the clock there.

        Raises:
            SimulationFailure: something failed with nobody to hear it.
            ValueError: `t_end_ns` lies in the past.
        """
        if t_end_ns < self._now_ns:
            raise ValueError(f"cannot run until {t_end_ns} ns: it is {self._now_ns} ns already")
        if self._run(t_end_ns):
            self._now_ns = t_end_ns

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """Run until the future is done and return its result, as asyncio does.

        Raises:
            SimulationDeadlock: nothing can happen any more and the future is not done.
            SimulationFailure: something failed with nobody to hear it.
        """
        self._check_closed()
        waited = asyncio.ensure_future(cast("Awaitable[T]", future), loop=self)
        waited.add_done_callback(self._stop_when_done)
        try:
            ran_dry = self._run(_NEVER_NS)
        finally:
            waited.remove_done_callback(self._stop_when_done)
            if waited.done() and not waited.cancelled() and self._failure is not None:
                waited.exception()  # retrieved: the failure being raised is the louder one
        if not waited.done():
            if ran_dry:
                raise SimulationDeadlock(f"nothing left to run, yet {waited!r} is not done")
            raise RuntimeError("event loop stopped before the future was done")
        return waited.result()

    def run_forever(self) -> None:
        """Run until `stop()` or until nothing is left to do (time alone changes nothing)."""
        self._run(_NEVER_NS)

    def stop(self) -> None:
        """Return from the run after the present batch of callbacks."""
        self._stopping = True

    def _stop_when_done(self, _future: asyncio.Future[Any]) -> None:
        self._stopping = True

    def _run(self, t_end_ns: int) -> bool:
        """Run until stopped (False) or until nothing is due up to `t_end_ns` (True)."""
        self._check_closed()
        if self._running or asyncio._get_running_loop() is not None:  # noqa: SLF001
            raise RuntimeError("an event loop is running already in this thread")
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._asyncgen_started, finalizer=self._asyncgen_dropped)
        self._running = True
        self._thread_id = threading.get_ident()
        asyncio._set_running_loop(self)  # noqa: SLF001 - what BaseEventLoop does
        try:
            return self._pump(t_end_ns)
        finally:
            self._stopping = False
            self._running = False
            asyncio._set_running_loop(None)  # noqa: SLF001
            sys.set_asyncgen_hooks(*hooks)

    def _pump(self, t_end_ns: int) -> bool:  # noqa: C901 - the hot loop, unrolled on purpose
        ready = self._ready
        timers = self._timers
        next_ready = ready.popleft
        make_ready = ready.append
        while True:
            if self._failure is not None:
                self._raise_failure()
            if self._stopping:
                return False
            if not ready:
                if not timers or timers[0][0] > t_end_ns:
                    return True
                if timers[0][0] > self._now_ns:
                    self._now_ns = timers[0][0]
                    self._at_this_instant = 0
            now_ns = self._now_ns
            while timers and timers[0][0] <= now_ns:
                runnable = heappop(timers)[3]
                if runnable._cancelled:  # noqa: SLF001
                    self._timers_cancelled -= 1
                else:
                    make_ready(runnable)
            batch = len(ready)
            self._at_this_instant += batch
            if self._at_this_instant > self._max_at_one_instant:
                self._raise_livelock()
            for _ in range(batch):
                runnable = next_ready()
                if not runnable._cancelled:  # noqa: SLF001
                    runnable._run()  # noqa: SLF001

    def _raise_livelock(self) -> None:
        shown = ", ".join(repr(item) for item, _ in zip(self._ready, range(3), strict=False))
        raise SimulationLivelock(
            f"over {self._max_at_one_instant} callbacks at {self._now_ns} ns; next are {shown}"
        )

    def close(self) -> None:
        """Forget what is scheduled. `cancel_all` first, if tasks are to end in order.

        Raises:
            SimulationFailure: something failed after the last run, with nobody to hear it.
        """
        super().close()
        self._ready.clear()
        self._timers.clear()
        self._raise_failure()
