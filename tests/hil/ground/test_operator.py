import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.command_table import NoOp, SetMode
from flight.wire.space_packet import Apid, decode_all
from flight.wire.telecommand import (
    CommandReason,
    Stage,
    Telecommand,
    VerificationReport,
    decode_telecommand,
    encode_report,
)
from hil.ground.operator import HISTORY_MAX, PENDING_MAX, Fate, Operator, OperatorBusyError

S = 1_000_000_000


def ids(packets: list[bytes]) -> list[int]:
    found = []
    for raw in packets:
        (packet,) = decode_all(raw)
        assert packet.apid == Apid.TELECOMMAND
        assert packet.telecommand
        telecommand = decode_telecommand(packet.data)
        assert isinstance(telecommand, Telecommand)
        found.append(telecommand.command_id)
    return found


def report(command_id: int, stage: Stage, reason: CommandReason = CommandReason.NONE) -> bytes:
    return encode_report(VerificationReport(command_id, stage, reason))


def test_a_command_is_sent_at_once_and_kept_until_its_last_word():
    operator = Operator(first_id=100)
    command_id = operator.send(SetMode("IDLE"), 5 * S)
    assert operator.next_due_ns() == 5 * S
    assert ids(operator.due(5 * S)) == [command_id] == [100]
    assert operator.due(6 * S) == []
    for stage in (Stage.ACCEPTED, Stage.STARTED):
        operator.on_report(report(100, stage), 6 * S)
        assert operator.fate(100).fate is Fate.PENDING
        assert operator.fate(100).stage is stage
    operator.on_report(report(100, Stage.COMPLETED), 7 * S)
    assert operator.fate(100).fate is Fate.COMPLETED
    assert not operator.pending
    assert operator.next_due_ns() is None
    assert operator.due(100 * S) == []


def test_silence_sends_the_same_identity_again_and_gives_up_in_the_end():
    operator = Operator(timeout_ns=S, tries_max=3)
    command_id = operator.send(NoOp(), 0)
    sent = [ids(operator.due(t * S // 2)) for t in range(10)]
    assert sent == [[command_id], [], [command_id], [], [command_id], [], [], [], [], []]
    assert operator.fate(command_id).fate is Fate.GIVEN_UP
    assert operator.retransmissions == 2


def test_a_long_command_is_not_given_up_while_the_node_answers():
    operator = Operator(timeout_ns=S, tries_max=2)
    command_id = operator.send(NoOp(), 0)
    operator.due(0)
    for t in range(1, 20):
        assert ids(operator.due(t * S)) == [command_id]
        operator.on_report(report(command_id, Stage.STARTED), t * S)
    assert operator.fate(command_id).fate is Fate.PENDING


def test_a_word_after_giving_up_corrects_the_fate():
    operator = Operator(timeout_ns=S, tries_max=1)
    command_id = operator.send(NoOp(), 0)
    operator.due(0)
    operator.due(S)
    assert operator.fate(command_id).fate is Fate.GIVEN_UP
    operator.on_report(report(command_id, Stage.ACCEPTED), 2 * S)
    assert operator.fate(command_id).fate is Fate.GIVEN_UP
    operator.on_report(report(command_id, Stage.COMPLETED), 2 * S)
    assert operator.fate(command_id).fate is Fate.COMPLETED
    assert not operator.pending


@pytest.mark.parametrize(
    ("stage", "reason", "fate"),
    [
        (Stage.FAILED, CommandReason.NOT_FOUND, Fate.FAILED),
        (Stage.REJECTED, CommandReason.WRONG_MODE, Fate.REJECTED),
        (Stage.REJECTED, CommandReason.STALE, Fate.UNCERTAIN),
    ],
)
def test_each_last_word_has_its_fate_and_its_reason(stage, reason, fate):
    operator = Operator()
    command_id = operator.send(NoOp(), 0)
    operator.due(0)
    operator.on_report(report(command_id, stage, reason), 1)
    assert operator.fate(command_id).fate is fate
    assert operator.fate(command_id).reason is reason


def test_reports_that_match_nothing_are_counted_and_harmless():
    operator = Operator()
    unsent = operator.send(NoOp(), 0)
    for data in (report(99, Stage.COMPLETED), report(unsent, Stage.COMPLETED)):
        operator.on_report(data, 0)
    assert operator.on_report(b"garbage", 0) is None
    assert (operator.reports_unmatched, operator.reports_malformed) == (2, 1)
    assert operator.fate(unsent).fate is Fate.PENDING
    operator.due(0)
    operator.on_report(report(unsent, Stage.COMPLETED), 0)
    operator.on_report(report(unsent, Stage.COMPLETED), 0)
    assert operator.reports_unmatched == 3


def test_a_late_early_stage_does_not_take_a_later_one_back():
    operator = Operator()
    command_id = operator.send(NoOp(), 0)
    operator.due(0)
    operator.on_report(report(command_id, Stage.STARTED), 1)
    operator.on_report(report(command_id, Stage.ACCEPTED), 2)
    assert operator.fate(command_id).stage is Stage.STARTED


def test_pending_commands_and_history_are_bounded():
    operator = Operator()
    for _ in range(HISTORY_MAX // PENDING_MAX + 2):
        sent = [operator.send(NoOp(), 0) for _ in range(PENDING_MAX)]
        with pytest.raises(OperatorBusyError):
            operator.send(NoOp(), 0)
        operator.due(0)
        for command_id in sent:
            operator.on_report(report(command_id, Stage.COMPLETED), 0)
    assert len(operator._history) == HISTORY_MAX
    assert operator.fate(1) is None


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.none(), st.binary(max_size=12), st.integers(1, 6)), max_size=40))
def test_whatever_comes_down_every_command_has_exactly_one_record(steps):
    operator = Operator(timeout_ns=S, tries_max=3)
    taken = []
    for now, step in enumerate(steps):
        if step is None:
            taken.append(operator.send(NoOp(), now * S))
        elif isinstance(step, bytes):
            operator.on_report(step, now * S)
        else:
            operator.on_report(report(step, Stage(1 + step % 5)), now * S)
        operator.due(now * S)
    for command_id in taken:
        assert (command_id in operator.pending) != (command_id in operator._history)
        is_open = operator.fate(command_id).fate is Fate.PENDING
        assert is_open == (command_id in operator.pending)
