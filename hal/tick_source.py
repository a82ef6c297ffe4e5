"""The tick that everything periodic goes by, and the scheduler's favour: native/include/tick.h.

A thread in C wakes at whole multiples of its period and adds to an eventfd, which an event loop
waits on. What is late or refused stands in the status; nothing here hides it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from hal.native_library import ffi, lib
from hal.sample import HalError

if TYPE_CHECKING:
    from hal.native_devices import NativeDevices

PERIOD_NS_MIN: int = lib.TICK_PERIOD_NS_MIN
PERIOD_NS_MAX: int = lib.TICK_PERIOD_NS_MAX


class RealtimeGrant(NamedTuple):
    """What a thread got of what it asked of the scheduler.

    Attributes:
        priority: SCHED_FIFO in force; 0 is an ordinary thread.
        locked_bytes: of memory that is not paged out.
        refused: one entry a wish that was not granted, with the operating system's reason.
    """

    priority: int
    locked_bytes: int
    refused: tuple[str, ...]


class TickStatus(NamedTuple):
    """Since the start; meanings in tick.h."""

    ticks: int
    missed: int
    taken: int
    overruns: int
    late_max_ns: int
    late: tuple[int, ...]
    grant: RealtimeGrant


def _grant(told: Any, cpu_mask: int) -> RealtimeGrant:
    wishes = (
        ("SCHED_FIFO", told.priority_errno),
        (f"processors {cpu_mask:#x}", told.cpu_errno),
        ("locked memory", told.lock_errno),
    )
    refused = tuple(f"{wish}: {os.strerror(errno)}" for wish, errno in wishes if errno)
    return RealtimeGrant(told.priority, told.locked_bytes, refused)


def enter_realtime(
    *, priority: int = 0, cpu_mask: int = 0, lock: NativeDevices | None = None
) -> RealtimeGrant:
    """Make the calling thread one that runs in time; the arena of `lock` stays in memory.

    Threads and processes it starts afterwards are ordinary again. Raises `HalError` of kind RANGE
    for a priority that does not exist; what the system refuses is in the answer.
    """
    wish = ffi.new("struct rt_wish *")
    grant = ffi.new("struct rt_grant *")
    wish.priority, wish.cpu_mask = priority, cpu_mask
    if lock is not None:
        wish.lock, wish.lock_bytes = lock.arena.pointer, lock.arena.size_bytes
    code = lib.rt_enter(wish, grant)
    if code not in (lib.HAL_OK, lib.HAL_E_PERM):
        raise HalError("realtime.enter", code)
    return _grant(grant, cpu_mask)


def utc_synchronised() -> bool:
    """Whether a time source holds the machine's wall clock, by the kernel's own word."""
    return bool(lib.tick_utc_synchronised())


class TickSource:
    """A tick every `period_ns`, from `start` to `stop`; looks at the guard of `devices`.

    Raises `HalError`: RANGE for a configuration out of bounds, BUSY without a thread or a
    descriptor left, STATE for a call that needs it running.
    """

    def __init__(
        self,
        period_ns: int,
        *,
        priority: int = 0,
        cpu_mask: int = 0,
        devices: NativeDevices | None = None,
    ) -> None:
        self.period_ns = period_ns
        self._devices = devices  # C keeps a pointer to it
        self._config = ffi.new("struct tick_config *")
        self._config.period_ns = period_ns
        self._config.priority, self._config.cpu_mask = priority, cpu_mask
        if devices is not None:
            self._config.device = devices.handle
        self._source = ffi.new("struct tick_source *")
        self._due_ns = ffi.new("uint64_t *")
        self._status = ffi.new("struct tick_status *")

    def _check(self, code: int, call: str) -> int:
        if code < 0:
            raise HalError(f"tick.{call}", code)
        return code

    def start(self) -> None:
        """Start the thread; the first tick is the next whole multiple of the period."""
        self._check(lib.tick_source_start(self._source, self._config), "start")

    def stop(self) -> None:
        """End the thread, within a period. Twice is allowed."""
        lib.tick_source_stop(self._source)

    def fileno(self) -> int:
        """The descriptor that is readable while a tick waits."""
        return self._check(lib.tick_source_descriptor(self._source), "descriptor")

    def take(self) -> tuple[int, int]:
        """Ticks since the last call, 0 for none, and when the newest was due, ns."""
        count = self._check(lib.tick_take(self._source, self._due_ns), "take")
        return count, self._due_ns[0]

    def status(self) -> TickStatus:
        """What was late and what was missed."""
        status = self._status
        self._check(lib.tick_read_status(self._source, status), "status")
        return TickStatus(
            status.ticks, status.missed, status.taken, status.overruns, status.late_max_ns,
            tuple(status.late), _grant(status.grant, self._config.cpu_mask),
        )  # fmt: skip
