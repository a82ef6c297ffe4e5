from math import isnan, nan

from flight.thermal.heat_network import HeatAhead
from flight.thermal.heat_surprise import DOUBT_S, HeatSurprise
from hil.score.day_families import make_day
from hil.score.dve_case import node_model

MODEL = node_model(make_day("hot_eol", 1, 3600))
WORK_W = [17.5, 7.5, 0.0]


class Bench:
    """A node whose thermometers see the model's own course, bent by a test."""

    def __init__(self):
        self.surprise, self.ahead = HeatSurprise(MODEL), HeatAhead(MODEL)
        self.true_k = [310.0, 309.0, 305.0]

    def run(self, seconds, heat_w=WORK_W, extra_w=(0.0, 0.0, 0.0), bend=list):
        for _ in range(seconds):
            seen = [round(t, 1) for t in bend(self.true_k)]
            self.surprise.update(seen)
            outside = [1.5, 1.5, 20.0]
            foreseen = [a + b for a, b in zip(outside, heat_w, strict=True)]
            self.surprise.foresee(self.ahead.after_second(seen, foreseen), sum(heat_w))
            real = [a + b for a, b in zip(foreseen, extra_w, strict=True)]
            self.true_k = self.ahead.after_second(self.true_k, real)
        return self.surprise


def test_a_course_as_foreseen_is_no_surprise_however_the_readings_are_rounded():
    bench = Bench()
    for heat_w in (WORK_W, [0.0] * 3, WORK_W):
        surprise = bench.run(300, heat_w)
        assert surprise.extra_w == [0.0, 0.0, 0.0]
        assert surprise.believed(bench.true_k) == bench.true_k


def test_heat_that_nobody_foresaw_shows_within_half_a_minute_where_it_comes_in():
    bench = Bench()
    bench.run(60)
    die_w, sink_w, radiator_w = bench.run(30, extra_w=(0.0, 30.0, 0.0)).extra_w
    assert (die_w, radiator_w) == (0.0, 0.0)
    assert 20.0 < sink_w < 40.0


def test_a_thermometer_that_does_not_follow_the_load_is_not_believed():
    bench = Bench()
    bench.run(200, [0.0] * 3)
    stuck = bench.true_k[0]
    believed = bench.run(30, bend=lambda k: [stuck, *k[1:]]).believed([stuck, 309.0, 305.0])
    assert isnan(believed[0])
    assert believed[1:] == [309.0, 305.0]


def test_a_reading_that_falls_off_at_once_is_not_believed():
    bench = Bench()
    bench.run(100)
    assert isnan(bench.run(1, bend=lambda k: [k[0] - 20.0, *k[1:]]).believed([1.0, 2.0, 3.0])[0])


def test_a_thermometer_is_believed_again_when_it_has_been_sound_for_long():
    bench = Bench()
    bench.run(100)
    bench.run(1, bend=lambda k: [k[0] - 20.0, *k[1:]])
    assert isnan(bench.run(DOUBT_S - 5).believed([1.0, 2.0, 3.0])[0])
    assert bench.run(10).believed([1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]


def test_a_gap_in_the_readings_teaches_nothing():
    bench = Bench()
    bench.run(50)
    surprise = bench.run(50, bend=lambda _k: [nan, nan, nan])
    assert surprise.extra_w == [0.0, 0.0, 0.0]
