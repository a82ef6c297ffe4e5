"""No flight exceeds the bounds, and on small cases they are what one works out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_case import SLOT_NS, S, small_case

from hil.score.downlink_bound import bounds
from hil.score.downlink_figures import figures
from hil.score.downlink_harness import DownlinkHarness

FRAME = 32_704 - 16


def test_the_best_set_of_a_small_case_is_known():
    """Room for ten frames: the denser product whole, half of the other."""
    case = small_case([(0, 5 * FRAME, 9000, -1), (0, 10 * FRAME, 1000, -1)], passes=((S, 10),))
    most = bounds(case)
    assert most.value == pytest.approx(9 + 0.5)
    assert most.bytes == 10 * FRAME
    assert most.lp_share == pytest.approx((1.0, 0.5))


def test_deadlines_successors_and_losses_shrink_the_room():
    case = small_case(
        [(0, 8 * FRAME, 1000, S + 5 * SLOT_NS), (0, 100 * FRAME, 1000, -1)],
        passes=((S, 20),),
        bad=range(10),
    )
    most = bounds(case)
    assert most.value == pytest.approx(0.0), "neither fits alone, so neither counts"
    assert most.bytes == 10 * FRAME
    case = small_case(
        [(0, 4 * FRAME, 1000, -1), (S + 2 * SLOT_NS, FRAME, 1, -1, 0)], passes=((S, 20),)
    )
    assert bounds(case).bytes < 5 * FRAME


@settings(deadline=None, max_examples=12)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 300),
            st.integers(1, 40 * FRAME),
            st.integers(1, 10**6),
            st.sampled_from([-1, 100, 250, 600]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sets(st.integers(0, 399), max_size=150),
)
def test_no_flight_exceeds_the_bounds(rows, bad):
    products = [
        (S + slot * SLOT_NS, size, value, -1 if due < 0 else S + (slot + due) * SLOT_NS)
        for slot, size, value, due in rows
    ]
    case = small_case(products, bad=sorted(bad))
    most = bounds(case)
    flown = figures(case, DownlinkHarness(case).fly())
    assert flown.value_on_time <= most.value * (1 + 1e-9) + 1e-9
    assert flown.bytes_useful <= most.bytes
