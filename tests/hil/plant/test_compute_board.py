"""The board's watts from its bookings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.plant.compute_board import (
    BOOKINGS_MAX,
    DEFAULT_LEVELS,
    BoardLevel,
    BoardModel,
    DurationTable,
)

S = 1_000_000_000


def test_an_idle_board_draws_its_idle_watts_and_a_dark_one_nothing() -> None:
    board = BoardModel()
    assert [board.power_w(0, S, k) for k in range(5)] == [0.0, 2.2, 2.8, 3.6, 4.6]


def test_half_a_step_busy_draws_half_the_difference() -> None:
    board = BoardModel()
    board.book(S // 4, 3 * S // 4, 4)
    assert board.power_w(0, S, 4) == pytest.approx(0.5 * (4.6 + 25.0))


def test_a_long_job_is_charged_over_all_its_steps_once() -> None:
    board = BoardModel()
    board.book(S // 2, 3 * S + S // 2, 3)
    energy_j = sum(board.power_w(k * S, (k + 1) * S, 3) for k in range(5))
    assert energy_j == pytest.approx(3.0 * 15.0 + 2.0 * 3.6)
    assert not board._bookings


def test_jobs_that_overlap_do_not_draw_twice() -> None:
    board = BoardModel()
    for _ in range(3):
        board.book(0, S, 4)
    assert board.power_w(0, S, 4) == 25.0


def test_switching_off_ends_the_job() -> None:
    board = BoardModel()
    board.book(0, 10 * S, 4)
    board.release(2 * S)
    assert board.power_w(S, 2 * S, 4) == 25.0
    assert board.power_w(2 * S, 3 * S, 4) == 4.6


def test_bookings_are_bounded() -> None:
    board = BoardModel()
    for k in range(BOOKINGS_MAX):
        board.book(k * S, (k + 1) * S, 1)
    with pytest.raises(OverflowError, match="64 jobs"):
        board.book(0, S, 1)
    with pytest.raises(ValueError, match="booking"):
        board.book(S, 0, 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 900)), max_size=20))
def test_power_stays_between_idle_and_active(jobs: list[tuple[int, int]]) -> None:
    board = BoardModel()
    for start_ms, length_ms in jobs:
        board.book(start_ms * 1_000_000, (start_ms + length_ms) * 1_000_000, 4)
    for k in range(7):
        assert 4.6 <= board.power_w(k * S, (k + 1) * S, 4) <= 25.0 + 1e-9


def test_durations_come_from_the_table() -> None:
    table = DurationTable({"int8": {3: 2.8, 4: 1.9}})
    assert table.duration_ns("int8", 4) == 1_900_000
    with pytest.raises(KeyError):
        table.duration_ns("int8", 1)
    with pytest.raises(ValueError, match="positive"):
        DurationTable({"int8": {3: 0.0}})


def test_jitter_is_bounded_and_repeats_with_its_seed() -> None:
    def draw() -> list[int]:
        rng = np.random.Generator(np.random.PCG64(5))
        table = DurationTable({"m": {1: 10.0}}, jitter=rng, jitter_sigma=0.1)
        return [table.duration_ns("m", 1) for _ in range(500)]

    first = draw()
    assert first == draw()
    assert len(set(first)) > 400
    assert 7_000_000 <= min(first) < max(first) <= 13_000_000


def test_a_level_that_works_for_less_than_it_idles_is_refused() -> None:
    with pytest.raises(ValueError, match="idle"):
        BoardLevel("x", 5.0, 4.0)
    with pytest.raises(ValueError, match="off"):
        BoardModel(DEFAULT_LEVELS[1:])
