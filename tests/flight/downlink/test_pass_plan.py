"""The pass plan: which contact counts, and what it will carry."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.downlink.pass_plan import (
    CONTACTS_MAX,
    EVERY_PEER,
    KEEP_OUT_LEAD_NS,
    NS_PER_S,
    PIECE_LEAST_NS,
    PRIOR_SHARE,
    Confidence,
    Contact,
    ContactKind,
    KeepOut,
    PassPlan,
    outside,
)

S = NS_PER_S


def contact(contact_id, start_s, end_s, *, kind=ContactKind.OGS, authorised=True, peer_id=1):
    return Contact(contact_id, peer_id, kind, start_s * S, end_s * S, 200e6, authorised)


def test_the_active_contact_is_the_authorised_one_that_began_first():
    early, late = contact(1, 100, 400), contact(2, 200, 600)
    forbidden = contact(3, 50, 700, authorised=False)
    plan = PassPlan([late, forbidden, early])
    assert plan.active(99 * S) is None
    assert plan.active(100 * S) is early
    assert plan.active(399 * S) is early, "a working link is not dropped for a new one"
    assert plan.active(400 * S) is late
    assert plan.active(600 * S) is None
    assert plan.following(0) is early
    assert plan.following(100 * S) is late
    assert plan.following(200 * S) is None
    assert len(plan) == 3


def test_contact_seconds_count_overlaps_once_and_forbidden_contacts_not_at_all():
    plan = PassPlan(
        [contact(1, 100, 400), contact(2, 300, 600), contact(3, 0, 900, authorised=False)]
    )
    assert plan.contact_seconds(0, 1000 * S) == 500
    assert plan.contact_seconds(350 * S, 450 * S) == 100
    assert plan.contact_seconds(0, 150 * S) == 50
    assert plan.contact_seconds(600 * S, 900 * S) == 0


def test_prediction_is_line_rate_times_time_times_what_was_learned():
    plan = PassPlan()
    one = contact(1, 0, 300)
    line = 200e6 / 8 * 300
    assert one.line_bytes(one.start_ns, one.end_ns) == line
    assert plan.predicted_bytes(one) == pytest.approx(PRIOR_SHARE[ContactKind.OGS] * line)
    assert plan.bytes_left(one, 150 * S) == pytest.approx(PRIOR_SHARE[ContactKind.OGS] * line / 2)
    assert plan.bytes_left(one, 301 * S) == 0
    for _ in range(30):
        plan.note_pass(one, int(0.3 * line))
    assert plan.predicted_bytes(one) == pytest.approx(0.3 * line, rel=0.01)
    relay = contact(2, 0, 300, kind=ContactKind.RELAY)
    assert plan.predicted_bytes(relay) == pytest.approx(0.75 * line), "kinds are learned apart"


def test_p10_is_what_nine_of_ten_passes_reach():
    plan = PassPlan()
    one = contact(1, 0, 300)
    line = one.line_bytes(one.start_ns, one.end_ns)
    for tenth in (9, 1, 8, 2, 7, 3, 6, 4, 5, 9) * 3:
        plan.note_pass(one, line * tenth // 10)
    p10 = plan.predicted_bytes(one, Confidence.P10) / line
    p50 = plan.predicted_bytes(one, Confidence.P50) / line
    assert 0.1 <= p10 <= 0.2
    assert 0.5 <= p50 <= 0.64
    assert plan.predicted_bytes(one, Confidence.P10) < plan.predicted_bytes(one)


def test_a_failed_pass_and_an_impossible_one_are_clipped():
    plan = PassPlan()
    one = contact(1, 0, 300)
    plan.note_pass(one, 0)
    plan.note_pass(one, 10**15)
    assert plan.experience() == {"OGS": (0.0, 1.0), "RELAY": (), "RADIO": ()}


def test_experience_survives_a_reset():
    plan, one = PassPlan(), contact(1, 0, 300)
    for share in (0.2, 0.9, 0.4):
        plan.note_pass(one, int(share * one.line_bytes(0, one.end_ns)))
    again = PassPlan()
    again.restore(plan.experience())
    for confidence in Confidence:
        assert again.predicted_bytes(one, confidence) == plan.predicted_bytes(one, confidence)


def test_a_plan_that_cannot_be_is_refused_and_the_old_one_stays():
    plan = PassPlan([contact(1, 0, 10)])
    with pytest.raises(ValueError, match="twice"):
        plan.load([contact(2, 0, 10), contact(2, 20, 30)])
    with pytest.raises(ValueError, match="at most"):
        plan.load(contact(i, i, i + 1) for i in range(CONTACTS_MAX + 1))
    assert plan.active(0) == contact(1, 0, 10)
    for bad in ((10, 10, 1, 1.0), (10, 5, 1, 1.0), (0, 1, 0, 1.0), (0, 1, 1, 0.0)):
        start, end, peer, rate = bad
        with pytest.raises(ValueError, match="contact 1"):
            Contact(1, peer, ContactKind.OGS, start, end, rate)


SPANS = st.lists(st.tuples(st.integers(0, 1_000), st.integers(1, 300)), max_size=8)


@given(SPANS)
def test_no_piece_of_a_contact_reaches_into_a_keep_out_and_nothing_else_is_taken(spans):
    whole = contact(1, 100, 700)
    keep_outs = [KeepOut(EVERY_PEER, start * S, (start + length) * S) for start, length in spans]
    pieces = outside(whole, keep_outs)
    assert all(piece.contact_id == 1 and piece.rate_bps == whole.rate_bps for piece in pieces)
    for second in range(90, 710):
        now_ns = second * S
        free = 100 <= second < 700 and not any(
            each.start_ns - KEEP_OUT_LEAD_NS <= now_ns < each.end_ns for each in keep_outs
        )
        inside = [piece for piece in pieces if piece.start_ns <= now_ns < piece.end_ns]
        assert len(inside) <= int(free)
    edges = sorted(
        {100 * S, 700 * S}
        | {edge for each in keep_outs for edge in (each.start_ns - KEEP_OUT_LEAD_NS, each.end_ns)}
    )
    for begin_ns, end_ns in itertools.pairwise(edges):
        clear = whole.start_ns <= begin_ns < whole.end_ns and not any(
            each.start_ns - KEEP_OUT_LEAD_NS <= begin_ns < each.end_ns for each in keep_outs
        )
        if clear and end_ns - begin_ns >= PIECE_LEAST_NS:
            assert any(p.start_ns <= begin_ns and p.end_ns >= end_ns for p in pieces)


def test_a_contact_in_which_light_is_forbidden_is_cut_and_the_forecast_knows():
    window = KeepOut(1, 200 * S, 300 * S)
    plan = PassPlan([contact(1, 100, 400), contact(2, 500, 800, peer_id=2)], [window])
    assert plan.active(199 * S).end_ns == 200 * S - KEEP_OUT_LEAD_NS
    assert plan.active(200 * S) is None
    assert plan.active(300 * S).contact_id == 1
    assert plan.contact_seconds(0, 1_000 * S) == pytest.approx(499.5)
    assert plan.active(600 * S) == contact(2, 500, 800, peer_id=2), "another peer is not concerned"
    with pytest.raises(ValueError, match="keep-outs"):
        plan.load([], [window] * (CONTACTS_MAX + 1))
