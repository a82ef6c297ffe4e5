"""The cycle's look at the dead-man, with a guard that the test moves."""

from types import SimpleNamespace

import pytest

from flight.io.guard_watch import REARM_CYCLES, RESTART_CYCLES, GuardWatch
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from hal.fake_devices import FakeBench, FakeDevices
from hal.guard import GuardCause, GuardState, GuardStatus, GuardWatcher
from hal.sample import SENSOR_ALL, FailingCall, HalError, HalErrorKind, SensorBit

S = 1_000_000_000


class FakeGuard:
    def __init__(self):
        self.state, self.safe, self.trips, self.thread, self.process = 0, False, 0, 1, 1
        self.thread_step, self.process_step = 10, 10
        self.arms, self.rearms, self.starts, self.runs = 0, 0, 0, True
        self.refuses = None
        self.trip_t_ns = 0

    def arm(self):
        self.arms += 1
        self.state = GuardState.ARMED

    def trip(self, t_ns, *, safe=True):
        self.state, self.safe, self.trip_t_ns = GuardState.TRIPPED, safe, t_ns
        self.trips += 1

    def rearm(self):
        if self.refuses is not None:
            raise HalError("guard.rearm", -self.refuses)
        self.rearms += 1
        self.state, self.safe = GuardState.ARMED, False

    def supervisor_runs(self):
        return self.runs

    def start_supervisor(self):
        self.starts += 1
        if self.refuses is not None:
            raise HalError("guard.supervisor", -self.refuses)
        self.runs = True

    def status(self):
        self.thread += self.thread_step
        self.process += self.process_step
        return GuardStatus(
            self.state, self.safe, GuardCause.SILENCE if self.trips else GuardCause.NONE,
            GuardWatcher.PROCESS, 20, 0, self.trip_t_ns, 0, self.trips, 0, 0, 0, self.thread,
            self.process, 0, 3,
        )  # fmt: skip


class Room:
    def __init__(self, guard=None, *, unguarded=(), refused=(), priority=0, tick_refused=()):
        self.guard = guard
        grant = SimpleNamespace(refused=tick_refused)
        self.ticks = SimpleNamespace(overruns=3, missed=1, late_max_ns=1_500_000, grant=grant)
        source = SimpleNamespace(status=lambda: self.ticks)
        self.devices = FakeDevices()
        self.bench = FakeBench(self.devices)
        self.channels, self.events, self.t = ChannelValues(), EventLog(1_000), 0
        self.clock = SimpleNamespace(offset_ns=0)
        tick = SimpleNamespace(
            source=source, guard=guard, unguarded=unguarded, refused=refused, priority=priority,
            clock=self.clock,
        )  # fmt: skip
        self.watch = GuardWatch(tick, self.devices, self.channels, self.events)

    def cycles(self, count=1):
        for _ in range(count):
            self.t += 1
            self.watch.step(self.t * S)

    def told(self):
        found = []
        while (event := self.events.pending.take()) is not None:
            found.append((event.name, event.args))
        return found

    def names(self):
        return [name for name, _ in self.told()]


@pytest.fixture
def room():
    return Room(FakeGuard())


def test_the_first_cycle_arms_the_guard_and_the_later_ones_leave_it_alone(room):
    room.cycles(10)
    assert room.guard.arms == 1
    assert room.told() == []
    assert not room.watch.tripped
    assert room.channels.get("guard.watchers") == 2
    assert room.channels.get("guard.trips") == 0
    assert room.channels.get("guard.tripped") == 0


def test_what_the_tick_counts_is_in_telemetry(room):
    room.cycles()
    assert room.channels.get("tick.overruns") == 3
    assert room.channels.get("tick.missed") == 1
    assert room.channels.get("tick.lateness_max_us") == 1500.0


def test_a_trip_is_told_once_and_stands_until_the_hardware_has_been_off_for_some_cycles(room):
    room.cycles(3)
    room.guard.trip(room.t * S)
    room.cycles(REARM_CYCLES - 1)
    assert room.watch.tripped
    assert room.channels.get("guard.tripped") == 1
    ((name, args),) = room.told()
    assert name == "GUARD_TRIPPED"
    assert args == {"watcher": "process", "cause": "no sign of life", "ticks": 20}
    room.cycles()
    assert not room.watch.tripped
    assert (room.guard.rearms, room.channels.get("guard.tripped")) == (1, 0)
    assert room.told() == [("GUARD_REARMED", {"seconds": float(REARM_CYCLES)})]
    assert room.channels.get("guard.trips") == 1


def test_how_long_a_trip_stood_is_told_whatever_mission_time_is_ahead_of_the_machine(room):
    ahead_s = 86_400
    room.clock.offset_ns, room.t = ahead_s * S, ahead_s
    room.cycles(3)
    room.guard.trip(room.t * S - room.clock.offset_ns)
    room.cycles(REARM_CYCLES)
    assert room.told()[-1] == ("GUARD_REARMED", {"seconds": float(REARM_CYCLES)})


@pytest.mark.parametrize("switch", ["set_payload_level", "set_laser"])
def test_hardware_that_reads_as_on_keeps_the_guard_from_being_armed_again(room, switch):
    room.cycles()
    getattr(room.devices, switch)(1)
    room.guard.trip(room.t * S)
    room.cycles(50)
    assert room.watch.tripped
    getattr(room.devices, switch)(0)
    room.cycles(REARM_CYCLES)
    assert not room.watch.tripped


def test_one_cycle_that_finds_it_on_or_cannot_read_it_starts_the_count_anew(room):
    room.cycles()
    room.guard.trip(room.t * S)
    for disturb, heal in (
        (lambda: room.devices.set_laser(True), lambda: room.devices.set_laser(False)),
        (lambda: room.bench.fail(FailingCall.SNAPSHOT), lambda: room.bench.fail(0)),
    ):
        room.cycles(REARM_CYCLES - 1)
        disturb()
        room.cycles()
        heal()
        room.cycles(REARM_CYCLES - 1)
        assert room.watch.tripped
        disturb()
        room.cycles()
        heal()
    room.cycles(REARM_CYCLES)
    assert not room.watch.tripped


def test_a_board_without_a_terminal_is_armed_again_all_the_same(room):
    room.bench.write_sensors(valid=SENSOR_ALL & ~SensorBit.LASER_ON)
    room.cycles()
    room.guard.trip(room.t * S)
    room.cycles(REARM_CYCLES)
    assert not room.watch.tripped


def test_what_was_not_made_safe_in_full_is_not_armed_again(room):
    room.cycles()
    room.guard.trip(room.t * S, safe=False)
    room.cycles(20)
    assert room.watch.tripped
    room.guard.safe = True
    room.cycles(REARM_CYCLES)
    assert not room.watch.tripped


def test_a_terminal_that_keeps_its_inhibit_is_told_once_and_asked_every_cycle(room):
    room.cycles()
    room.guard.trip(room.t * S)
    room.guard.refuses = HalErrorKind.TIMEOUT
    room.cycles(20)
    assert room.names() == ["GUARD_TRIPPED", "HAL_FAILED"]
    assert room.watch.tripped
    room.guard.refuses = None
    room.cycles()
    assert not room.watch.tripped


def test_each_trip_is_an_event_of_its_own(room):
    room.cycles()
    for _ in range(3):
        room.guard.trip(room.t * S)
        room.cycles(REARM_CYCLES)
    assert room.names() == ["GUARD_TRIPPED", "GUARD_REARMED"] * 3
    assert room.channels.get("guard.trips") == 3


def test_a_lost_watcher_is_told_once_and_its_process_started_again_at_long_intervals(room):
    room.cycles(3)
    room.guard.process_step, room.guard.runs = 0, False
    room.cycles()
    assert room.told() == [("GUARD_DEGRADED", {"reason": "watcher lost: process"})]
    assert room.channels.get("guard.watchers") == 1
    room.guard.refuses = HalErrorKind.BUSY
    room.cycles(2 * RESTART_CYCLES)
    assert room.guard.starts == 2
    assert room.told() == []
    room.guard.refuses = None
    room.cycles(RESTART_CYCLES)
    assert (room.guard.starts, room.guard.runs) == (3, True)
    room.guard.process_step = 10
    room.cycles()
    assert room.channels.get("guard.watchers") == 2


def test_a_thread_that_stands_is_told_and_cannot_be_helped(room):
    room.cycles(3)
    room.guard.thread_step = 0
    room.cycles(2 * RESTART_CYCLES)
    assert room.told() == [("GUARD_DEGRADED", {"reason": "watcher lost: thread"})]
    assert room.guard.starts == 0


def test_what_was_refused_at_the_start_is_told_in_the_first_cycle():
    room = Room(unguarded=["no way"], refused=["loop: SCHED_FIFO: not you"])
    room.cycles(5)
    assert room.told() == [
        ("GUARD_DEGRADED", {"reason": "no way"}),
        ("REALTIME_REFUSED", {"wish": "loop: SCHED_FIFO: not you"}),
    ]
    assert room.channels.get("tick.overruns") == 3
    assert not room.watch.tripped


def test_each_thread_and_process_that_runs_below_its_priority_is_named():
    room = Room(FakeGuard(), priority=55, tick_refused=["SCHED_FIFO: not you"])
    room.cycles(5)
    assert room.told() == [
        ("REALTIME_REFUSED", {"wish": "tick: SCHED_FIFO: not you"}),
        ("REALTIME_REFUSED", {"wish": "supervisor: SCHED_FIFO"}),
    ]
