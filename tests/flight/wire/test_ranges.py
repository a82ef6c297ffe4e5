"""Ranges against Python's own sets, which are slow and obviously right."""

from __future__ import annotations

from itertools import pairwise

from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire.ranges import RangeSet

SPANS = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted).map(tuple)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), SPANS), max_size=25)


@settings(deadline=None, max_examples=examples(200))
@given(STEPS, SPANS, st.integers(0, 70))
def test_a_range_set_is_the_set_of_its_integers(steps, query, below):
    ranges, model = RangeSet(), set()
    for verb, (start, end) in steps:
        span = set(range(start, end))
        if verb == "add":
            assert ranges.add(start, end) == len(span - model)
            model |= span
        else:
            assert ranges.remove(start, end) == len(span & model)
            model -= span
        assert ranges.size == len(model)
        listed = list(ranges)
        assert {i for a, b in listed for i in range(a, b)} == model
        assert all(a < b for a, b in listed)
        assert all(left[1] < right[0] for left, right in pairwise(listed))
    start, end = query
    missing = {i for a, b in ranges.gaps(start, end) for i in range(a, b)}
    assert missing == set(range(start, end)) - model
    assert ranges.covers(start, end) == (not missing)
    assert all((i in ranges) == (i in model) for i in range(62))
    descending = list(ranges.descending(below))
    assert descending == sorted(descending, reverse=True)
    assert {i for a, b in descending for i in range(a, b)} == {i for i in model if i < below}
    assert list(reversed(ranges)) == list(ranges)[::-1]
    assert RangeSet(ranges) == ranges


def test_the_lowest_range_is_the_first_to_be_forgotten():
    ranges = RangeSet([(1, 3), (5, 9)])
    assert ranges.drop_lowest() == (1, 3)
    assert list(ranges) == [(5, 9)]
    assert ranges.size == 4
    assert ranges.first() == ranges.last() == (5, 9)
