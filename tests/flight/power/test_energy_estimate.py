from types import SimpleNamespace

import pytest

from flight.config import BatteryConfig
from flight.power.energy_estimate import EnergyEstimator
from flight.power.power_budget import NO_ECLIPSE, SHADOW_ANY_MOMENT, SunPhase
from flight.power.state_of_charge import BatteryData, SocEstimator
from hil.plant.battery import Battery, BatteryState
from hil.plant.battery import BatteryConfig as Cells

S = 1_000_000_000
BELIEVED = BatteryConfig()
DATA = BatteryData(25_200.0, 6, 0.165, BELIEVED.ocv_soc, BELIEVED.ocv_v)
READ = {
    "array_w": 60.0,
    "bus_w": 40.0,
    "battery_v": 23.0,
    "battery_a": -0.85,
    "battery_c": 15.0,
    "payload_w": 25.0,
    "laser_w": 0.0,
    "sun_fraction": 1.0,
}


class Sky:
    """A forecast that says what it is told."""

    def __init__(self, phase):
        self.now = phase

    def phase(self, _utc_s):
        return self.now


def estimator(phase=NO_ECLIPSE, array_w=50.0, base_w=10.0):
    return EnergyEstimator(SocEstimator(DATA), DATA, Sky(phase), array_w=array_w, base_w=base_w)


def fly(energy, seconds=400, utc_s=0.0, **changed):
    readings = SimpleNamespace(**(READ | changed))
    state = None
    for t in range(seconds):
        state = energy.update(readings, utc_s, t * S, soc_floor=0.5, laser_j=100.0)
    return state


def test_array_and_base_load_are_learnt_from_what_is_sensed():
    state = fly(estimator())
    assert state.power.array_w == pytest.approx(60.0, abs=0.1)
    assert state.power.base_w == pytest.approx(15.0, abs=0.1)


@pytest.mark.parametrize("missing", ["payload_w", "laser_w", "bus_w"])
def test_a_load_that_is_not_sensed_is_never_booked_as_the_base_load(missing):
    assert fly(estimator(), **{missing: None}).power.base_w == 10.0


@pytest.mark.parametrize(
    "changed", [{"array_w": None}, {"sun_fraction": None}, {"sun_fraction": 0.1}]
)
def test_the_array_is_learnt_in_sensed_full_light_only(changed):
    assert fly(estimator(), **changed).power.array_w == 50.0


def test_shadow_teaches_nothing_about_the_array():
    dark = estimator(SunPhase(False, 0.0, 900.0))
    assert fly(dark, array_w=0.0).power.array_w == 50.0


def test_an_array_curtailed_by_a_full_battery_is_not_taken_for_a_weak_one():
    assert fly(estimator(), array_w=30.0, battery_v=25.2).power.array_w == 50.0
    assert fly(estimator(), array_w=30.0, battery_v=24.0).power.array_w < 31.0
    assert fly(estimator(), array_w=70.0, battery_v=25.2).power.array_w > 69.0


def test_without_a_time_the_worst_is_assumed_and_without_an_orbit_there_is_no_shadow():
    assert fly(estimator(), utc_s=None, seconds=2).phase == SHADOW_ANY_MOMENT
    alone = EnergyEstimator(SocEstimator(DATA), DATA, None, array_w=50.0, base_w=10.0)
    assert fly(alone, utc_s=None, seconds=2).phase == NO_ECLIPSE


def test_laser_energy_is_set_aside_in_the_phase_that_is_under_way():
    lit = fly(estimator(), seconds=1).power
    dark = fly(estimator(SunPhase(False, 0.0, 900.0)), seconds=1).power
    assert (lit.laser_j_light, lit.laser_j_shadow) == (100.0, 0.0)
    assert (dark.laser_j_light, dark.laser_j_shadow) == (0.0, 100.0)


def test_no_estimate_is_told_as_such():
    energy = estimator()
    state = fly(energy, seconds=5, battery_v=None)
    assert not state.soc_valid
    assert energy.soc_quality == 0
    assert fly(energy, seconds=1).soc_valid


@pytest.mark.parametrize("celsius", [8.0, 25.0])
def test_a_lost_current_sensor_is_made_up_for_by_the_power_balance(celsius):
    """Over an eclipse orbit against the bench's battery: still within three percent."""
    battery, state, worst = Battery(Cells()), BatteryState(0.9), 0.0
    energy = estimator()
    for t in range(5_700):
        array_w = 62.0 if t < 3_600 else 0.0
        step = battery.step(state, 35.0 - array_w, temp_k=273.15 + celsius, dt_s=1.0)
        state = step.state
        readings = SimpleNamespace(
            **READ
            | {
                "array_w": 35.0 - step.power_w,
                "bus_w": 35.0,
                "battery_v": step.voltage_v,
                "battery_a": step.current_a if t < 1_000 else None,
                "battery_c": celsius,
            }
        )
        soc = energy.update(readings, 0.0, t * S, soc_floor=0.5, laser_j=0.0).soc
        if t >= 600:
            worst = max(worst, abs(soc - state.soc))
    assert worst < 0.03


class Faded:
    """Says what it is told to, and keeps what it was asked."""

    def __init__(self, capacity):
        self.capacity, self.asked = capacity, []

    def update(self, now_ns, voltage_v, current_a):
        self.asked.append((now_ns, voltage_v, current_a))
        return self.capacity


def test_a_faded_battery_holds_less_and_is_counted_on_for_less():
    fade = Faded(0.8)
    aged = EnergyEstimator(
        SocEstimator(DATA), DATA, Sky(NO_ECLIPSE), array_w=50.0, base_w=10.0, fade=fade
    )
    old, new = fly(aged, seconds=3).power, fly(estimator(), seconds=3).power
    assert (new.capacity, old.capacity) == (1.0, 0.8)
    assert old.energy_full_j == pytest.approx(0.8 * new.energy_full_j)
    assert fade.asked[-1] == (2 * S, READ["battery_v"], READ["battery_a"])
