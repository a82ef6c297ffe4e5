"""Repair symbols: at their turn and no sooner, and spread over fades."""

from itertools import pairwise

import pytest

from flight.downlink.pass_plan import Contact, ContactKind
from flight.downlink.repair_coder import BLOCKS_MAX, EARNED_MAX, SOURCES, RepairCoder
from flight.wire.repair_packet import REPAIR_ROOM_BYTES, decode_repair
from flight.wire.space_packet import Apid, encode

S = 1_000_000_000
ROOM, FRAME, AFTER_S = 200 + REPAIR_ROOM_BYTES, 2_048, 5


def contact(contact_id=1, rate_bps=100e6):
    return Contact(contact_id, 7, ContactKind.OGS, 0, 1_000 * S, rate_bps)


def coder(rate_bps=100e6, share=0.25, after_s=AFTER_S):
    made = RepairCoder(room_bytes=ROOM, frame_bytes=FRAME, share=share, after_ns=after_s * S)
    made.look(0, contact(rate_bps=rate_bps), 0, may_send=True)
    return made


def silence(made, rate_bps=100e6):
    made.look(AFTER_S * S, contact(rate_bps=rate_bps), 0, may_send=True)
    assert made.silent


def send(made, frames, first=1, now_ns=6 * S):
    """Sends frames; what is due after each of them goes at once."""
    taken = []
    for number in range(first, first + frames):
        made.sent(number, bytes([number % 256]) * (1 + number % made.room_bytes), now_ns)
        while made.owed():
            taken.append((number, decode_repair(made.take(now_ns, idle=False))))
    return taken


def test_while_reports_come_there_is_none_of_it_on_no_line_and_no_room_is_left_for_it():
    made = coder()
    for second in range(1, 60):
        made.look(second * S, contact(), second, may_send=True)
        assert made.room_bytes == ROOM
        assert send(made, 200, first=1 + 200 * second, now_ns=second * S) == []
        assert not made.silent
        assert made.take((second + 1) * S, idle=True) is None
    assert made.counts.sent == made.counts.made == 0


def test_before_the_first_report_could_come_an_idle_line_alone_carries_them():
    made = coder()
    assert made.room_bytes == ROOM - REPAIR_ROOM_BYTES
    assert send(made, 20 * SOURCES, now_ns=S) == []
    assert made.take(S, idle=True) is not None


def test_a_sum_over_the_longest_frames_fits_a_frame_of_its_own():
    made = coder()
    made.sent(1, bytes(made.room_bytes), S)
    repair = made.take(2 * S, idle=True)
    assert len(encode(Apid.PRODUCT_REPAIR, 0, repair, time_ns=0)) == ROOM


def test_a_silent_uplink_earns_so_many_repair_frames_for_each_product_frame():
    made = coder(share=0.25)
    silence(made)
    frames = 6 * BLOCKS_MAX * SOURCES
    taken = send(made, frames)
    assert len(taken) == pytest.approx(0.25 * frames, rel=0.15)
    gaps = [b - a for (a, _), (b, _) in pairwise(taken)]
    assert max(gaps[len(gaps) // 2 :]) <= 2 * EARNED_MAX / 0.25


def test_a_report_ends_it_at_once():
    made = coder()
    silence(made)
    send(made, 100)
    made.look(7 * S, contact(), 1, may_send=True)
    assert not made.silent
    assert send(made, 20 * SOURCES, first=101) == []
    assert made.take(9 * S, idle=True) is None


def test_an_uplink_that_falls_silent_later_is_found_out():
    made = coder()
    made.look(S, contact(), 1, may_send=True)
    made.look((AFTER_S + 2) * S, contact(), 1, may_send=True)
    assert made.silent
    assert send(made, 20 * SOURCES) != []


def heard_every(gap_s, until_s, made=None):
    """A contact of 1,000 s in which reports come so far apart, up to a time."""
    made = made or coder(after_s=60)
    for tenth in range(1, 10 * until_s):
        made.look(tenth * S // 10, contact(), tenth // (10 * gap_s), may_send=True)
    return made


def test_the_end_of_a_contact_is_a_silence_as_long_as_two_gaps_between_reports():
    assert not heard_every(20, 959).silent
    assert heard_every(20, 961).silent
    assert not heard_every(40, 919).silent
    assert heard_every(40, 921).silent


def test_where_reports_come_often_the_end_is_no_silence():
    assert not heard_every(10, 1_000).silent


def test_the_last_blocks_end_before_the_contact_and_their_symbols_go_first():
    made = heard_every(20, 961)
    sent, repairs, step_ns = 0, [], S // 100
    frames_a_step = int(100e6 / 100 / (8 * FRAME))
    for now_ns in range(961 * S, 1_000 * S, step_ns):
        made.look(now_ns, contact(), 48, may_send=True)
        room = frames_a_step
        while room:
            room -= 1
            if made.owed():
                repairs.append(decode_repair(made.take(now_ns, idle=False)))
            else:
                sent += 1
                made.sent(sent, b"packets", now_ns)
    covered = {
        repair.first_frame + repair.stride * at
        for repair in repairs
        for at in range(repair.sources)
    }
    assert len(covered) > 0.95 * sent
    assert len(repairs) == pytest.approx(0.25 * sent, rel=0.1)
    assert len(made.due) < BLOCKS_MAX


def test_a_report_in_the_last_moments_begins_anew_for_what_is_sent_after_it():
    made = heard_every(20, 997)
    made.sent(1, b"packets", 997 * S)
    made.look(998 * S, contact(), 300, may_send=True)
    assert made.silent
    made.sent(2, b"packets", 998 * S)
    later = 998 * S + S // 10
    taken = [decode_repair(data) for data in iter(lambda: made.take(later, idle=True), None)]
    assert {repair.first_frame for repair in taken} == {2}


def test_time_in_which_nothing_can_be_sent_is_no_silence():
    made = coder()
    for second in range(1, 60):
        made.look(second * S, contact(), 0, may_send=False)
    assert not made.silent


def test_neighbours_in_time_are_in_different_blocks():
    made = coder(rate_bps=1e9)
    silence(made, 1e9)
    taken = [repair for _, repair in send(made, 2 * BLOCKS_MAX * SOURCES)]
    assert {repair.stride for repair in taken} == {BLOCKS_MAX}
    assert {repair.sources for repair in taken[len(taken) // 2 :]} == {SOURCES}


def test_a_slow_line_has_small_blocks_so_that_repair_is_not_too_late():
    made = coder(rate_bps=60_000.0)
    silence(made, 60_000.0)
    taken = [repair for _, repair in send(made, 40)]
    assert {(repair.stride, repair.sources) for repair in taken} == {(1, 8)}


def test_an_idle_line_closes_the_blocks_under_way_after_a_while():
    made = coder()
    for number in range(1, 4):
        made.sent(number, b"packets", 6 * S)
    assert made.take(6 * S, idle=True) is None
    later = 6 * S + S // 10
    taken = []
    while (data := made.take(later, idle=True)) is not None:
        taken.append(decode_repair(data))
    assert sorted(repair.first_frame for repair in taken) == [1, 2, 3]
    assert all(repair.sources == 1 for repair in taken)
    assert made.take(later, idle=True) is None


def test_another_contact_begins_anew_and_without_one_nothing_is_summed():
    made = coder()
    silence(made)
    made.sent(1, b"packets", 6 * S)
    made.look(7 * S, contact(2), 0, may_send=True)
    assert not made.silent
    assert made.room_bytes == ROOM - REPAIR_ROOM_BYTES
    assert made.take(8 * S, idle=True) is None
    made.look(9 * S, None, 0, may_send=False)
    assert made.room_bytes == ROOM
    made.sent(2, b"packets", 9 * S)
    assert made.take(10 * S, idle=True) is None


def test_symbols_nobody_takes_are_bounded_and_counted():
    made = coder(share=0.4)
    for number in range(1, 10_000):
        made.sent(number, b"packets", 6 * S)
    counts = made.counts
    kept = 0
    while made.take(6 * S, idle=True) is not None:
        kept += 1
    assert counts.made == kept + counts.dropped
    assert counts.dropped > 0
