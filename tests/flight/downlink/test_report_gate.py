"""Which reports are believed."""

from __future__ import annotations

from flight.downlink.report_gate import SEQ_MEMORY, Belief, ReportGate
from flight.wire.report import Report


def judge(gate, seq, epoch=1, vcid=2, top=5):
    return gate.judge(Report(epoch, seq, vcid, top, 1, ((1, top),)), 10)


def test_each_report_of_the_present_session_counts_once_in_any_order():
    gate = ReportGate(2)
    assert gate.epoch is None
    order = [3, 1, 3, 2, 1, 9]
    found = [judge(gate, seq) for seq in order]
    yes, no = Belief.ACCEPTED, Belief.DUPLICATE
    assert found == [yes, yes, no, yes, no, yes]


def test_other_links_old_sessions_and_impossible_frames_do_not_count():
    gate = ReportGate(2)
    assert judge(gate, 0, epoch=7, vcid=1) is Belief.WRONG_CHANNEL
    assert judge(gate, 0, epoch=7, top=11) is Belief.IMPOSSIBLE
    assert gate.epoch is None
    assert judge(gate, 0, epoch=7) is Belief.ACCEPTED
    assert judge(gate, 5, epoch=6) is Belief.STALE
    assert judge(gate, 0, epoch=8) is Belief.ACCEPTED, "a new session counts from nought"
    assert gate.epoch == 8


def test_the_memory_is_bounded_and_what_lies_before_it_is_stale():
    gate = ReportGate(2)
    for seq in range(5 * SEQ_MEMORY):
        assert judge(gate, seq) is Belief.ACCEPTED
    assert len(gate._seen) <= 2 * SEQ_MEMORY
    assert judge(gate, 4 * SEQ_MEMORY - 1) is Belief.STALE
    assert judge(gate, 4 * SEQ_MEMORY) is Belief.DUPLICATE
