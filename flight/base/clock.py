"""The only door to time: monotonic integer nanoseconds for deadlines, UTC as a label.

Hop: under all three flows. `LoopClock` adapts whichever event loop runs: a virtual one that tells
exact nanoseconds (it has `time_ns` and `at`), or a real one, where the clock is the operating
system's monotonic clock. Deadlines are absolute, so nothing drifts.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol, final

_NS_PER_S: Final = 1_000_000_000


class Clock(Protocol):
    """What flight code may know of time."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds; never steps, means nothing to other machines."""
        ...

    def sleep_until(self, t_ns: int, /) -> Awaitable[None]:
        """Await to be woken at `t_ns`, never before it.

        If `t_ns` is past, the wait ends at this instant, after giving way once to whatever else
        is ready: a loop that fell behind cannot starve the others.
        """
        ...


@final
class LoopClock:
    """`Clock` on a running event loop, real or virtual.

    Args:
        loop: the loop to tell time by; the running one if left out.
        offset_ns: what this clock is ahead of a real loop's: mission time goes on where it was
            when the machine's clock begins anew. A virtual loop's time is mission time itself.

    Attributes:
        offset_ns: as it is in force.
    """

    __slots__ = ("now_ns", "offset_ns", "sleep_until")

    now_ns: Callable[[], int]
    sleep_until: Callable[[int], Awaitable[None]]

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, offset_ns: int = 0) -> None:
        chosen = asyncio.get_running_loop() if loop is None else loop
        virtual_now = getattr(chosen, "time_ns", None)
        virtual_at = getattr(chosen, "at", None)
        if virtual_now is not None and virtual_at is not None:
            self.offset_ns = 0
            self.now_ns = virtual_now
            self.sleep_until = virtual_at
        else:
            self.offset_ns = offset_ns
            self.now_ns = (
                (lambda: time.monotonic_ns() + offset_ns) if offset_ns else (time.monotonic_ns)
            )
            self.sleep_until = _RealSleep(chosen, offset_ns)


@final
class _RealSleep:
    """`sleep_until` on a loop that counts in float seconds from an epoch of its own."""

    __slots__ = ("_loop", "_offset_ns")

    def __init__(self, loop: asyncio.AbstractEventLoop, offset_ns: int) -> None:
        self._loop = loop
        self._offset_ns = offset_ns

    async def __call__(self, t_ns: int) -> None:
        """Wait for `t_ns`; a float deadline may ring nanoseconds early, so look again."""
        t_ns -= self._offset_ns
        left_ns = t_ns - time.monotonic_ns()
        await self._ring_in(max(left_ns, 0))
        while (left_ns := t_ns - time.monotonic_ns()) > 0:
            await self._ring_in(left_ns)

    async def _ring_in(self, left_ns: int) -> None:
        rung = self._loop.create_future()

        def wake() -> None:
            if not rung.done():
                rung.set_result(None)

        handle = self._loop.call_at(self._loop.time() + left_ns / _NS_PER_S, wake)
        try:
            await rung
        finally:
            handle.cancel()


class UtcQuality(IntEnum):
    """How far UTC may be trusted; travels with every time stamp that leaves the node."""

    UNSET = 0  # never told
    COARSE = 1  # the host's clock, or a hand-set time
    FLYWHEEL = 2  # was synchronised, runs on alone
    SYNCHRONISED = 3  # tied to a time source within its validity


@dataclass(frozen=True, slots=True)
class UtcCorrelation:
    """UTC as monotonic time plus an offset. A step of UTC is a new value; deadlines never see it.

    Attributes:
        offset_ns: Unix time minus monotonic time.
        quality: of the offset, when it was set.
        set_at_ns: monotonic time at which the offset was learnt.
    """

    offset_ns: int = 0
    quality: UtcQuality = UtcQuality.UNSET
    set_at_ns: int = 0

    def utc_ns(self, mono_ns: int) -> int:
        """Unix nanoseconds (no leap seconds, as Unix counts) of a monotonic time."""
        return mono_ns + self.offset_ns

    def mono_ns(self, utc_ns: int) -> int:
        """The monotonic time of a UTC label, for turning an absolute command into a deadline."""
        return utc_ns - self.offset_ns

    def quality_at(self, now_ns: int, holdover_ns: int) -> UtcQuality:
        """SYNCHRONISED decays to FLYWHEEL once it is older than `holdover_ns`."""
        if self.quality is UtcQuality.SYNCHRONISED and now_ns - self.set_at_ns > holdover_ns:
            return UtcQuality.FLYWHEEL
        return self.quality


def correlate(*, utc_ns: int, now_ns: int, quality: UtcQuality) -> UtcCorrelation:
    """The correlation of one observed pair of times."""
    return UtcCorrelation(offset_ns=utc_ns - now_ns, quality=quality, set_at_ns=now_ns)


def host_correlation(offset_ns: int = 0) -> UtcCorrelation:
    """What the host's own clock says: COARSE, as nothing vouches for it.

    Only a composition root on real hardware calls this; in simulation the scenario gives the pair.
    `offset_ns` is what mission time is ahead of the machine's clock.
    """
    now_ns = time.monotonic_ns() + offset_ns
    return correlate(utc_ns=time.time_ns(), now_ns=now_ns, quality=UtcQuality.COARSE)


def host_resolution_ns() -> int:
    """The smallest step of the host's monotonic clock, at least 1, for a look at the machine."""
    return max(1, round(time.get_clock_info("monotonic").resolution * _NS_PER_S))


_TIMEX_BYTES = 256
_TIMEX_MAXERROR, _TIMEX_STATUS = 24, 40
_STA_UNSYNC = 0x40
"""`struct timex` of adjtimex(2) on a 64-bit Linux: more bytes than it has, two of its fields."""


def host_synchronisation() -> tuple[bool | None, int]:
    """Whether a time source holds the host's clock, and its largest error in microseconds.

    The kernel's own word (adjtimex, which changes nothing in this mode); None when there is none.
    """
    import ctypes  # noqa: PLC0415  a look at the machine is not worth it in every flight

    words = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = ctypes.CDLL(None).adjtimex(words)
    except (AttributeError, OSError):
        return None, 0
    if state < 0 or ctypes.sizeof(ctypes.c_long) != 8:
        return None, 0
    error_us = int.from_bytes(words.raw[_TIMEX_MAXERROR : _TIMEX_MAXERROR + 8], sys.byteorder)
    status = int.from_bytes(words.raw[_TIMEX_STATUS : _TIMEX_STATUS + 4], sys.byteorder)
    return not status & _STA_UNSYNC, error_us
