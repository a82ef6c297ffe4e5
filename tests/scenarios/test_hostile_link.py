"""A million frames and a million reports that must not be believed change nothing in the node."""

import pytest
from hostile_link import Flown, let_frames_at, let_reports_at

from flight.wire.link_security import SecurityVerdict

FRAMES = REPORTS = 1_000_000
V = SecurityVerdict


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    flight = Flown(tmp_path_factory.mktemp("flown"))
    yield flight
    flight.target.finish()


@pytest.mark.slow
def test_a_million_hostile_frames_are_refused_counted_by_cause_and_leave_the_node_as_it_was(flown):
    said = let_frames_at(flown, FRAMES, seed=5)
    by_kind = {kind: {v for k, v in said if k == kind} for kind, _ in said}
    assert by_kind["replayed"] == {V.REPLAYED}
    assert by_kind["foreign"] == {V.BAD_MAC, V.WRONG_CHANNEL}
    assert by_kind["forged"] >= {V.BAD_MAC, V.BAD_HEADER, V.WRONG_CHANNEL, V.UNKNOWN_SPI}
    assert by_kind["flipped"] >= {V.BAD_FECF}
    assert by_kind["cut"] | by_kind["longer"] >= {V.BAD_LENGTH, V.BAD_FECF}
    assert {v for _, v in said} == set(V) - {V.OK, V.BAD_PACKETS}
    assert min(said[kind, v] for kind, v in said if kind == "replayed") > FRAMES // 20


@pytest.mark.slow
def test_a_million_reports_that_say_nothing_decide_nothing_and_each_is_in_a_counter(flown):
    said = let_reports_at(flown, REPORTS, seed=6)
    assert min(said.values()) > REPORTS // 20
