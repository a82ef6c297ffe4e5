"""A load goes up phase by phase, and one that the node refuses ends there."""

import pytest

from flight.commanding.upload_plan import upload_plan
from flight.telemetry.command_table import (
    LOAD_PART_BYTES_MAX,
    LoadActivate,
    LoadBegin,
    LoadPart,
    LoadValidate,
)
from flight.wire.telecommand import CommandReason, Stage, VerificationReport
from flight.wire.telecommand import encode_report as encoded
from hil.ground.operator import Operator
from hil.ground.uploader import UPLOADS_MAX, Uploader

DATA = bytes(range(256)) * 10


class Node:
    """Hears what is sent and answers the way a test says."""

    def __init__(self):
        self.operator = Operator(timeout_ns=10)
        self.uploader = Uploader(self.operator)
        self.heard, self.now_ns = [], 0

    def contact(self, refuse=(), deaf=()):
        """One round: what is due is heard and answered."""
        self.now_ns += 20
        self.uploader.step(self.now_ns)
        self.operator.due(self.now_ns)
        for command_id, sent in list(self.operator.pending.items()):
            if type(sent.command) in deaf:
                continue
            self.heard.append(sent.command)
            bad = type(sent.command) in refuse
            stage, reason = (
                (Stage.FAILED, CommandReason.BAD_CHECKSUM)
                if bad
                else (Stage.COMPLETED, CommandReason.NONE)
            )
            report = VerificationReport(command_id, stage, reason)
            self.operator.on_report(encoded(report), self.now_ns)


def kinds(commands):
    return [type(command) for command in commands]


def test_each_phase_waits_for_every_answer_to_the_one_before():
    node = Node()
    node.uploader.add("words", 3, DATA)
    node.contact()
    assert kinds(node.heard) == [LoadBegin]
    node.contact(deaf=[LoadPart])
    node.contact(deaf=[LoadPart])
    assert kinds(node.heard) == [LoadBegin]
    for _ in range(4):
        node.contact()
    assert kinds(node.heard) == [LoadBegin, *[LoadPart] * 3, LoadValidate, LoadActivate]
    assert (node.uploader.completed, node.uploader.failed) == (1, 0)


@pytest.mark.parametrize("phase", [LoadBegin, LoadPart, LoadValidate, LoadActivate])
def test_a_refusal_ends_the_upload_and_the_next_one_begins(phase):
    node = Node()
    node.uploader.add("words", 3, DATA)
    node.uploader.add("words", 3, b"second")
    while phase not in kinds(node.heard):
        node.contact(refuse=[phase])
    for _ in range(6):
        node.contact()
    assert (node.uploader.completed, node.uploader.failed) == (1, 1)
    assert node.heard[-3:] == [LoadPart(0, b"second"), LoadValidate(), LoadActivate()]


def test_an_upload_that_finds_no_place_is_counted():
    node = Node()
    for _ in range(UPLOADS_MAX + 2):
        node.uploader.add("words", 3, b"x")
    assert node.uploader.dropped == 2


def test_a_long_load_is_under_way_in_groups():
    plan = upload_plan("words", 3, bytes(40 * LOAD_PART_BYTES_MAX))
    assert [len(phase) for phase in plan] == [1, 16, 16, 8, 1, 1]
