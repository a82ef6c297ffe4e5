import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.fdir.limit_monitor import LimitMonitor
from flight.fdir.limit_row import Band, Limit, Sample, Verdict

S = 1_000_000_000


def limit(**changes):
    row = {
        "name": "die", "channel": "thermal.die_c", "low_red": -20.0, "low_yellow": -10.0,
        "high_yellow": 80.0, "high_red": 90.0, "hysteresis": 3.0, "persistence": 2,
        "stale_after_ns": 5 * S,
    }  # fmt: skip
    return Limit(**{**row, **changes})


class Watch:
    """A monitor of one limit, fed once a second; None skips the sample."""

    def __init__(self, **changes):
        self.now_ns, self.sample = 0, None
        self.monitor = LimitMonitor([limit(**changes)], 0)

    def feed(self, *values):
        edges = []
        for value in values:
            self.now_ns += S
            if value is not None:
                self.sample = Sample(value, self.now_ns)
            edges += self.monitor.evaluate({"thermal.die_c": self.sample}, self.now_ns)
        return [(e.verdict, e.band) for e in edges]


def test_a_value_inside_its_limits_is_never_told():
    assert Watch().feed(20, 79.9, -9.9, 20) == []


def test_both_a_count_and_a_bound_are_needed_to_trip():
    watch = Watch(persistence=3)
    assert watch.feed(85, 85, 20, 85, 85) == []
    assert watch.feed(85) == [(Verdict.VIOLATED, Band.YELLOW_HIGH)]


def test_both_a_count_and_a_band_are_needed_to_clear():
    watch = Watch()
    watch.feed(85, 85)
    assert watch.feed(79, 78, 77.5, 76, 78, 76) == []
    assert watch.feed(77.0) == [(Verdict.OK, Band.NOMINAL)]


def test_noise_on_the_threshold_makes_one_edge():
    watch = Watch(persistence=1)
    assert watch.feed(*[80.5, 79.5] * 50) == [(Verdict.VIOLATED, Band.YELLOW_HIGH)]


def test_a_bound_without_a_band_does_not_chatter_at_the_bound_itself():
    assert len(Watch(persistence=1, hysteresis=0.0).feed(*[80.0] * 20)) == 1


def test_severity_steps_up_and_down_as_edges():
    watch = Watch(persistence=1)
    assert watch.feed(81, 91, 88, 86, 70) == [
        (Verdict.VIOLATED, Band.YELLOW_HIGH),
        (Verdict.VIOLATED, Band.RED_HIGH),
        (Verdict.VIOLATED, Band.YELLOW_HIGH),
        (Verdict.OK, Band.NOMINAL),
    ]


def test_being_in_yellow_does_not_bring_red_any_nearer():
    watch = Watch(persistence=1)
    assert watch.feed(81, 89, 89.9) == [(Verdict.VIOLATED, Band.YELLOW_HIGH)]


def test_the_low_side_mirrors_the_high_side():
    watch = Watch(persistence=1)
    assert watch.feed(-10, -21, -18, -17, -7) == [
        (Verdict.VIOLATED, Band.YELLOW_LOW),
        (Verdict.VIOLATED, Band.RED_LOW),
        (Verdict.VIOLATED, Band.YELLOW_LOW),
        (Verdict.OK, Band.NOMINAL),
    ]


def test_a_streak_that_mixes_severities_moves_to_the_one_all_support():
    watch = Watch(persistence=2)
    assert watch.feed(95, 82) == [(Verdict.VIOLATED, Band.YELLOW_HIGH)]
    assert watch.feed(95, 95) == [(Verdict.VIOLATED, Band.RED_HIGH)]


def test_a_streak_that_jumps_across_starts_anew():
    assert Watch(persistence=2).feed(95, -25, 95, -25) == []


def test_lost_data_trips_nothing_and_says_stale_once():
    watch = Watch(persistence=2)
    assert watch.feed(20, 85) == []
    assert watch.feed(*[None] * 20) == [(Verdict.STALE, Band.NOMINAL)]
    assert watch.feed(85) == [(Verdict.OK, Band.NOMINAL)]
    assert watch.feed(85) == [(Verdict.VIOLATED, Band.YELLOW_HIGH)]


def test_lost_data_clears_nothing():
    watch = Watch(persistence=2)
    watch.feed(95, 95)
    assert watch.feed(*[None] * 9) == [(Verdict.STALE, Band.RED_HIGH)]
    assert watch.monitor.conditions() == ("die.yellow", "die.red", "die.stale")
    assert watch.feed(20) == [(Verdict.VIOLATED, Band.RED_HIGH)]
    assert watch.feed(20) == [(Verdict.OK, Band.NOMINAL)]
    assert watch.monitor.violations == {"die": 1}


def test_a_channel_never_set_is_told_as_stale_once_its_age_is_over():
    watch = Watch()
    assert watch.feed(*[None] * 5) == []
    assert watch.monitor.verdicts() == {"die": Verdict.STALE}
    assert watch.feed(*[None] * 9) == [(Verdict.STALE, Band.NOMINAL)]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_cannot_be_is_an_error_and_breaks_the_streak(bad):
    watch = Watch(persistence=2)
    assert watch.feed(20, 85, bad) == [(Verdict.ERROR, Band.NOMINAL)]
    assert watch.feed(85) == [(Verdict.OK, Band.NOMINAL)]
    assert watch.feed(85) == [(Verdict.VIOLATED, Band.YELLOW_HIGH)]


def test_a_sample_from_the_future_is_an_error():
    monitor = LimitMonitor([limit()], 0)
    edges = monitor.evaluate({"thermal.die_c": Sample(20.0, 11)}, 10)
    assert [edge.verdict for edge in edges] == [Verdict.ERROR]


def test_one_sample_seen_many_times_counts_once():
    monitor = LimitMonitor([limit(persistence=2)], 0)
    sample = {"thermal.die_c": Sample(99.0, 10)}
    assert [monitor.evaluate(sample, 10 + n) for n in range(20)] == [[]] * 20


def test_an_edge_tells_what_an_operator_needs():
    monitor = LimitMonitor([limit(persistence=1)], 0)
    (edge,) = monitor.evaluate({"thermal.die_c": Sample(81.0, 7)}, 8)
    assert (edge.limit, edge.channel, edge.value, edge.bound) == ("die", "thermal.die_c", 81, 80)
    assert (edge.at_ns, edge.previous, edge.previous_band) == (8, Verdict.STALE, Band.NOMINAL)
    (edge,) = monitor.evaluate({"thermal.die_c": Sample(20.0, 9)}, 9)
    assert (edge.verdict, edge.value, edge.bound) == (Verdict.OK, 20, 80)


VALUES = st.lists(
    st.one_of(st.none(), st.floats(-30, 100), st.just(math.nan)), min_size=1, max_size=80
)


@settings(deadline=None, max_examples=200)
@given(VALUES, st.integers(1, 4))
def test_edges_alternate_and_no_band_is_entered_without_its_count(values, persistence):
    watch = Watch(persistence=persistence)
    last, run = None, []
    for value in values:
        if value is not None:
            run.append(value)
        for verdict, band in watch.feed(value):
            assert (verdict, band) != last
            if verdict is Verdict.VIOLATED and (last is None or last[1] is Band.NOMINAL):
                recent = run[-persistence:]
                assert len(recent) == persistence
                assert all(v >= 80 if band > 0 else v <= -10 for v in recent)
            last = (verdict, band)


@settings(deadline=None, max_examples=100)
@given(VALUES)
def test_the_mirrored_value_meets_the_mirrored_limit(values):
    ours = Watch()
    mirrored = Watch(low_red=-90.0, low_yellow=-80.0, high_yellow=10.0, high_red=20.0)
    edges = ours.feed(*values)
    assert mirrored.feed(*[v if v is None else -v for v in values]) == [
        (verdict, Band(-band)) for verdict, band in edges
    ]


BOUNDS = {"low_red": -20.0, "low_yellow": -10.0, "high_yellow": 80.0, "high_red": 90.0}


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(BOUNDS)),
    st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=120),
    st.integers(1, 5),
)
def test_noise_narrower_than_the_dead_band_on_any_bound_makes_one_edge_at_most(
    bound, noise, persistence
):
    watch = Watch(persistence=persistence)
    half_band = 0.99 * 3.0 / 2
    edges = watch.feed(*[BOUNDS[bound] + half_band * each for each in noise])
    into_yellow = bound.endswith("red")
    assert len(edges) <= 1 + into_yellow, "a red bound lies inside yellow: one more on the way"
    assert len(set(edges)) == len(edges)


def test_control_without_dead_band_and_count_the_same_noise_chatters():
    noise = [80.0 + (-1) ** n for n in range(100)]
    assert len(Watch(persistence=1, hysteresis=0.0).feed(*noise)) == 100
    assert len(Watch(persistence=1).feed(*noise)) == 1
    assert Watch(persistence=2, hysteresis=0.0).feed(*noise) == []
