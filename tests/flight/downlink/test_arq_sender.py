"""The ARQ sender: each frame decided once, nothing resent blindly, nothing believed twice."""

from __future__ import annotations

from flight.downlink.arq_sender import ArqSender
from flight.downlink.arq_values import NOTHING, ArqConfig
from flight.downlink.product import Product, ProductClass, Segment
from flight.wire.reconcile import Answered, Held, ReconcileAnswer, decode_request
from flight.wire.report import Report

CONFIG = ArqConfig(
    window_frames=100,
    urgent_reserve_frames=10,
    confirm_after_reports=5,
    ask_again_after_reports=3,
    abandon_after_reports=8,
    completing_max=4,
)
PROBE_NS = CONFIG.probe_ns


def segment(frame_no, product_id=1):
    return Segment(product_id, frame_no * 100, 100, 10**6)


def report(seq, floor, horizon, *ranges, epoch=1, vcid=2, completed=()):
    newest_first = tuple(sorted(ranges, reverse=True))
    return Report(epoch, seq, vcid, horizon, floor, newest_first, completed)


def product(product_id):
    return Product(product_id, ProductClass.MASK, 1000, 1, None, 0, 7, f"p{product_id}")


def sender(frames=10):
    arq = ArqSender(2, CONFIG)
    for frame_no in range(1, frames + 1):
        arq.sent(frame_no, [segment(frame_no)], 0)
    return arq


def numbers(segments):
    return [s.offset // 100 for s in segments]


def test_frames_in_ranges_arrived_and_the_others_up_to_the_horizon_are_lost():
    arq = sender()
    outcome = arq.on_report(report(0, 1, 8, (2, 4), (7, 8)), 0)
    assert numbers(outcome.acked) == [2, 3, 4, 7, 8]
    assert numbers(outcome.lost) == [1, 5, 6]
    assert arq.in_flight_frames == 2
    outcome = arq.on_report(report(1, 1, 10, (2, 4), (7, 10)), 0)
    assert numbers(outcome.acked) == [9, 10]
    assert outcome.lost == (), "a frame is lost once"


def test_a_truncated_report_leaves_older_frames_undecided_until_another_covers_them():
    arq = sender()
    arq.on_report(report(0, 1, 1, (1, 1)), 0)
    outcome = arq.on_report(report(1, 7, 10, (8, 10)), 0)
    assert numbers(outcome.acked + outcome.lost) == [8, 9, 10, 7]
    assert arq.in_flight_frames == 5
    outcome = arq.on_report(report(2, 1, 6, (1, 3)), 0)
    assert (numbers(outcome.acked), numbers(outcome.lost)) == ([2, 3], [4, 5, 6])


def test_reordered_reports_count_and_repeated_ones_do_not():
    arq = sender()
    newer, older = report(5, 1, 10, (1, 9)), report(4, 1, 6, (1, 2), (4, 6))
    arq.on_report(report(3, 1, 2, (1, 2)), 0)
    assert numbers(arq.on_report(older, 0).acked) == [4, 5, 6]
    arq.on_report(newer, 0)
    assert arq.on_report(newer, 0) is NOTHING
    assert arq.on_report(older, 0) is NOTHING
    assert arq.counters.reports_duplicate == 2
    assert arq.counters.lost_frames == 2


def test_reports_of_other_links_and_of_frames_never_sent_decide_nothing():
    arq = sender()
    assert arq.on_report(report(0, 1, 10, vcid=3), 0) is NOTHING
    assert arq.on_report(report(0, 1, 11, (11, 11)), 0) is NOTHING
    assert arq.counters.reports_wrong_channel == arq.counters.reports_impossible == 1
    assert arq.in_flight_frames == 10


def test_silence_resends_nothing_and_fills_the_window():
    arq = sender(90)
    assert not arq.can_send()
    assert arq.can_send(urgent=True)
    arq.on_link_down(0)
    arq.on_link_up(10**15)
    assert arq.in_flight_frames == 90
    assert arq.counters.window_stalls == 1
    outcome = arq.on_report(report(0, 1, 90, (1, 90)), 0)
    assert len(outcome.acked) == 90
    assert arq.can_send()
    assert arq.counters.window_high == 90


def test_completion_is_told_until_freed_and_confirmed_until_it_arrives():
    arq = sender()
    first = report(0, 1, 5, (1, 5), completed=(1, 77))
    assert arq.on_report(first, 0).completed == (1, 77)
    assert arq.on_report(report(1, 1, 5, (1, 5), completed=(77, 1)), 0).completed == ()
    assert arq.next_freed() == ()
    arq.freed((1, 77))
    assert arq.next_freed(1) == (1,)
    assert arq.next_freed() == (1, 77)
    arq.sent(11, [], 0, freed=(1, 77))
    assert arq.next_freed() == ()
    assert arq.on_report(report(2, 1, 10, (1, 10), completed=(1,)), 0).completed == ()
    # The confirmation was lost: the ground repeats itself, and is confirmed again.
    outcome = arq.on_report(report(3, 1, 11, (1, 10), completed=(1,)), 0)
    assert outcome.completed == (1,)
    arq.freed((1,))
    assert arq.next_freed() == (1,)


def test_more_completions_than_fit_wait_on_the_ground():
    arq = sender()
    outcome = arq.on_report(report(0, 1, 5, (1, 5), completed=tuple(range(9))), 0)
    assert outcome.completed == (0, 1, 2, 3)
    assert arq.counters.completions_deferred == 5
    arq.freed(outcome.completed)
    outcome = arq.on_report(report(1, 1, 5, (1, 5), completed=tuple(range(9))), 0)
    assert outcome.completed == (4, 5, 6, 7)


def test_a_product_whose_digest_never_comes_is_asked_about():
    arq = sender()
    arq.on_report(report(0, 1, 10, (1, 10)), 0)
    arq.all_reported(product(1))
    for seq in range(1, 6):
        outcome = arq.on_report(report(seq, 1, 10, (1, 10)), 0)
        assert outcome.undecided == (() if seq < 5 else (1,))
    arq.unfinished([product(1)])
    assert arq.reconcile_items(9) == (1,)
    assert arq.counters.unverified == 1
    arq.all_reported(product(2))
    arq.freed((2,))
    for seq in range(6, 16):
        assert arq.on_report(report(seq, 1, 10, (1, 10)), 0).undecided == ()


def test_after_a_reset_unfinished_products_are_asked_about_and_continued_from_the_answer():
    arq = ArqSender(2, CONFIG)
    arq.unfinished([product(1), product(2), product(3)])
    asked = arq.reconcile_items(9)
    assert asked == (1, 2, 3)
    items = decode_request(arq.reconcile_request(asked))
    assert [(i.product_id, i.size_bytes, i.crc32c) for i in items] == [(i, 1000, 7) for i in asked]
    answer = ReconcileAnswer(
        4,
        (
            Answered(1, Held.COMPLETE),
            Answered(2, Held.PARTIAL, ((0, 300),)),
            Answered(3, Held.UNKNOWN),
            Answered(9, Held.COMPLETE),
        ),
    )
    assert arq.on_reconcile_answer(answer, 0) == NOTHING, "nothing was asked yet"
    arq.sent(1, [], 0, asked=asked)
    outcome = arq.on_reconcile_answer(answer, 0)
    assert outcome.completed == (1,)
    assert outcome.resume == ((2, ((0, 300),)), (3, ()))
    assert arq.unreconciled == 0
    assert arq.on_reconcile_answer(answer, 0) == NOTHING


def test_a_question_is_repeated_when_its_frame_was_lost_or_no_answer_came():
    arq = ArqSender(2, CONFIG)
    arq.unfinished([product(1)])
    arq.sent(1, [], 0, asked=(1,))
    assert arq.reconcile_items(9) == ()
    arq.sent(2, [], 0)
    arq.on_report(report(0, 1, 2, (2, 2)), 0)
    assert arq.reconcile_items(9) == (1,), "its frame was lost"
    arq.sent(3, [], 0, asked=(1,))
    for seq in range(1, 4):
        assert arq.reconcile_items(9) == ()
        arq.on_report(report(seq, 1, 3, (2, 3)), 0)
    assert arq.reconcile_items(9) == (1,), "three reports and no answer"
    arq.forget([1])
    assert arq.reconcile_items(9) == ()


def test_a_new_ground_session_leaves_old_frames_to_reconciliation():
    arq = sender()
    arq.on_report(report(50, 1, 2, (1, 2)), 0)
    arq.all_reported(product(5))
    outcome = arq.on_report(report(0, 6, 10, (6, 9), epoch=2), 0)
    assert numbers(outcome.acked) == [6, 7, 8, 9]
    assert numbers(outcome.lost) == [10]
    assert set(outcome.undecided) == {1, 5}
    assert arq.counters.abandoned_frames == 3
    assert arq.on_report(report(51, 1, 10, (1, 10)), 0) is NOTHING
    assert arq.counters.reports_stale == 1
    stale = ReconcileAnswer(1, (Answered(1, Held.UNKNOWN),))
    assert arq.on_reconcile_answer(stale, 0) is NOTHING
    assert arq.counters.answers_stale == 1


def test_frames_no_report_will_ever_cover_are_given_up_and_asked_about():
    arq = sender()
    arq.on_report(report(0, 1, 9, (1, 9)), 0)
    undecided = ()
    for seq in range(1, 8):
        assert undecided == ()
        undecided = arq.on_report(report(seq, 1, 9, (1, 9)), 0).undecided
    assert undecided == (1,)
    assert arq.in_flight_frames == 0


def test_an_idle_line_is_probed_until_the_tail_is_decided_and_silence_ends_it():
    arq = ArqSender(2, ArqConfig(probe_ns=50, probes_max=3))
    assert not arq.probe_due(10**9), "nothing was sent"
    arq.sent(1, [segment(1)], 1000)
    assert not arq.probe_due(1049)
    for number in range(2, 5):
        assert arq.probe_due(number * 1000)
        arq.sent(number, (), number * 1000)
    assert not arq.probe_due(10**9), "a silent uplink is not worth more"
    outcome = arq.on_report(report(1, 2, 1, (2, 2)), 10**9)
    assert outcome.lost == ()
    arq.on_report(report(2, 1, 4, (4, 4)), 10**9)
    assert not arq.probe_due(10**10), "all is decided"


def test_on_an_idle_line_content_that_nothing_followed_is_followed_by_an_empty_frame():
    arq = sender(3)
    assert not arq.probe_due(PROBE_NS - 1)
    assert arq.probe_due(PROBE_NS)
    arq.sent(4, [], PROBE_NS)
    assert not arq.probe_due(PROBE_NS + 1), "one at a time"
    assert arq.probe_due(2 * PROBE_NS)


def test_what_became_of_an_empty_frame_is_nobody_s_question():
    arq = sender(3)
    arq.sent(4, [], PROBE_NS)
    outcome = arq.on_report(report(0, 1, 3, (1, 2)), PROBE_NS)
    assert numbers(outcome.lost) == [3]
    assert arq.in_flight_frames == 1
    assert not arq.probe_due(100 * PROBE_NS)


def test_a_silent_uplink_ends_the_empty_frames_and_a_report_begins_them_anew():
    arq, now_ns, probes = sender(3), 0, 0
    for frame_no in range(4, 40):
        now_ns += PROBE_NS
        if arq.probe_due(now_ns):
            arq.sent(frame_no, [], now_ns)
            probes += 1
    assert probes == CONFIG.probes_max
    arq.on_report(report(0, 1, 2, (1, 2)), now_ns)
    assert arq.probe_due(now_ns)
    assert not ArqSender(2, CONFIG).probe_due(now_ns), "nothing sent, nothing to ask"
