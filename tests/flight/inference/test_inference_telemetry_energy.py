"""What a frame costs: measured where the board has a sensor, else by its profile and marked so."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.inference.inference_telemetry import InferenceCounts, JobEnergy
from flight.inference.job import Plausibility, Result, Screening

S = 1_000_000_000
IDLE_W, ACTIVE_W = 4.0, 11.0


def result(energy_mj=None):
    screening = Screening(Plausibility.PLAUSIBLE)
    return Result(1, screening, "", 0, 0, energy_mj=energy_mj, duration_ms=1.0)


class Board:
    """A second at a time: so much of it computed, a sensor read at one instant of it."""

    def __init__(self, profile_w=lambda _level: 9.0):
        self.counts = InferenceCounts()
        self.energy = JobEnergy(profile_w, self.counts)
        self.now_ns = 0

    def second(self, share, watts):
        self.now_ns += S
        self.counts.busy_ns += round(share * S)
        self.energy.feed(watts, self.now_ns)

    def line(self, share):
        self.second(share, IDLE_W + share * (ACTIVE_W - IDLE_W))

    def priced(self, found, level=2):
        return self.energy.priced(found, level, self.now_ns)


@given(st.lists(st.floats(0.0, 1.0), min_size=20, max_size=80))
def test_the_power_of_a_job_is_where_the_line_through_the_samples_is_at_full_share(shares):
    board = Board()
    for share in [0.0, 1.0, *shares, 0.0, 1.0]:
        board.line(share)
    assert board.energy.measured_w() == pytest.approx(ACTIVE_W, rel=1e-6)


def test_a_sensor_that_is_read_at_an_instant_shows_it_over_many_cycles():
    board = Board()
    for number in range(300):
        share = 0.2 + 0.6 * (number % 7) / 6
        inside = (number * 0.618) % 1.0 < share
        board.second(share, ACTIVE_W if inside else IDLE_W)
    assert board.energy.measured_w() == pytest.approx(ACTIVE_W, rel=0.12)


def test_a_payload_that_is_always_busy_draws_what_a_job_draws():
    board = Board()
    for _ in range(10):
        board.second(1.0, ACTIVE_W)
    assert board.energy.measured_w() == pytest.approx(ACTIVE_W)


def test_a_steady_small_share_does_not_show_it():
    board = Board()
    for _ in range(50):
        board.second(0.1, IDLE_W)
    assert board.energy.measured_w() is None


def test_a_measured_frame_costs_the_time_it_computed_at_the_power_measured():
    board = Board()
    for share in (0.0, 0.5, 1.0):
        board.line(share)
    board.priced(result())
    board.counts.busy_ns += S // 4
    priced = board.priced(result())
    assert (priced.energy_mj, priced.energy_modelled) == (2750, False)


def test_without_a_sensor_it_is_the_profile_s_and_marked_so():
    board = Board(lambda level: 4.5 * level)
    board.second(0.5, nan)
    board.second(1.0, nan)
    board.priced(result())
    board.counts.busy_ns += S // 2
    priced = board.priced(result())
    assert (priced.energy_mj, priced.energy_modelled) == (4500, True)


def test_what_nobody_knows_stays_unknown():
    board = Board(lambda _level: None)
    board.second(1.0, nan)
    assert board.priced(result()).energy_mj is None


def test_an_engine_that_says_what_it_cost_is_believed():
    board = Board()
    board.second(1.0, ACTIVE_W)
    assert board.priced(result(33)).energy_mj == 33


def test_another_level_begins_anew():
    board = Board()
    for share in (0.0, 1.0, 0.5):
        board.line(share)
    board.energy.forget()
    assert board.energy.measured_w() is None
    board.second(1.0, 7.0)
    assert board.energy.measured_w() is None  # of which level the second was nobody can say
    board.second(1.0, 7.0)
    assert board.energy.measured_w() == pytest.approx(7.0)


def test_the_time_of_a_job_that_gave_nothing_is_no_frame_s():
    board = Board()
    board.second(1.0, nan)
    board.energy.lost(board.now_ns)
    board.counts.busy_ns += S // 9
    assert board.priced(result()).energy_mj == 1000
