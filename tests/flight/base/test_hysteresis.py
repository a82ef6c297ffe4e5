import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.hysteresis import Hysteresis


def test_a_rising_value_sets_at_the_upper_level_and_clears_at_the_lower():
    hot = Hysteresis(set_at=80, clear_at=75)
    assert [hot.update(v) for v in (79, 80, 76, 75, 79, 81)] == [
        False, True, True, False, False, True,
    ]  # fmt: skip


def test_a_falling_value_sets_at_the_lower_level_and_clears_at_the_upper():
    low = Hysteresis(set_at=20, clear_at=30)
    assert [low.update(v) for v in (21, 20, 29, 30, 25)] == [False, True, True, False, False]


def test_persistence_counts_consecutive_values_both_ways():
    hot = Hysteresis(set_at=80, clear_at=75, persistence=3)
    assert [hot.update(v) for v in (90, 90, 79, 90, 90, 90)] == [False] * 5 + [True]
    assert [hot.update(v) for v in (70, 70, 76, 70, 70, 70)] == [True] * 5 + [False]


def test_a_value_that_is_no_number_decides_nothing_and_breaks_the_streak():
    hot = Hysteresis(set_at=80, clear_at=75, persistence=2)
    assert [hot.update(v) for v in (90, math.nan, 90, 90, math.nan)] == [
        False, False, False, True, True,
    ]  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(75.01, 79.99), max_size=50), st.integers(1, 4), st.booleans())
def test_noise_inside_the_band_never_changes_the_state(noise, persistence, start):
    band = Hysteresis(set_at=80, clear_at=75, persistence=persistence)
    for _ in range(persistence if start else 0):
        band.update(99)
    before = band.transitions
    assert [band.update(value) for value in noise] == [start] * len(noise)
    assert band.transitions == before


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(0, 100), max_size=80), st.integers(1, 4))
def test_falling_is_rising_in_the_mirror(values, persistence):
    rising, falling = Hysteresis(60, 40, persistence), Hysteresis(-60, -40, persistence)
    assert [rising.update(v) for v in values] == [falling.update(-v) for v in values]


def test_levels_without_a_band_are_refused():
    with pytest.raises(AssertionError):
        Hysteresis(5, 5)
    with pytest.raises(AssertionError):
        Hysteresis(5, 4, 0)


def test_other_levels_keep_the_state_and_break_a_streak() -> None:
    low = Hysteresis(0.4, 0.5, persistence=2)
    low.update(0.3)
    low.retune(0.2, 0.3)
    assert not low.update(0.19)
    assert low.update(0.19)
    low.retune(0.1, 0.15)
    assert low.active
    low.update(0.25)
    assert not low.update(0.25)


def test_setting_the_same_levels_again_breaks_no_streak() -> None:
    low = Hysteresis(0.4, 0.5, persistence=2)
    low.update(0.3)
    low.retune(0.4, 0.5)
    assert low.update(0.3)
