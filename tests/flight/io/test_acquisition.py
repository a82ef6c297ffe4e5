from dataclasses import replace
from math import isnan

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.io.acquisition import _FIELDS, Acquisition
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog
from hal.fake_devices import FakeBench, FakeDevices
from hal.sample import SENSOR_ALL, FailingCall, HalErrorKind, SensorBit

SENSORS = [(name, bit, channel) for name, bit, channel in _FIELDS]
NAMES = (
    "array_w", "bus_w", "battery_v", "battery_a", "battery_c", "payload_w", "laser_w", "die_c",
    "sink_c", "radiator_c", "terminal_c", "sun_fraction", "rx_power_dbm",
)  # fmt: skip


class Room:
    def __init__(self):
        self.devices = FakeDevices()
        self.bench = FakeBench(self.devices)
        self.channels, self.events = ChannelValues(), EventLog(1_000)
        self.acquisition = Acquisition(self.devices, self.channels, self.events)

    def told(self):
        found = []
        while (event := self.events.pending.take()) is not None:
            found.append((event.name, event.args))
        return found


@settings(deadline=None, max_examples=100)
@given(st.lists(st.booleans(), min_size=13, max_size=13), st.integers(-(2**31), 2**31 - 1))
def test_an_invalid_field_never_becomes_a_number(valid_fields, garbage):
    room = Room()
    valid = int(SENSOR_ALL)
    for (_, bit, _), good in zip(SENSORS, valid_fields, strict=True):
        valid &= valid if good else ~int(bit)
    room.bench.write_sensors(valid=valid, **{name: garbage for name, _, _ in SENSORS})
    readings = room.acquisition.acquire(0)
    for field, (_, _, channel), good in zip(NAMES, SENSORS, valid_fields, strict=True):
        value = getattr(readings, field)
        assert value == garbage * 1e-3 if good else value is None
        if channel is not None:
            shown = room.channels.get(channel)
            assert shown == garbage * 1e-3 if good else isnan(shown)
    assert room.channels.get("system.invalid_sensors") == valid_fields.count(False)


def test_readings_are_in_si_units():
    room = Room()
    room.bench.write_sensors(array_mw=61_500, battery_ma=-2_500, die_mdegc=41_250, sun_permille=870)
    readings = room.acquisition.acquire(0)
    assert (readings.array_w, readings.battery_a) == (61.5, -2.5)
    assert (readings.die_c, readings.sun_fraction) == (41.25, 0.87)


def test_a_read_back_that_is_not_valid_is_not_a_level():
    room = Room()
    room.devices.set_payload_level(3)
    assert room.acquisition.acquire(0).payload_level == 3
    assert room.acquisition.acquire(0).heater_on is False
    room.bench.write_sensors(valid=SENSOR_ALL & ~SensorBit.PAYLOAD_LEVEL & ~SensorBit.HEATER_ON)
    readings = room.acquisition.acquire(0)
    assert readings.payload_level is None
    assert readings.heater_on is None


def test_a_lost_sensor_is_told_once_and_again_only_after_it_came_back():
    room = Room()
    for t in range(3):
        room.bench.write_sensors(valid=SENSOR_ALL & ~SensorBit.BATTERY_I)
        room.acquisition.acquire(t)
    assert room.told() == [("SENSOR_STALE", {"channel": "battery.current_a"})]
    room.bench.write_sensors(valid=SENSOR_ALL)
    room.acquisition.acquire(3)
    room.bench.write_sensors(valid=SENSOR_ALL & ~SensorBit.BATTERY_I)
    room.acquisition.acquire(4)
    assert len(room.told()) == 1


def test_without_a_snapshot_no_channel_keeps_an_old_value():
    room = Room()
    room.acquisition.acquire(0)
    assert room.channels.get("thermal.die_c") == 24.0
    room.bench.fail(FailingCall.SNAPSHOT, HalErrorKind.TIMEOUT)
    for t in range(1, 4):
        assert room.acquisition.acquire(t) is None
    assert isnan(room.channels.get("thermal.die_c"))
    assert isnan(room.channels.get("power.array_w"))
    assert room.channels.get("system.hal_errors") == 3
    assert room.channels.get("system.invalid_sensors") == len(SENSORS)
    assert room.told() == [("HAL_FAILED", {"device": "fake.snapshot", "kind": "TIMEOUT"})]
    room.bench.fail(0)
    assert room.acquisition.acquire(5).die_c == 24.0
    assert room.channels.get("system.invalid_sensors") == 0
    assert not isnan(room.channels.get("battery.voltage_v"))


def test_a_payload_s_power_that_was_computed_is_not_measured():
    room = Room()
    room.bench.write_sensors(payload_mw=7_500)
    measured = room.acquisition.acquire(0)
    assert measured.payload_measured_w == 7.5
    guessed = msgspec.structs.replace(measured.frame, estimated=int(SensorBit.PAYLOAD))
    assert replace(measured, frame=guessed).payload_measured_w is None
    room.bench.write_sensors(valid=SENSOR_ALL & ~SensorBit.PAYLOAD)
    assert room.acquisition.acquire(0).payload_measured_w is None


def test_a_beam_is_known_by_what_the_terminal_draws_and_by_no_estimate_of_it():
    room = Room()
    for draws_mw, lit in ((0, False), (10_999, False), (11_000, True), (22_000, True)):
        room.bench.write_sensors(laser_mw=draws_mw)
        assert room.acquisition.acquire(0).beam_lit(11.0) is lit
    room.bench.write_sensors(valid=SENSOR_ALL & ~SensorBit.LASER)
    assert room.acquisition.acquire(0).beam_lit(11.0) is None
    room.bench.write_sensors(valid=SENSOR_ALL)
    measured = room.acquisition.acquire(0)
    guessed = msgspec.structs.replace(measured.frame, estimated=int(SensorBit.LASER))
    assert replace(measured, frame=guessed).beam_lit(11.0) is None
