"""One run: delays hold, instants follow UTC, and a record is enough to go on after a reset."""

import pytest
from sequences import EPOCH_S, S, after, at, sequence

from flight.commanding.dispatcher import Source
from flight.commanding.sequence_run import Due, SequenceRun


def run_of(*steps, now_ns=0, **more):
    return SequenceRun(sequence(*steps, **more), 1, Source.SEQUENCE, 0, now_ns)


def utc(second):
    return (EPOCH_S + second) * S


def test_the_first_delay_counts_from_the_start_and_each_next_one_from_the_step_before():
    run = run_of(after(5), after(10), now_ns=100 * S)
    assert run.due(105 * S - 1, None) is Due.WAIT
    assert run.due(105 * S, None) is Due.RUN
    run.advance(107 * S)
    assert run.due(117 * S - 1, None) is Due.WAIT
    assert run.due(117 * S, None) is Due.RUN
    run.advance(117 * S)
    assert run.due(117 * S, None) is Due.OVER


@pytest.mark.parametrize("step_s", [3_600, -3_600])
def test_a_step_of_utc_by_an_hour_leaves_a_delay_alone(step_s):
    run = run_of(after(60))
    assert run.due(59 * S, utc(59 + step_s)) is Due.WAIT
    assert run.due(60 * S, utc(60 + step_s)) is Due.RUN


def test_a_step_of_utc_an_hour_back_makes_an_instant_come_an_hour_later():
    run = run_of(at(60))
    assert run.due(59 * S, utc(59)) is Due.WAIT
    assert run.due(60 * S, utc(60 - 3_600)) is Due.WAIT
    assert run.due(3_659 * S, utc(59)) is Due.WAIT
    assert run.due(3_660 * S, utc(60)) is Due.RUN


def test_an_instant_that_a_step_of_utc_leapt_over_is_done_at_once_or_skipped_by_its_lateness():
    assert run_of(at(60), late_s=3_600).due(0, utc(60 + 3_600)) is Due.RUN
    assert run_of(at(60), late_s=3_599).due(0, utc(60 + 3_600)) is Due.SKIP


def test_without_utc_an_instant_waits_and_a_delay_does_not():
    assert run_of(at(60)).due(10_000 * S, None) is Due.WAIT
    assert run_of(after(60)).due(10_000 * S, None) is Due.RUN


def test_a_held_run_keeps_the_rest_of_its_delay():
    run = run_of(after(60))
    assert run.hold(20 * S)
    assert not run.hold(20 * S)
    assert run.due(5_000 * S, None) is Due.WAIT
    assert run.resume(5_000 * S)
    assert not run.resume(5_000 * S)
    assert run.due(5_040 * S - 1, None) is Due.WAIT
    assert run.due(5_040 * S, None) is Due.RUN


def test_a_held_run_does_one_step_when_asked_and_not_before_its_time_otherwise():
    run = run_of(after(60), after(60))
    run.hold(0)
    run.step_ticket = 9
    assert run.due(S, None) is Due.RUN
    run.advance(S)
    run.step_ticket = None
    assert run.due(2 * S, None) is Due.WAIT


@pytest.mark.parametrize("held", [False, True])
def test_a_run_goes_on_from_its_record_with_what_was_left_of_its_delay(held):
    run = run_of(after(1), after(100), after(1))
    run.advance(S)
    run.done()
    if held:
        run.hold(31 * S)
    record = run.record(31 * S)
    assert (record.index, record.left_ns, record.in_doubt) == (1, 70 * S, False)
    later = SequenceRun.restored(run.sequence, record, 9_000 * S)
    assert (later.index, later.steps_done, later.held) == (1, 1, held)
    if held:
        later.resume(9_000 * S)
    assert later.due(9_070 * S - 1, None) is Due.WAIT
    assert later.due(9_070 * S, None) is Due.RUN


def test_a_step_is_in_doubt_from_its_count_until_it_is_done_and_a_skipped_one_never():
    run = run_of(after(0), at(5), after(0))
    run.advance(0)
    assert run.record(0).in_doubt
    run.done()
    assert not run.record(0).in_doubt
    run.advance(0, skipped=True)
    assert not run.record(0).in_doubt
    assert (run.steps_done, run.steps_skipped) == (1, 1)


def test_a_record_beyond_the_last_step_is_a_run_that_is_over():
    run = run_of(after(0))
    run.advance(0)
    later = SequenceRun.restored(run.sequence, run.record(0), 0)
    assert later.due(0, None) is Due.OVER
