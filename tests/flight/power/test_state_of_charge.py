"""The oracle is the bench's battery: a cell with a resistance and an RC pair, not ours to know."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.config import BatteryConfig as Believed
from flight.power.state_of_charge import STALE_NS, BatteryData, SocEstimator, SocQuality
from hil.plant.battery import Battery, BatteryConfig, BatteryState

S = 1_000_000_000
ORBIT_S, LIGHT_S, ARRAY_W, LOAD_W = 5_700, 3_600, 62.0, 35.0
BELIEVED = Believed()
DATA = BatteryData(
    capacity_as=BELIEVED.cell_capacity_ah * 3600.0 * BELIEVED.parallel,
    series=BELIEVED.series,
    resistance_ohm=BELIEVED.cell_resistance_ohm * BELIEVED.series / BELIEVED.parallel,
    ocv_soc=BELIEVED.ocv_soc,
    ocv_v=BELIEVED.ocv_v,
)


def everything(_t_s, volts, amps, celsius):
    return volts, amps, celsius


def lost_from(t0_s, field):
    def sense(t_s, *values):
        return tuple(
            None if t_s >= t0_s and i == field else value for i, value in enumerate(values)
        )

    return sense


def biased(offset_a):
    return lambda _t, volts, amps, celsius: (volts, amps + offset_a, celsius)


def worst_error(soc, celsius, sense, from_s=600):
    """Largest error over one eclipse orbit that begins in the light, after `from_s`."""
    battery = Battery(BatteryConfig())
    state, estimator, worst = BatteryState(soc), SocEstimator(DATA), 0.0
    for t_s in range(ORBIT_S):
        power_w = LOAD_W - (ARRAY_W if t_s < LIGHT_S else 0.0)
        step = battery.step(state, power_w, temp_k=273.15 + celsius, dt_s=1.0)
        state = step.state
        estimator.update(t_s * S, *sense(t_s, step.voltage_v, step.current_a, celsius))
        if t_s >= from_s:
            worst = max(worst, abs(estimator.soc - state.soc))
    return worst


@pytest.mark.parametrize("celsius", [1.0, 10.0, 25.0])
@pytest.mark.parametrize("soc", [0.55, 0.75, 0.9])
def test_an_eclipse_orbit_is_followed_within_three_percent(soc, celsius):
    assert worst_error(soc, celsius, everything) < 0.03


@pytest.mark.parametrize(
    "sense",
    [
        pytest.param(lost_from(1_000, 0), id="no voltage"),
        pytest.param(lost_from(1_000, 2), id="no temperature"),
        pytest.param(biased(0.05), id="current reads 50 mA high"),
        pytest.param(biased(-0.05), id="current reads 50 mA low"),
    ],
)
def test_one_bad_sensor_costs_no_more_than_three_percent(sense):
    assert worst_error(0.9, 10.0, sense) < 0.03


def test_an_offset_does_not_add_up_over_the_orbits():
    battery, estimator = Battery(BatteryConfig()), SocEstimator(DATA)
    state, errors = BatteryState(0.8), []
    for t_s in range(0, 6 * ORBIT_S, 2):
        power_w = LOAD_W - (57.0 if t_s % ORBIT_S < LIGHT_S else 0.0)
        step = battery.step(state, power_w, temp_k=298.15, dt_s=2.0)
        state = step.state
        soc = estimator.update(t_s * S, step.voltage_v, step.current_a + 0.1, 25.0)
        errors.append(abs(soc - state.soc))
    counted_alone = 0.1 * 6 * ORBIT_S / DATA.capacity_as
    assert counted_alone > 0.13
    assert max(errors[600:]) < 0.04


def test_without_a_current_the_voltage_is_still_followed():
    battery, estimator = Battery(BatteryConfig()), SocEstimator(DATA)
    state = BatteryState(0.9)
    start = None
    for t_s in range(9_000):
        step = battery.step(state, 30.0, temp_k=298.15, dt_s=1.0)
        state = step.state
        soc = estimator.update(t_s * S, step.voltage_v, None, 25.0)
        start = soc if start is None else start
    assert estimator.quality is SocQuality.VOLTAGE
    assert start - soc > 0.7 * (0.9 - state.soc) > 0.2


def test_an_estimate_that_nothing_feeds_is_no_estimate_any_more():
    estimator = SocEstimator(DATA)
    assert estimator.quality is SocQuality.NONE
    estimator.update(0, 24.0, 0.5, 20.0)
    estimator.update(S, 24.0, 0.5, 20.0)
    assert estimator.quality is SocQuality.FUSED
    estimator.update(S + STALE_NS, None, None, 20.0)
    assert estimator.quality is SocQuality.FUSED
    estimator.update(S + STALE_NS + 1, None, None, 20.0)
    assert estimator.quality is SocQuality.NONE
    estimator.update(2 * S + STALE_NS, None, 0.5, 20.0)
    assert estimator.quality is SocQuality.NONE, "a current alone says nothing of the charge"
    estimator.update(3 * S + STALE_NS, 24.0, 0.5, 20.0)
    assert estimator.quality is SocQuality.VOLTAGE


def test_a_gap_is_bridged_by_the_current_that_follows_it():
    gap, steady = SocEstimator(DATA), SocEstimator(DATA)
    for t_s in range(1_000):
        steady.update(t_s * S, 24.0 if t_s == 0 else None, 1.0, 25.0)
        if t_s < 500 or t_s > 540:
            gap.update(t_s * S, 24.0 if t_s == 0 else None, 1.0, 25.0)
        else:
            gap.update(t_s * S, None, None, None)
    assert gap.soc == pytest.approx(steady.soc, abs=1e-12)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.one_of(st.none(), st.floats(-1e6, 1e6)),
            st.integers(0, 10**12),
        ),
        max_size=20,
    )
)
def test_whatever_the_sensors_say_the_estimate_is_a_share(steps):
    estimator, now_ns = SocEstimator(DATA), 0
    for volts, amps, celsius, dt_ns in steps:
        now_ns += dt_ns
        soc = estimator.update(now_ns, volts, amps, celsius)
        assert 0.0 <= soc <= 1.0
        assert math.isfinite(soc)


@settings(deadline=None, max_examples=100)
@given(st.floats(0.0, 1.0))
def test_voltage_and_charge_are_two_names_of_one_thing(soc):
    assert DATA.soc_at(DATA.open_circuit_v(soc) / DATA.series) == pytest.approx(soc, abs=1e-9)


def test_cold_cells_hold_less_and_never_less_than_half():
    assert DATA.capacity_as_at(25.0) == DATA.capacity_as_at(60.0) == DATA.capacity_as
    assert DATA.capacity_as_at(-10.0) == pytest.approx(0.8 * DATA.capacity_as)
    assert DATA.capacity_as_at(-273.0) == 0.5 * DATA.capacity_as
