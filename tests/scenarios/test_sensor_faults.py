"""Sensors that fall silent or lie: the node stays inside its limits and says what it misses."""

import numpy as np
import pytest
from short_flight import assert_nothing_lost_or_doubled, events, fly, scenario

from hil.plant_bench import SENSOR_BITS


def fault(action, sensor, at_s=120.0, for_s=600.0):
    return {"at_s": at_s, "for_s": for_s, "action": action, "sensor": sensor}


HEAT = {"at_s": 60.0, "for_s": 900.0, "action": "heat", "watts": 75.0}


@pytest.mark.parametrize("action", ["sensor_lost", "sensor_stuck"])
def test_a_die_sensor_that_fails_under_heat_leaves_the_die_below_its_limit(tmp_path, action):
    timeline = [HEAT, fault(action, "die_mdegc", 300.0, 1500.0)]
    target = fly(scenario("hot-board", timeline=timeline, duration_s=1800.0), tmp_path)
    die_c = target.world.recorder.column("truth.die_c")
    assert die_c.max() <= target.world.profile.die_limit_c
    assert np.isfinite(die_c).all()


@pytest.mark.parametrize("sensor", sorted(SENSOR_BITS))
def test_any_one_lost_sensor_is_told_and_endured(tmp_path, sensor):
    flown = scenario("slow-relay", timeline=[fault("sensor_lost", sensor, 70.0, 100.0)])
    target = fly(flown, tmp_path)
    assert_nothing_lost_or_doubled(target)
    assert target.resets == []
    assert events(target, "NODE_STOPPED", "bench") == []
    assert events(target, "SERVICE_FAILED") == []
    stale = [e for e in events(target, "SENSOR_STALE") if 70.0 <= e.t_s <= 90.0]
    assert stale, "a lost sensor is told"
    assert target.world.ground.receiver.counters.products > 0


def test_all_sensors_lost_at_once_take_the_payload_off_and_leave_the_node_alive(tmp_path):
    timeline = [fault("sensor_lost", sensor, 100.0, 60.0) for sensor in sorted(SENSOR_BITS)]
    target = fly(scenario("slow-relay", timeline=timeline), tmp_path)
    assert target.resets == []
    assert events(target, "SERVICE_FAILED") == []
    recorder = target.world.recorder
    times, power_w = recorder.times(), recorder.column("truth.payload_w")
    blind = (times > 130.0) & (times < 160.0)
    assert power_w[blind].max() <= target.world.profile.idle_w(1)
    assert_nothing_lost_or_doubled(target)
