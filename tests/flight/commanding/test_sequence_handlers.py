"""Sequences by command: started with the operator's identity, refused with the reason."""

import pytest
from sequences import Node, after, sequence

from flight.commanding.dispatcher import COMPLETED, HandlerVerdict, LongBinding, failed
from flight.commanding.sequence import encode_sequence
from flight.commanding.sequence_handlers import SequenceHandlers
from flight.telemetry.command_table import (
    SequenceAbort,
    SequenceDelete,
    SequenceHold,
    SequenceResume,
    SequenceStart,
    SequenceStep,
)
from flight.wire.telecommand import CommandReason

R = CommandReason


class Room:
    def __init__(self):
        self.node = Node(sequence(after(5, 1), after(5, 2)))
        rows = SequenceHandlers(self.node.deck, self.node.library).bindings()
        self.rows = {row.command_type: row for row in rows}

    def command(self, command, ticket=7):
        row = self.rows[type(command)]
        if isinstance(row, LongBinding):
            return row.handler(command, self.node.now_ns, ticket)
        return row.handler(command, self.node.now_ns)


def test_a_start_goes_on_and_ends_under_its_identity():
    room = Room()
    assert room.command(SequenceStart("plan")).verdict is HandlerVerdict.STARTED
    assert room.command(SequenceStart("plan"), 8) == failed(R.BUSY)
    room.node.cycle(10)
    assert room.node.answers == [(7, "NONE")]


def test_hold_step_resume_and_abort():
    room = Room()
    room.command(SequenceStart("plan"))
    assert room.command(SequenceStep("plan"), 8) == failed(R.REFUSED)
    assert room.command(SequenceHold("plan")) == COMPLETED
    assert room.command(SequenceStep("plan"), 8).verdict is HandlerVerdict.STARTED
    room.node.cycle()
    assert room.node.numbers() == [1]
    assert room.command(SequenceResume("plan")) == COMPLETED
    assert room.command(SequenceAbort("plan")) == COMPLETED
    room.node.cycle(20)
    assert room.node.numbers() == [1]
    assert room.node.answers == [(8, "NONE"), (7, "ABORTED")]
    assert room.node.last("SEQUENCE_ABORTED") == "sequence plan aborted at step 2: by command"


def test_an_upload_is_deleted_unless_it_runs():
    room = Room()
    room.node.library.activate(encode_sequence(sequence(after(9), name="mine")), 0)
    room.command(SequenceStart("mine"))
    assert room.command(SequenceDelete("mine")) == failed(R.BUSY)
    room.command(SequenceAbort("mine"))
    assert room.command(SequenceDelete("mine")) == COMPLETED
    assert room.command(SequenceStart("mine")) == failed(R.NOT_FOUND)


@pytest.mark.parametrize(
    "kind", [SequenceStart, SequenceStep, SequenceAbort, SequenceHold, SequenceResume,
             SequenceDelete],
)  # fmt: skip
def test_a_name_that_nobody_knows_is_not_found(kind):
    assert Room().command(kind("no-such")) == failed(R.NOT_FOUND)
