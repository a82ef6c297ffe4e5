"""Counters that survive resets, seconds by reason, spans: what a summary's figures are made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.dictionary import THROTTLE_LABELS
from hil.run_summary import _growth, _highest, _mode_s, _rise, _seconds_by, _spans, _total

NAN = float("nan")


class World:
    """A recorder with one column, under the name a target has."""

    def __init__(self, values, first_s=1.0):
        self.world = self.recorder = self
        self.values = np.array(values, dtype=np.float64)
        self.grid = first_s + np.arange(len(values), dtype=np.float64)

    def column(self, _name):
        return self.values

    def times(self):
        return self.grid


@pytest.mark.parametrize(
    ("seen", "total"),
    [
        ([], 0),
        ([NAN, NAN], 0),
        ([3, 3, 5], 5),
        ([0, 4, 0, 2], 6),
        ([5, 2], 7),
        ([NAN, 1, NAN, 4, NAN, NAN, 2, 3], 7),
    ],
)
def test_a_counter_counts_on_over_resets_of_the_node(seen, total):
    assert _rise(np.array(seen, dtype=np.float64)) == total
    assert _total(World(seen), "queue.dropped_total") == total


@settings(deadline=None, max_examples=100)
@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=10), max_size=6))
def test_the_total_is_what_all_lives_of_the_node_counted(lives):
    seen = [each for steps in lives for each in np.cumsum([0, *steps]).tolist()]
    assert _rise(np.array(seen, dtype=np.float64)) == sum(map(sum, lives))


def test_growth_in_a_contact_leaves_out_what_came_before_and_after_it():
    world = World([10, 10, 12, 15, 15, 20, 30], first_s=1.0)
    assert _growth(world, "link.frames_retransmitted", 2.0, 4.0) == 5
    assert _growth(world, "link.frames_retransmitted", 90.0, 99.0) == 0


def test_growth_over_a_reset_in_a_contact_is_not_negative():
    assert _growth(World([10, 12, 0, 3, 4]), "link.frames_retransmitted", 1.0, 4.0) == 2 + 4


def test_the_high_water_mark_is_that_of_all_lives_and_none_without_a_sample():
    assert _highest(World([NAN, 4, 9, 0, 3]), "queue.products") == 9
    assert _highest(World([NAN]), "queue.products") is None


def test_every_second_below_the_best_level_is_booked_on_its_one_reason():
    reasons = np.array([0, 0, 1, 1, 4, NAN, 1, 9], dtype=np.float64)
    seconds = _seconds_by(reasons, THROTTLE_LABELS[1:], first=1)
    assert {label: s for label, s in seconds.items() if s} == {
        THROTTLE_LABELS[1]: 3.0,
        THROTTLE_LABELS[4]: 1.0,
        THROTTLE_LABELS[9]: 1.0,
    }
    assert list(seconds) == list(THROTTLE_LABELS[1:])


def test_spans_are_where_it_holds_from_the_first_sample_in_to_the_first_one_out():
    times = np.arange(10.0, 18.0)
    inside = np.array([1, 1, 0, 0, 1, 0, 1, 1], dtype=bool)
    assert _spans(times, inside) == [[10.0, 12.0], [14.0, 15.0], [16.0, 17.0]]
    assert _spans(times, ~np.ones(8, dtype=bool)) == []
    assert _spans(np.array([]), np.array([], dtype=bool)) == []


@given(st.lists(st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0, 4.0])))
def test_the_modes_and_the_time_it_was_down_add_up_to_the_mission(modes):
    spent = _mode_s(np.array(modes, dtype=np.float64))
    assert sum(spent.values()) == len(modes)
    assert spent["OFF"] == sum(mode != mode for mode in modes)
