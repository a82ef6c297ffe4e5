"""The link that says no: a stroke only while everybody counts on, and what is told beside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.watchdog_chain import FIRST_PACE_NS, PACE_NS_MAX, READY, STROKE, WatchdogChain

S = 1_000_000_000


class Room:
    def __init__(self, interval_ns: int = 2 * S) -> None:
        self.begun = True
        self.stalled: tuple[str, ...] = ()
        self.mode = "IDLE"
        self.chain = WatchdogChain(
            interval_ns,
            begun=lambda: self.begun,
            standing_still=lambda _now_ns: self.stalled,
            word=lambda: self.mode,
        )

    def look(self) -> list[str]:
        return self.chain.look(0).splitlines()


def test_nothing_is_told_before_the_first_steps_and_then_it_is_told_once_that_the_node_is_ready():
    room = Room()
    room.begun = False
    assert (room.look(), room.chain.pace_ns) == ([], FIRST_PACE_NS)
    room.begun = True
    assert room.look() == [READY, STROKE, "STATUS=IDLE"]
    room.begun = False  # a service that is made anew
    assert room.look() == [STROKE]


def test_whoever_stands_still_stops_the_stroke_and_is_named_until_he_goes_on():
    room = Room()
    room.look()
    room.stalled = ("store", "downlink")
    assert room.look() == ["STATUS=IDLE, watchdog withheld for store, downlink"]
    assert room.look() == []
    room.stalled = ()
    assert room.look() == [STROKE, "STATUS=IDLE"]
    assert (room.chain.strokes, room.chain.withheld) == (2, 2)


def test_a_node_that_never_was_well_is_ready_all_the_same_but_gets_no_stroke():
    room = Room()
    room.stalled = ("store",)
    assert STROKE not in room.look()
    assert room.chain.ready


def test_without_a_watchdog_readiness_and_status_are_told_and_no_stroke():
    room = Room(interval_ns=0)
    assert room.look() == [READY, "STATUS=IDLE"]
    room.mode = "SAFE"
    assert room.look() == ["STATUS=SAFE"]
    assert room.chain.strokes == 0


@pytest.mark.parametrize(
    ("interval_ns", "pace_ns"),
    [(S, S // 2), (10 * S, PACE_NS_MAX), (0, PACE_NS_MAX), (2 * S, PACE_NS_MAX)],
)
def test_the_next_look_comes_at_half_of_what_the_watchdog_allows_at_the_latest(
    interval_ns, pace_ns
):
    room = Room(interval_ns)
    room.look()
    assert room.chain.pace_ns == pace_ns


@given(st.lists(st.sampled_from([(), ("main",), ("store", "main")])))
def test_a_stroke_is_given_exactly_when_nobody_stands_still(history):
    room = Room()
    for stalled in history:
        room.stalled = stalled
        assert (STROKE in room.look()) is (not stalled)
