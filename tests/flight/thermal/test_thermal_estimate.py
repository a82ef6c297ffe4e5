import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.thermal.thermal_estimate import SLOPE_TIME_S, SlopeFilter, ThermalEstimator

S = 1_000_000_000


def test_a_steady_rise_is_found_in_a_few_filter_times():
    slope = SlopeFilter()
    for t in range(int(6 * SLOPE_TIME_S)):
        found = slope.update(20.0 + 0.05 * t, t * S)
    assert found == pytest.approx(0.05, rel=0.01)


def test_a_gap_is_no_slope():
    slope = SlopeFilter()
    for t in range(100):
        slope.update(20.0, t * S)
    slope.update(None, 100 * S)
    assert slope.update(60.0, 101 * S) == pytest.approx(0.0, abs=1e-12)


def test_a_repeated_instant_is_not_divided_by():
    slope = SlopeFilter()
    slope.update(20.0, S)
    assert slope.update(30.0, S) == 0.0


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.floats(-50, 90), st.floats(0.1, 100.0)), min_size=2, max_size=30))
def test_the_slope_never_exceeds_the_steepest_that_was_seen(samples):
    slope, now_ns, before, steepest = SlopeFilter(), 0, None, 0.0
    for value, dt_s in samples:
        step_ns = round(dt_s * S)
        now_ns += step_ns
        if before is not None:
            steepest = max(steepest, abs(value - before) / (step_ns / S))
        before = value
        assert abs(slope.update(value, now_ns)) <= steepest * (1 + 1e-9) + 1e-12


def test_an_invalid_sensor_is_told_as_unknown_and_never_as_a_number():
    estimator = ThermalEstimator()
    state = estimator.update(S, None, None, None, None)
    assert all(
        math.isnan(v) for v in (state.die_c, state.sink_c, state.radiator_c, state.payload_w)
    )
    state = estimator.update(2 * S, 40.0, 35.0, 10.0, 15.0)
    assert (state.die_c, state.sink_c, state.radiator_c, state.payload_w) == (
        40.0,
        35.0,
        10.0,
        15.0,
    )


def test_payload_power_is_the_mean_of_the_slope_s_own_past():
    estimator = ThermalEstimator()
    for t in range(400):
        state = estimator.update(t * S, 40.0, 35.0, 10.0, 25.0 if t % 2 else 5.0)
    assert state.payload_w == pytest.approx(15.0, abs=0.6)
    held = estimator.update(400 * S, 40.0, 35.0, 10.0, None)
    assert held.payload_w == state.payload_w


def test_a_sink_without_a_sensor_is_taken_to_be_cooler_than_the_die_by_what_the_power_makes_of_it():
    estimator = ThermalEstimator(sink_k_per_w=2.0)
    state = estimator.update(S, 50.0, None, None, 5.0)
    assert (state.die_c, state.sink_c) == (50.0, 40.0)
    assert estimator.update(2 * S, 50.0, 33.0, None, 5.0).sink_c == 33.0
    assert math.isnan(estimator.update(3 * S, None, None, None, 5.0).sink_c)


def test_a_sink_that_should_have_a_sensor_is_never_made_up():
    assert math.isnan(ThermalEstimator().update(S, 50.0, None, None, 5.0).sink_c)


def test_without_any_power_the_sink_is_as_warm_as_the_die():
    assert ThermalEstimator(sink_k_per_w=2.0).update(S, 50.0, None, None, None).sink_c == 50.0
