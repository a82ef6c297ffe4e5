"""Single measurements become figures, and what was not measured stays out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.inference.profile_figures import (
    LevelRun,
    PowerMeter,
    Run,
    in_rising_power,
    measured_level,
)
from flight.thermal.board_profile import Level

S = 1_000_000_000
BASE = Level("15W", 3.0, 15.0, {"fp32": 9.9}, cpu_khz_max=1_500_000, source="published")


def metered(*samples):
    meter = PowerMeter()
    for t_s, watts in samples:
        meter.feed(round(t_s * S), watts)
    return meter


def test_a_constant_power_over_ten_seconds_is_ten_times_its_joules():
    meter = metered(*((t, 5.0) for t in range(11)))
    assert (meter.energy_j, meter.covered_s, meter.mean_w) == (50.0, 10.0, 5.0)


def test_a_ramp_is_integrated_by_its_mean():
    assert metered((0, 0.0), (2, 4.0)).energy_j == 4.0


def test_an_interval_with_an_invalid_end_counts_nothing_and_leaves_no_mean():
    meter = metered((0, 5.0), (1, None), (2, 5.0), (3, 5.0))
    assert (meter.energy_j, meter.covered_s, meter.gaps) == (5.0, 1.0, 2)
    assert meter.mean_w is None


@pytest.mark.parametrize("samples", [[], [(0, 5.0)], [(0, None), (1, None)], [(0, 5.0), (0, 7.0)]])
def test_without_an_interval_there_is_no_mean(samples):
    assert metered(*samples).mean_w is None


def test_one_estimated_sample_marks_the_whole():
    meter = PowerMeter()
    meter.feed(0, 5.0)
    meter.feed(S, None, estimated=True)
    assert not meter.estimated
    meter.feed(2 * S, 5.0, estimated=True)
    meter.feed(3 * S, 5.0)
    assert meter.estimated


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 10**10), st.floats(0.0, 100.0)), min_size=2, max_size=40))
def test_the_mean_lies_between_the_least_and_the_most_that_was_seen(steps):
    meter, t_ns = PowerMeter(), 0
    for dt_ns, watts in steps:
        t_ns += dt_ns
        meter.feed(t_ns, watts)
    powers = [watts for _, watts in steps]
    assert min(powers) - 1e-6 <= meter.mean_w <= max(powers) + 1e-6


def test_median_and_percentile_are_those_of_the_sorted_times():
    run = Run([float(n) for n in range(100, 0, -1)], None)
    assert (run.median_ms, run.p95_ms) == (50.5, 95.0)
    assert (Run([7.0], None).median_ms, Run([7.0], None).p95_ms) == (7.0, 7.0)


def test_energy_of_a_tile_is_power_above_idle_times_its_mean_time():
    run = Run([10.0, 30.0], 5.0)
    assert run.j_per_tile(3.0) == pytest.approx(2.0 * 0.020)
    assert run.j_per_tile(None) is None
    assert run.j_per_tile(5.0) is None, "below what the sensor resolves"
    assert Run([10.0], None).j_per_tile(3.0) is None


def test_a_level_with_power_measured_gets_all_its_figures_anew():
    runs = {"fp32": Run([20.0, 21.0, 40.0], 6.0), "int8": Run([10.0], 5.0)}
    level = measured_level(BASE, LevelRun(128, 2.0, runs, (40.04, 45.06), ("thermal",)))
    assert (level.idle_w, level.active_w) == (2.0, 6.0)
    assert level.ms_per_tile == {"fp32": 21.0, "int8": 10.0}
    assert level.measured.p95_ms == {"fp32": 40.0, "int8": 10.0}
    assert level.measured.j_per_tile == {"fp32": 0.108, "int8": 0.03}
    assert level.measured.frames == {"fp32": 3, "int8": 1}
    assert (level.measured.die_c, level.measured.throttle) == ((40.0, 45.1), ("thermal",))
    assert (level.name, level.cpu_khz_max, level.source) == ("15W", 1_500_000, "")


@pytest.mark.parametrize(("idle_w", "mean_w"), [(None, 6.0), (2.0, None), (None, None)])
def test_watts_that_were_not_measured_stay_what_they_were(idle_w, mean_w):
    level = measured_level(BASE, LevelRun(128, idle_w, {"fp32": Run([20.0], mean_w)}))
    assert (level.idle_w, level.active_w) == (3.0, 15.0)
    assert level.measured.j_per_tile == {}


def test_times_are_told_for_the_profile_s_own_tile():
    level = measured_level(BASE, LevelRun(256, None, {"fp32": Run([40.0], None)}))
    assert level.ms_per_tile == {"fp32": 10.0}
    assert level.measured.p95_ms == {"fp32": 40.0}


def test_idle_above_work_is_noise_and_no_contradiction():
    level = measured_level(BASE, LevelRun(128, 6.5, {"fp32": Run([20.0], 6.0)}))
    assert (level.idle_w, level.active_w) == (6.0, 6.0)


def test_neighbouring_levels_whose_watts_cross_by_noise_are_put_in_order():
    levels = [Level("a", 1.0, 5.0), Level("b", 1.0, 4.9), Level("c", 1.0, 8.0)]
    assert [each.active_w for each in in_rising_power(levels)] == [5.0, 5.0, 8.0]
    unknown = [Level("a"), Level("b")]
    assert in_rising_power(unknown) == unknown
