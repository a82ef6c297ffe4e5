from math import isnan

from flight.io.actuation import Actuation
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import FailingCall, Stuck


class Room:
    def __init__(self):
        self.devices = FakeDevices()
        self.bench = FakeBench(self.devices)
        self.channels, self.events = ChannelValues(), EventLog(1_000)
        self.channels.values[self.channels.index("system.hal_errors")] = 0.0
        self.well = True
        self.actuation = Actuation(self.devices, self.channels, self.events, lambda: self.well)

    def apply(self, level, *, heater=False, blind_to=(), busy_permille=0):
        frame = self.devices.snapshot()
        self.actuation.apply(
            level=level,
            level_now=None if "level" in blind_to else frame.payload_level,
            heater=heater,
            heater_now=None if "heater" in blind_to else bool(frame.heater_on),
            busy_permille=busy_permille,
            now_ns=0,
        )

    def told(self):
        found = []
        while (event := self.events.pending.take()) is not None:
            found.append((event.args["device"], event.args["kind"]))
        return found


class Counting(FakeDevices):
    calls = 0

    def set_payload_level(self, level):
        self.calls += 1
        return super().set_payload_level(level)


def test_only_changes_are_set_and_the_watchdog_hears_of_every_cycle():
    room = Room()
    room.devices = Counting()
    room.actuation._devices = room.devices
    for _ in range(5):
        room.apply(2)
    assert room.devices.calls == 1
    told = FakeBench(room.devices).read_actuators()
    assert (told.payload_level, told.watchdog_kicks) == (2, 5)


def test_the_hardware_hears_each_cycle_how_busy_the_payload_was():
    room = Room()
    for permille in (0, 250, 1000):
        room.apply(2, busy_permille=permille)
        assert room.devices.snapshot().payload_busy_permille == permille
    room.actuation.apply_blind(payload_off=False, busy_permille=70, now_ns=0)
    assert room.devices.snapshot().payload_busy_permille == 70


def test_a_jammed_actuator_is_tried_each_cycle_and_told_once():
    room = Room()
    room.bench.write_sensors(stuck=int(Stuck.PAYLOAD_LEVEL))
    for _ in range(5):
        room.apply(2)
    assert room.told() == [("payload", "READBACK")]
    room.bench.write_sensors(stuck=0)
    room.apply(2)
    assert room.bench.read_actuators().payload_level == 2
    room.bench.write_sensors(stuck=int(Stuck.PAYLOAD_LEVEL))
    room.apply(1)
    assert room.told() == [("payload", "READBACK")], "a new disagreement is a new edge"


def test_failing_calls_stop_nothing_and_are_counted_and_told_once_each():
    room = Room()
    room.bench.fail(FailingCall.PAYLOAD_LEVEL | FailingCall.HEATER | FailingCall.WATCHDOG)
    for _ in range(4):
        room.apply(2, heater=True)
    assert room.channels.get("system.hal_errors") == 12
    assert room.told() == [("payload", "IO"), ("heater", "IO"), ("watchdog", "IO")]
    room.bench.fail(0)
    room.apply(2, heater=True)
    told = room.bench.read_actuators()
    assert (told.payload_level, told.heater_on, told.watchdog_kicks) == (2, 1, 1)
    room.bench.fail(FailingCall.WATCHDOG)
    room.apply(2, heater=True)
    assert room.told() == [("watchdog", "IO")]


def test_one_failing_actuator_does_not_keep_the_other_from_its_value():
    room = Room()
    room.bench.fail(FailingCall.PAYLOAD_LEVEL)
    room.apply(2, heater=True)
    assert room.bench.read_actuators().heater_on == 1


def test_what_cannot_be_read_back_is_set_each_cycle_and_shown_as_unknown():
    room = Room()
    room.devices.set_payload_level(3)
    room.apply(0, blind_to=("level", "heater"))
    assert room.bench.read_actuators().payload_level == 0
    assert isnan(room.channels.get("governor.level_actual"))
    assert isnan(room.channels.get("battery.heater_on"))


def test_a_blind_cycle_leaves_what_is_set_or_takes_the_payload_off():
    room = Room()
    room.devices.set_payload_level(3)
    room.devices.set_heater(True)
    room.actuation.apply_blind(payload_off=False, busy_permille=0, now_ns=0)
    assert room.bench.read_actuators()[:1] == (3,)
    room.actuation.apply_blind(payload_off=True, busy_permille=0, now_ns=0)
    told = room.bench.read_actuators()
    assert (told.payload_level, told.heater_on, told.watchdog_kicks) == (0, 1, 2)
    assert isnan(room.channels.get("governor.level_actual"))


def test_while_somebody_stands_still_no_cycle_kicks_the_watchdog_and_the_actuators_are_set():
    room = Room()
    room.apply(2)
    room.well = False
    room.apply(1)
    room.actuation.apply_blind(payload_off=True, busy_permille=0, now_ns=0)
    told = room.bench.read_actuators()
    assert (told.payload_level, told.watchdog_kicks) == (0, 1)
    room.well = True
    room.apply(1)
    assert room.bench.read_actuators().watchdog_kicks == 2
    assert room.told() == []
