"""The ground of a case reports what it holds and no more."""

from __future__ import annotations

from flight.downlink.product import Segment
from flight.wire.reconcile import Asked, Held, decode_answer, encode_request
from flight.wire.report import decode
from hil.score.downlink_ground import TOLD_TIMES, LedgerGround


def test_a_report_names_frames_held_and_products_complete_until_they_are_freed():
    ground = LedgerGround(2, {7: 100, 8: 50})
    ground.arrived(5, [Segment(7, 0, 60, 100)])
    ground.arrived(7, [Segment(7, 60, 40, 100), Segment(8, 0, 10, 50)])
    report = decode(ground.report(1024)[0])
    assert (report.horizon, report.floor) == (7, 5)
    assert report.ranges == ((7, 7), (5, 5))
    assert report.completed == (7,)
    ground.arrived(8, [], freed=(7,))
    assert decode(ground.report(1024)[0]).completed == ()


def test_reports_are_short_where_little_is_lost_and_none_is_longer_than_allowed():
    def longest(lost_each):
        ground = LedgerGround(2, {1: 10**9})
        lengths = []
        for frame in range(1, 8_000):
            if frame % lost_each:
                ground.arrived(frame, [Segment(1, frame, 1, 10**9)])
            if frame % 20 == 0 and frame > 20 * TOLD_TIMES:
                lengths.append(len(ground.report(1024)[0]))
        return sorted(lengths)[len(lengths) // 2], lengths[-1]

    assert longest(100)[0] < 100
    assert max(longest(2)) <= 1024


def test_with_nine_reports_of_ten_lost_hardly_a_frame_stays_untold_however_many_are_lost():
    ground = LedgerGround(2, {1: 10**9})
    told = set()
    for frame in range(1, 30_001):
        if frame % 2:  # half of them are lost
            ground.arrived(frame, [Segment(1, frame, 1, 10**9)])
        if frame % 20 == 0:
            report = decode(ground.report(1024)[0])
            if frame % 200 == 20:  # one of ten comes through
                told.update(range(report.floor, report.horizon + 1))
    untold = set(range(1, 28_000)) - told
    assert len(untold) < 30


def test_a_question_is_answered_with_the_next_report():
    ground = LedgerGround(2, {1: 100, 2: 100, 3: 100})
    ground.arrived(1, [Segment(1, 0, 100, 100), Segment(2, 10, 20, 100)])
    asked = [Asked(number, 100, 0) for number in (1, 2, 3)]
    ground.arrived(2, [], request=encode_request(asked))
    report, answer = ground.report(1024)
    assert len(report) + len(answer) <= 1024
    held = {item.product_id: (item.held, item.ranges) for item in decode_answer(answer).items}
    assert held == {
        1: (Held.COMPLETE, ()),
        2: (Held.PARTIAL, ((10, 30),)),
        3: (Held.UNKNOWN, ()),
    }
    assert ground.report(1024)[1] is None
