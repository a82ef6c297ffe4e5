"""Nothing is done twice over a reset, and nothing is promised that a power cut takes away."""

from types import SimpleNamespace

from flight.commanding.dispatcher import Dispatched
from flight.commanding.durable_gate import LIMIT_NS, WAITING_MAX, DurableGate
from flight.telemetry.command_table import DeleteProduct
from flight.wire.telecommand import CommandReason, Stage, Telecommand, VerificationReport


def store(mark=0, durable_mark=0, *, closed=False):
    return SimpleNamespace(mark=mark, durable_mark=durable_mark, closed=closed)


def command(command_id):
    return Telecommand(command_id, DeleteProduct(1))


def answer(command_id, stage=Stage.COMPLETED, *, repeated=False):
    accepted = () if repeated else (VerificationReport(command_id, Stage.ACCEPTED),)
    return Dispatched("X", (*accepted, VerificationReport(command_id, stage)), repeated=repeated)


def test_a_command_waits_for_its_identity_and_keeps_those_behind_it_waiting():
    gate = DurableGate(store())
    gate.admit(command(1), 0)
    gate.admit(command(2), 0)
    assert gate.next(0, lambda each: each.command_id == 2) is None
    assert gate.next(0, lambda _: True) == command(1)
    assert gate.next(0, lambda _: True) == command(2)
    assert gate.next(0, lambda _: True) is None
    assert gate.undurable == 0


def test_a_dead_disk_and_one_that_hangs_stop_no_command():
    dead = DurableGate(store(closed=True))
    dead.admit(command(1), 0)
    assert dead.next(0, lambda _: False) == command(1)
    hangs = DurableGate(store())
    hangs.admit(command(1), 0)
    assert hangs.next(LIMIT_NS - 1, lambda _: False) is None
    assert hangs.next(LIMIT_NS, lambda _: False) == command(1)
    assert (dead.undurable, hangs.undurable) == (1, 1)


def test_more_commands_than_may_wait_are_counted():
    gate = DurableGate(store())
    for command_id in range(WAITING_MAX + 3):
        gate.admit(command(command_id), 0)
    assert gate.dropped == 3


def test_an_answer_waits_until_all_that_its_command_changed_is_durable():
    words = store(mark=5, durable_mark=3)
    gate = DurableGate(words)
    gate.hold(answer(1), 4, 0)
    gate.hold(answer(2), 5, 0)
    assert list(gate.release(0)) == [], "in order, whatever the second one waits for"
    words.durable_mark = 5
    assert list(gate.release(0)) == [answer(1), answer(2)]


def test_a_command_that_changed_nothing_is_answered_at_once():
    gate = DurableGate(store(mark=5, durable_mark=3))
    gate.hold(answer(1), 5, 0)
    assert list(gate.release(0)) == [answer(1)]


def test_what_never_became_durable_is_not_said_to_be_completed_not_even_when_repeated():
    gate = DurableGate(store(mark=5, durable_mark=3))
    gate.hold(answer(1), 4, 0)
    gate.hold(answer(2, Stage.FAILED), 4, 0)
    said = list(gate.release(LIMIT_NS))
    assert [each.reports[0].stage for each in said] == [Stage.ACCEPTED] * 2
    assert said[0].reports[-1] == VerificationReport(1, Stage.FAILED, CommandReason.NOT_DURABLE)
    assert said[1] == answer(2, Stage.FAILED)
    gate.hold(answer(1, repeated=True), 5, LIMIT_NS)
    (again,) = gate.release(LIMIT_NS)
    assert again.repeated
    assert again.reports == (VerificationReport(1, Stage.FAILED, CommandReason.NOT_DURABLE),)


def test_a_retransmission_is_not_answered_before_the_first_answer():
    words = store(mark=5, durable_mark=3)
    gate = DurableGate(words)
    gate.hold(answer(1), 4, 0)
    gate.hold(answer(1, repeated=True), 5, 0)
    words.durable_mark = 5
    assert list(gate.release(0)) == [answer(1)]
