from dataclasses import replace
from math import nan

import pytest

from flight.config import PlannerConfig, load_profile
from flight.power.power_budget import NO_ECLIPSE, PowerState
from flight.thermal.level_advice import HeatPath, LevelAdvice, Work, plan_model
from flight.thermal.thermal_estimate import ThermalState

PROFILE = load_profile("orin-nano-modelled")
CONFIG = PlannerConfig()
PATH = HeatPath(**{name: getattr(CONFIG, name) for name in CONFIG.__struct_fields__})
WORK = Work("fp32", 1024, 0.25)
PERIOD_S = 5800.0
COOL = ThermalState(
    die_c=30.0, sink_c=28.0, radiator_c=20.0, sink_slope_k_s=0.0, radiator_slope_k_s=0.0,
    payload_w=0.0,
)  # fmt: skip
RICH = PowerState(
    soc=0.9, soc_floor=0.55, margin=0.02, energy_full_j=280_000.0, array_w=60.0, base_w=12.0,
    laser_j_light=0.0, laser_j_shadow=0.0, phase=NO_ECLIPSE,
)  # fmt: skip


class Sky:
    """Half of each orbit is day; a share of it lies in the shadow."""

    period_s = PERIOD_S

    def __init__(self, shadow=0.0, day=1.0):
        self.shadow, self.day = shadow, day

    def ahead(self, start_s, end_s, step_s):
        count = int((end_s - start_s) / step_s) + 1
        times = [start_s + i * step_s for i in range(count)]
        turn = [t / PERIOD_S % 1.0 for t in times]
        return [(t, x < 1.0 - self.shadow, x < self.day) for t, x in zip(times, turn, strict=True)]


class NoSky(Sky):
    def ahead(self, start_s, end_s, step_s):
        return []


def advice(sky=None):
    return LevelAdvice(PROFILE, PATH, WORK, sky or Sky())


def levels(advising, power=RICH, thermal=COOL, minutes=30):
    found = []
    for minute in range(minutes):
        told = advising.advise(60.0 * minute, thermal, power)
        found.append(told.level)
    return found


def test_with_energy_and_coolness_to_spare_all_frames_are_computed():
    assert set(levels(advice())) <= {3, 4}  # both keep up with the camera
    told = advice().advise(0.0, COOL, RICH)
    assert told.expected
    assert told.prices.joule == pytest.approx(0.0, abs=1e-3)


def test_more_frames_than_can_be_computed_are_no_reason_to_rest():
    flood = LevelAdvice(PROFILE, PATH, replace(WORK, frames_per_s=3.0), Sky())
    assert set(levels(flood, minutes=12)) == {4}


def test_scarce_energy_has_its_price_and_some_minutes_have_no_work():
    poor = replace(RICH, soc=0.62, array_w=24.0)
    advising = advice(Sky(shadow=0.35))
    found = levels(advising, poor)
    assert 0 in found
    assert max(found) > 0
    assert advising.advise(1.0, COOL, poor).prices.joule > 0.0


def test_at_night_no_frames_are_expected():
    told = advice(Sky(day=0.5)).advise(0.6 * PERIOD_S, COOL, RICH)
    assert not told.expected


def test_a_plan_holds_for_a_minute_and_a_clock_set_back_makes_a_new_one():
    advising = advice()
    first = advising.advise(100.0, COOL, RICH)
    assert advising.advise(159.0, COOL, RICH) is first
    assert advising.advise(161.0, COOL, RICH) is not first
    assert advising.advise(50.0, COOL, RICH) is not None


@pytest.mark.parametrize(
    ("utc_s", "thermal", "power"),
    [
        (None, COOL, RICH),
        (0.0, replace(COOL, radiator_c=nan), RICH),
        (0.0, replace(COOL, die_c=nan), RICH),
        (0.0, COOL, None),
        (0.0, COOL, replace(RICH, soc=nan)),
    ],
)
def test_without_time_sensor_or_battery_there_is_no_advice(utc_s, thermal, power):
    assert advice().advise(utc_s, thermal, power) is None


def test_an_orbit_that_is_none_gives_no_advice():
    assert advice(NoSky()).advise(0.0, COOL, RICH) is None


def test_a_payload_power_that_nobody_measured_teaches_nothing():
    advising = advice()
    assert advising.advise(0.0, replace(COOL, payload_w=nan), RICH) is not None
    assert advising.advise(60.0, COOL, RICH) is not None


def test_a_floor_that_the_ground_moves_is_planned_for_at_once():
    advising = advice(Sky(shadow=0.35))
    poor = replace(RICH, soc=0.7, array_w=24.0)
    before = advising.advise(0.0, COOL, poor).prices.joule
    after = advising.advise(60.0, COOL, replace(poor, soc_floor=0.68)).prices.joule
    assert after >= before


def test_the_model_has_a_mode_a_level_and_the_profile_s_times():
    model = plan_model(PROFILE, PATH, WORK, 280_000.0, 0.57)
    assert [mode.watts for mode in model.modes] == [4.0, 7.0, 15.0, 25.0]
    assert model.modes[3].frames_per_s[0] == pytest.approx(1.0 / (1024 * 2.6e-3))
    assert model.battery.energy_floor_j == pytest.approx(0.57 * 280_000.0)


def test_the_same_cycles_give_the_same_levels():
    poor = replace(RICH, soc=0.62, array_w=30.0)
    assert levels(advice(Sky(0.3)), poor) == levels(advice(Sky(0.3)), poor)
