"""The dead-man as Python meets it: the real watchers, on a simulated device."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hal import guard as face
from hal.guard import Guard, GuardCause, GuardState, GuardStatus, GuardWatcher
from hal.native_devices import NativeDevices
from hal.native_library import ffi, lib
from hal.sample import HalConfig, HalError, HalErrorKind
from hal.terminal_registers import TermRegister
from hal.tick_source import TickSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PERIOD_NS = 2_000_000
LIMIT = 5
PATIENCE_S = 120
SMALL = HalConfig(tx_fifo_frames=1, rx_fifo_frames=1, max_frame_bytes=100)


@pytest.fixture
def devices() -> Iterator[NativeDevices]:
    devices = NativeDevices("sim", SMALL, shared=True)
    yield devices
    devices.close()


@pytest.fixture
def guard(devices: NativeDevices) -> Iterator[Guard]:
    guard = Guard(devices, period_ns=PERIOD_NS, limit_ticks=LIMIT)
    yield guard
    guard.close()


def until(holds: Callable[[], bool]) -> None:
    """How long it takes is the machine's business; that it comes is ours."""
    give_up = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < give_up, "it did not come"
        time.sleep(0.001)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def kind_of(call: Callable[[], object]) -> HalErrorKind:
    with pytest.raises(HalError) as caught:
        call()
    return caught.value.kind


def switch_everything_on(devices: NativeDevices) -> None:
    assert devices.set_payload_level(3) == 3
    assert devices.point_terminal(7) == 7
    assert devices.set_laser(True) == 1


def test_every_number_and_field_equals_its_twin_in_the_c_header() -> None:
    for enum, prefix in ((GuardState, ""), (GuardCause, "CAUSE_")):
        for member in enum:
            assert getattr(lib, f"GUARD_{prefix}{member.name}") == member.value
    assert (lib.GUARD_THREAD, lib.GUARD_PROCESS) == (GuardWatcher.THREAD, GuardWatcher.PROCESS)
    assert lib.GUARD_NO_WATCHER == GuardWatcher.NOBODY
    in_c = [name for name, _ in ffi.typeof("struct guard_status").fields]
    assert tuple(in_c) == GuardStatus._fields


def test_a_new_guard_watches_nothing_and_has_a_plan(guard: Guard) -> None:
    status = guard.status()
    assert (status.state, status.trips, status.plan_steps) == (GuardState.DISARMED, 0, 3)
    assert (status.cause, status.watcher) == (GuardCause.NONE, GuardWatcher.NOBODY)
    assert not guard.supervisor_runs()


def test_the_process_beside_makes_a_silent_node_safe_and_nothing_goes_on_until_it_is_armed_again(
    devices: NativeDevices, guard: Guard
) -> None:
    switch_everything_on(devices)
    guard.start_supervisor()
    guard.arm()
    until(lambda: guard.status().safe)
    status = guard.status()
    assert (status.state, status.cause) == (GuardState.TRIPPED, GuardCause.SILENCE)
    assert (status.watcher, status.silent_ticks) == (GuardWatcher.PROCESS, LIMIT)
    assert (status.trips, status.acts, status.steps_failed) == (1, 1, 0)
    frame = devices.snapshot()
    assert (frame.payload_level, frame.laser_on, frame.target_id) == (0, 0, 7)
    assert devices.read_registers(TermRegister.INHIBIT, 1) == [1]
    assert kind_of(lambda: devices.set_payload_level(1)) is HalErrorKind.INHIBITED
    assert kind_of(lambda: devices.set_laser(True)) is HalErrorKind.INHIBITED
    assert (
        kind_of(lambda: devices.write_register(TermRegister.INHIBIT, 0)) is HalErrorKind.INHIBITED
    )
    assert devices.counters().setters_inhibited == 3
    assert kind_of(guard.arm) is HalErrorKind.STATE
    assert devices.set_laser(False) == 0
    guard.rearm()
    guard.disarm()
    assert devices.read_registers(TermRegister.INHIBIT, 1) == [0]
    switch_everything_on(devices)


def test_the_ticks_thread_makes_a_silent_node_safe_without_a_process(
    devices: NativeDevices, guard: Guard
) -> None:
    switch_everything_on(devices)
    source = TickSource(PERIOD_NS, devices=devices)
    source.start()
    guard.arm()
    until(lambda: guard.status().safe)
    source.stop()
    assert guard.status().watcher is GuardWatcher.THREAD
    assert devices.snapshot().payload_level == 0


def test_both_watchers_together_act_once(devices: NativeDevices, guard: Guard) -> None:
    source = TickSource(PERIOD_NS, devices=devices)
    source.start()
    guard.start_supervisor()
    guard.arm()
    until(lambda: guard.status().safe)
    seen = guard.status()
    until(lambda: guard.status().thread_ticks > seen.thread_ticks + 2 * LIMIT)
    until(lambda: guard.status().process_ticks > seen.process_ticks + 2 * LIMIT)
    source.stop()
    assert (guard.status().trips, guard.status().acts) == (1, 1)


def test_who_checks_in_keeps_everything(devices: NativeDevices, guard: Guard) -> None:
    switch_everything_on(devices)
    guard.check_in()
    assert guard.status().check_ins == 1
    assert kind_of(guard.rearm) is HalErrorKind.STATE
    assert devices.snapshot().payload_level == 3


def test_a_lost_supervisor_is_seen_and_another_one_can_be_started(guard: Guard) -> None:
    guard.start_supervisor()
    assert kind_of(guard.start_supervisor) is HalErrorKind.STATE
    os.kill(guard._supervisor.pid, 9)
    until(lambda: not guard.supervisor_runs())
    guard.start_supervisor()
    assert guard.supervisor_runs()


def test_a_supervisor_that_could_not_reach_the_device_does_not_stay() -> None:
    devices = NativeDevices("sim", SMALL)  # its arena is nobody else's
    guard = Guard(devices, period_ns=PERIOD_NS, limit_ticks=LIMIT)
    guard.start_supervisor()
    until(lambda: not guard.supervisor_runs())
    guard.close()
    devices.close()


def test_a_program_that_is_not_there_is_an_error_and_no_half_start(guard: Guard) -> None:
    assert kind_of(lambda: guard.start_supervisor(Path("/nowhere/guard"))) is HalErrorKind.NODEV
    assert not guard.supervisor_runs()
    assert face.PROGRAM.is_file()


@pytest.mark.parametrize(
    ("limit_ticks", "period_ns", "priority"),
    [(0, PERIOD_NS, 0), (face.LIMIT_TICKS_MAX + 1, PERIOD_NS, 0), (1, 1, 0), (1, PERIOD_NS, 100)],
)
def test_a_configuration_out_of_bounds_makes_no_guard_and_leaves_nothing(
    devices: NativeDevices, limit_ticks: int, period_ns: int, priority: int
) -> None:
    before = open_files()
    made = lambda: Guard(devices, period_ns=period_ns, limit_ticks=limit_ticks, priority=priority)
    assert kind_of(made) is HalErrorKind.RANGE
    assert open_files() == before
    assert devices.set_laser(True) == 1


def test_a_closed_guard_leaves_nothing_behind_and_the_devices_free() -> None:
    before = open_files()
    devices = NativeDevices("sim", SMALL, shared=True)
    guard = Guard(devices, period_ns=PERIOD_NS, limit_ticks=1)
    guard.start_supervisor()
    guard.arm()
    until(lambda: guard.status().state is GuardState.TRIPPED)
    guard.close()
    guard.close()
    assert devices.set_payload_level(3) == 3
    devices.close()
    devices.close()
    assert open_files() == before
