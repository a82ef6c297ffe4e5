"""The composed control cycle on fake hardware: no bench, no clock, every fault by hand."""

from math import isnan

import pytest
from cycle_on_fakes import HEALTHY, ORBIT, PROFILE, UTC_NS, Node, S, computing, drained
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.config import NodeConfig, SensorsConfig, load_profile
from flight.fdir.safety_tables import BLIND_CYCLES_MAX
from flight.io.absent_sensors import FIELDS
from flight.node_status import Wishes
from flight.telemetry.definitions import Mode, ThrottleReason
from hal.sample import SENSOR_ALL, FailingCall, HalErrorKind, SensorBit, Stuck


def test_a_healthy_node_boots_computes_and_says_so():
    node = computing()
    assert node.channels.get("mode.current") == Mode.COMPUTE
    assert node.channels.get("governor.throttle_reason") == ThrottleReason.NONE
    assert [change["new"] for change in node.told("MODE_CHANGED")] == ["IDLE", "COMPUTE"]


def test_with_two_actuators_failing_the_cycle_goes_on_and_the_mode_still_answers():
    node = computing()
    node.bench.fail(FailingCall.PAYLOAD_LEVEL | FailingCall.HEATER | FailingCall.WATCHDOG)
    cold = node.fly(30, battery_mdegc=2_000)
    assert cold.now_ns == node.t * S
    assert node.channels.get("system.cycles") == node.t
    assert node.fly(8, Wishes(mode=Mode.SAFE)).mode is Mode.SAFE
    assert len(node.told("HAL_FAILED")) == 3
    node.bench.fail(0)
    node.fly(2)
    assert node.level == 0
    assert node.bench.read_actuators().heater_on == 1


def test_a_jammed_payload_is_shown_as_it_is_and_not_as_it_was_asked():
    node = computing()
    node.bench.write_sensors(stuck=int(Stuck.PAYLOAD_LEVEL))
    node.fly(10, Wishes(inference_enabled=False))
    assert node.channels.get("governor.level") == 0
    assert node.channels.get("governor.level_actual") == PROFILE.top


@settings(deadline=None, max_examples=60)
@given(
    st.sets(st.sampled_from([b for b in SensorBit if b is not SensorBit.UTC]), max_size=6),
    st.sampled_from([-(2**31), -1, 0, 1, 2**31 - 1]),
)
def test_garbage_behind_a_clear_validity_bit_changes_nothing(lost, garbage):
    """Two nodes that differ only in what the invalid fields hold must decide alike."""
    fields = {
        SensorBit.ARRAY: "array_mw", SensorBit.BUS: "bus_mw", SensorBit.BATTERY_V: "battery_mv",
        SensorBit.BATTERY_I: "battery_ma", SensorBit.BATTERY_TEMP: "battery_mdegc",
        SensorBit.PAYLOAD: "payload_mw", SensorBit.LASER: "laser_mw",
        SensorBit.DIE_TEMP: "die_mdegc", SensorBit.SINK_TEMP: "sink_mdegc",
        SensorBit.RADIATOR_TEMP: "radiator_mdegc", SensorBit.SUN: "sun_permille",
        SensorBit.TERM_TEMP: "term_mdegc",
    }  # fmt: skip
    seen = []
    for junk in (False, True):
        node = Node()
        node.fly(20)
        valid = int(SENSOR_ALL)
        for bit in lost:
            valid &= ~int(bit)
        spoiled = {fields[bit]: garbage for bit in lost if bit in fields and junk}
        rows = []
        for _ in range(70):
            status = node.fly(1, valid=valid, **spoiled)
            values = tuple(None if isnan(v) else v for v in node.channels.values)
            rows.append((status.mode, status.level, status.reason, status.link_allowed, values))
        seen.append(rows)
    assert seen[0] == seen[1]


def test_without_a_die_temperature_the_payload_goes_off_at_once():
    node = computing()
    status = node.fly(1, valid=SENSOR_ALL & ~SensorBit.DIE_TEMP)
    assert (status.level, status.reason) == (0, ThrottleReason.FAULT)
    assert node.level == 0


def test_a_battery_that_nothing_measures_takes_the_payload_off():
    node = computing()
    lost = SENSOR_ALL & ~SensorBit.BATTERY_V & ~SensorBit.BATTERY_I
    lost &= ~SensorBit.BUS  # nor can the current be worked out
    assert node.fly(55, valid=lost).level > 0
    status = node.fly(20, valid=lost)
    assert status.level == 0
    assert isnan(status.soc)
    assert isnan(node.channels.get("power.soc_estimate"))
    assert node.fly(60, **HEALTHY).level == PROFILE.top


def test_a_blind_node_holds_then_makes_itself_safe_and_kicks_the_watchdog_all_along():
    node = computing()
    node.bench.fail(FailingCall.SNAPSHOT, HalErrorKind.TIMEOUT)
    kicks = node.bench.read_actuators().watchdog_kicks
    node.fly(3)
    assert (node.status.get().mode, node.level) == (Mode.COMPUTE, PROFILE.top)
    status = node.fly(BLIND_CYCLES_MAX)
    assert (status.mode, status.level, node.level) == (Mode.SAFE, 0, 0)
    assert status.now_ns == node.t * S
    assert node.bench.read_actuators().watchdog_kicks == kicks + 3 + BLIND_CYCLES_MAX
    assert node.channels.get("mode.current") == Mode.SAFE
    assert isnan(node.channels.get("thermal.die_c"))
    assert isnan(node.channels.get("power.soc_estimate"))
    node.bench.fail(0)
    assert node.fly(60).mode is Mode.SAFE, "sight alone does not end SAFE"
    assert node.fly(60, Wishes(mode=Mode.COMPUTE)).mode is Mode.COMPUTE


def test_after_the_guard_has_tripped_the_node_is_safe_and_stays_so_until_it_is_commanded_out():
    node = computing()
    status = node.fly(1, Wishes(guard_tripped=True))
    assert (status.mode, status.level, status.link_allowed) == (Mode.SAFE, 0, False)
    assert node.fly(5, Wishes(guard_tripped=True, mode=Mode.COMPUTE)).mode is Mode.SAFE
    status = node.fly(60)
    assert (status.mode, status.link_allowed) == (Mode.SAFE, True)
    assert node.fly(60, Wishes(mode=Mode.COMPUTE)).mode is Mode.COMPUTE
    node.bench.fail(FailingCall.SNAPSHOT)
    assert node.fly(1, Wishes(guard_tripped=True)).mode is Mode.SAFE, "a blind node as well"


def test_a_blind_node_still_obeys():
    node = computing()
    node.bench.fail(FailingCall.SNAPSHOT)
    assert node.fly(1, Wishes(mode=Mode.SAFE)).mode is Mode.SAFE
    assert node.level == 0
    waiting = computing()
    waiting.bench.fail(FailingCall.SNAPSHOT)
    assert waiting.fly(1, Wishes(mode=Mode.IDLE)).mode is Mode.IDLE
    assert waiting.level == 0
    waiting.bench.fail(0)
    assert waiting.fly(60).mode is Mode.IDLE, "the command was heard, not lost"


def test_a_node_blind_from_its_first_cycle_ends_in_safe_and_tells_of_it():
    node = Node()
    node.bench.fail(FailingCall.SNAPSHOT)
    status = node.fly(BLIND_CYCLES_MAX + 1)
    assert (status.mode, status.level) == (Mode.SAFE, 0)
    assert node.channels.get("mode.current") == Mode.SAFE


def test_a_wish_for_a_nominal_mode_is_refused_in_danger_and_the_refusal_is_told():
    node = computing()
    node.fly(8, die_mdegc=90_000)
    assert node.status.get().mode is Mode.SAFE
    node.told("MODE_CHANGED")
    assert node.fly(5, Wishes(mode=Mode.IDLE)).mode is Mode.SAFE
    assert node.told("MODE_REFUSED") == [
        {"wanted": "IDLE", "mode": "SAFE", "reason": "die too hot"}
    ]
    node.fly(10, **HEALTHY)
    assert node.fly(60, Wishes(mode=Mode.COMPUTE)).mode is Mode.COMPUTE


def test_the_link_stays_alive_in_safe_unless_the_battery_cannot_bear_it():
    node = computing()
    assert node.fly(5, Wishes(mode=Mode.SAFE)).link_allowed
    flat = computing()
    assert flat.fly(900, battery_mv=20_000, battery_ma=100).mode is Mode.SAFE
    assert not flat.status.get().link_allowed


def test_parameters_moved_in_flight_act_at_once():
    node = computing()
    assert 0.7 < node.status.get().soc < 0.85
    node.parameters.set("power.soc_floor", 0.9)
    status = node.fly(20)
    assert status.reason is ThrottleReason.BATTERY_FLOOR
    assert status.mode is Mode.IDLE
    node.parameters.set("power.soc_floor", 0.3)
    assert node.fly(60).mode is Mode.COMPUTE
    node.parameters.set("power.soc_safe", 0.8)
    assert node.fly(400, battery_mv=22_500, battery_ma=100).mode is Mode.SAFE


@settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 0.9), st.floats(0.25, 0.95), st.floats(0.1, 0.8))
def test_no_set_of_parameters_turns_the_battery_band_around(floor, resume, safe):
    """A full battery is never low, an empty one always is."""
    node = Node(power__soc_floor=floor, power__soc_resume=resume, power__soc_safe=safe)
    status = node.fly(60, battery_mv=25_400, battery_ma=0)
    assert status.mode is Mode.COMPUTE
    assert status.reason is not ThrottleReason.BATTERY_FLOOR
    node = Node(power__soc_floor=floor, power__soc_resume=resume, power__soc_safe=safe)
    assert node.fly(60, battery_mv=18_500, battery_ma=0).level == 0


def test_without_a_time_the_node_expects_shadow_at_any_moment():
    node = Node(NodeConfig(orbit=ORBIT))
    status = node.fly(5, valid=SENSOR_ALL & ~SensorBit.UTC)
    assert isnan(status.utc_s)
    assert node.channels.get("power.eclipse_in_s") == 0.0
    assert node.fly(1, valid=SENSOR_ALL).utc_s == pytest.approx(UTC_NS / 1e9 + node.t)
    assert node.channels.get("power.eclipse_in_s") > 0.0
    held = node.fly(100, valid=SENSOR_ALL & ~SensorBit.UTC)
    assert held.utc_s == pytest.approx(UTC_NS / 1e9 + node.t), "the last correlation flies on"


def test_the_heater_has_a_band_and_a_lost_thermometer_moves_nothing():
    node = computing()
    node.fly(6, battery_mdegc=4_000)
    assert node.bench.read_actuators().heater_on == 1
    node.fly(6, battery_mdegc=6_500)
    assert node.bench.read_actuators().heater_on == 1
    node.fly(60, valid=SENSOR_ALL & ~SensorBit.BATTERY_TEMP)
    assert node.bench.read_actuators().heater_on == 1
    node.fly(6, valid=int(SENSOR_ALL), battery_mdegc=9_000)
    assert node.bench.read_actuators().heater_on == 0


def test_throttled_time_is_counted_while_there_is_a_reason():
    node = computing()
    before = node.channels.get("governor.throttled_s")
    node.fly(40, Wishes(queue_full=True))
    assert node.channels.get("governor.throttled_s") - before == pytest.approx(40.0)
    assert node.channels.get("governor.throttle_reason") == ThrottleReason.QUEUE_FULL
    node.fly(60)
    throttled = node.told("THROTTLED")
    assert {"level": 0, "reason": "queue_full"} in throttled
    assert node.channels.get("governor.throttle_reason") == ThrottleReason.NONE


def test_a_command_is_obeyed_once_and_its_wish_lasts():
    node = computing()
    assert node.fly(30, Wishes(mode=Mode.IDLE)).mode is Mode.IDLE
    assert node.fly(200).mode is Mode.IDLE
    assert node.fly(60, Wishes(mode=Mode.COMPUTE)).mode is Mode.COMPUTE


def board_without(*absent, profile=PROFILE):
    """A node whose hardware gives nothing of these, and that knows it."""
    bits = 0
    for name in absent:
        bits |= FIELDS[name]
    node = Node(NodeConfig(sensors=SensorsConfig(absent=absent)), profile=profile)
    node.healthy = {"valid": int(SENSOR_ALL) & ~bits}
    return node


def test_a_board_on_a_bench_supply_computes_without_a_battery_and_makes_none_up():
    node = board_without("battery", "cells", "array", "bus", "sun", "sink", "radiator", "laser",
                         "terminal", "rx_power")  # fmt: skip
    assert node.fly(60, **node.healthy).mode is Mode.COMPUTE
    assert node.level == PROFILE.top
    assert isnan(node.channels.get("power.soc_estimate"))
    assert node.channels.get("system.invalid_sensors") == 0
    assert {event.name for event in drained(node)} == {
        "MODE_CHANGED", "THROTTLED", "THROTTLE_CLEARED", "UTC_QUALITY",
    }  # fmt: skip


def test_a_board_with_one_thermometer_is_still_throttled_by_it():
    node = board_without("battery", "cells", "sink")
    node.fly(60, **node.healthy, die_mdegc=35_000)
    assert node.level == PROFILE.top
    assert node.fly(40, **node.healthy, die_mdegc=76_000).reason is not ThrottleReason.NONE
    assert node.level < PROFILE.top
    node.fly(5, **node.healthy, die_mdegc=82_000)
    assert node.level == 0


def test_a_board_without_any_thermometer_flies_and_loses_nothing_else():
    node = board_without("battery", "cells", "die", "sink", "radiator", "payload")
    assert node.fly(60, **node.healthy).mode is Mode.COMPUTE
    assert node.level == PROFILE.top
    node.fly(3, Wishes(inference_enabled=False), **node.healthy)
    assert node.level == 0


def test_what_is_absent_by_configuration_is_used_and_told_when_it_is_there_all_the_same():
    node = Node(NodeConfig(sensors=SensorsConfig(absent=("battery", "sink", "die"))))
    node.fly(60, die_mdegc=82_000)
    assert node.channels.get("thermal.die_c") == 82.0
    assert node.level == 0
    node.fly(1, valid=int(SENSOR_ALL) & ~SensorBit.DIE_TEMP)
    assert {"channel": "thermal.die_c"} in node.told("SENSOR_STALE")


def test_a_sensor_that_should_be_there_is_missed_as_ever():
    node = board_without("battery", "cells")
    node.fly(20, valid=node.healthy["valid"] & ~int(SensorBit.DIE_TEMP))
    assert node.level == 0
    assert {"channel": "thermal.die_c"} in node.told("SENSOR_STALE")


def test_a_board_whose_watts_nobody_knows_flies_from_outside_power():
    generic = load_profile("generic-pc")
    node = board_without("battery", "cells", "sink", "payload", profile=generic)
    node.fly(60, **node.healthy, die_mdegc=50_000)
    assert node.level == generic.top
    node.fly(3, **node.healthy, die_mdegc=82_000)
    assert node.level == 0


def test_an_hour_s_step_of_utc_is_followed_told_once_and_moves_nothing_else():
    steady, stepped = Node(), Node()
    for node, offset_ns in ((steady, 0), (stepped, 3_600 * S)):
        node.fly(60)
        for _ in range(60):
            node.t += 1
            node.bench.write_sensors(t_ns=node.t * S, utc_ns=UTC_NS + offset_ns + node.t * S)
            node.executive.step(node.t * S)
    assert stepped.status.get().utc_s - steady.status.get().utc_s == 3_600.0
    assert stepped.channels.get("time.steps_total") == 1
    told = [event.name for event in drained(stepped)]
    assert told.count("UTC_STEPPED") == 1
    alike = ("mode.current", "governor.level", "governor.throttled_s", "system.cycles",
             "power.soc_estimate", "thermal.die_predicted_c")  # fmt: skip
    assert [stepped.channels.get(n) for n in alike] == [steady.channels.get(n) for n in alike]
