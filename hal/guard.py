"""The dead-man of native/include/guard.h: no sign of life, and payload and laser go off without us.

Two watchers count the ticks without a check-in: the tick's thread (`TickSource` with the same
devices) and, once started, the process `lumenode-guard`, which goes on when this one is stopped or
dead. Only `rearm` ends a trip.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hal.native_library import ffi, lib
from hal.sample import HalError
from hal.shared_memory import SharedMemory

if TYPE_CHECKING:
    from hal.native_devices import NativeDevices

PROGRAM = Path(__file__).resolve().with_name("lumenode-guard")
"""Built beside the extension."""

LIMIT_TICKS_MAX: int = lib.GUARD_TICKS_MAX


class GuardState(IntEnum):
    """What the guard does."""

    DISARMED = 0
    ARMED = 1
    TRIPPED = 2


class GuardCause(IntEnum):
    """Why it tripped last."""

    NONE = 0
    SILENCE = 1
    DEATH = 2


class GuardWatcher(IntEnum):
    """Who tripped last."""

    THREAD = 0
    PROCESS = 1
    NOBODY = 0xFFFFFFFF


class GuardStatus(NamedTuple):
    """`struct guard_status`; meanings in guard.h."""

    state: GuardState
    safe: bool
    cause: GuardCause
    watcher: GuardWatcher
    silent_ticks: int
    error: int
    trip_t_ns: int
    trip_tick: int
    trips: int
    acts: int
    steps_failed: int
    check_ins: int
    thread_ticks: int
    process_ticks: int
    process_priority: int
    plan_steps: int


class Guard:
    """The guard of one device, in shared memory; made disarmed.

    Raises `HalError`: RANGE for a configuration out of bounds, UNSUPPORTED for a backend that
    cannot be made safe from outside. `devices` must outlive it, every watcher must have ended
    before `devices` close.
    """

    def __init__(
        self, devices: NativeDevices, *, period_ns: int, limit_ticks: int, priority: int = 0
    ) -> None:
        self._devices = devices
        self._memory = SharedMemory("lumenode-guard", lib.GUARD_BYTES)
        self._guard = ffi.cast("struct guard *", self._memory.pointer)
        self._supervisor = ffi.new("struct guard_supervisor *")
        self._status = ffi.new("struct guard_status *")
        config = ffi.new("struct guard_config *")
        config.period_ns, config.limit_ticks, config.priority = period_ns, limit_ticks, priority
        try:
            self._check(lib.guard_init(self._guard, config), "init")
            devices.attach_guard(self._guard, self._memory)
        except HalError:
            self._memory.close()
            raise
        self._open = True

    def _check(self, code: int, call: str) -> int:
        if code < 0:
            raise HalError(f"guard.{call}", code)
        return code

    @property
    def fd(self) -> int:
        """The guard's page, for whoever else wants to look at it."""
        return self._memory.fd

    def start_supervisor(self, program: Path = PROGRAM) -> None:
        """Start the watcher's process. Raises `HalError`: NODEV, PERM, BUSY, STATE."""
        name = ffi.new("char[]", str(program).encode())
        config = ffi.new("struct guard_supervisor_config *")
        config.program, config.guard, config.guard_fd = name, self._guard, self._memory.fd
        config.data_fd, config.data_offset = self._devices.arena.fd, self._devices.data_offset
        self._check(lib.guard_supervisor_start(self._supervisor, config), "supervisor")

    def supervisor_runs(self) -> bool:
        """Whether the watcher's process is there."""
        return bool(self._check(lib.guard_supervisor_runs(self._supervisor), "supervisor"))

    def arm(self) -> None:
        """Begin the watch. Raises `HalError` of kind STATE while tripped."""
        self._check(lib.guard_arm(self._guard), "arm")

    def check_in(self) -> None:
        """Say that the flight software is alive."""
        lib.guard_check_in(self._guard)

    def rearm(self) -> None:
        """End a trip, after payload and laser have been read back as off.

        Raises `HalError`: STATE when not tripped, BUSY while the device is not yet safe in full,
        and what a terminal answers that does not take the end of its inhibit.
        """
        self._check(lib.hal_rearm_guard(self._devices.handle), "rearm")

    def disarm(self) -> None:
        """End the watch: an orderly end."""
        self._check(lib.guard_disarm(self._guard), "disarm")

    def status(self) -> GuardStatus:
        """What it does and what it did."""
        status = self._status
        self._check(lib.guard_read_status(self._guard, status), "status")
        return GuardStatus(
            GuardState(status.state), bool(status.safe), GuardCause(status.cause),
            GuardWatcher(status.watcher), status.silent_ticks, status.error, status.trip_t_ns,
            status.trip_tick, status.trips, status.acts, status.steps_failed, status.check_ins,
            status.thread_ticks, status.process_ticks, status.process_priority, status.plan_steps,
        )  # fmt: skip

    def close(self) -> None:
        """Disarm, end the watcher's process, give the memory back; the tick was stopped before.

        Nothing may be called afterwards but this.
        """
        if self._open:
            self._open = False
            lib.guard_disarm(self._guard)
            lib.guard_supervisor_stop(self._supervisor)
            self._devices.attach_guard(ffi.NULL, None)
            self._memory.close()
