"""A real flight over a real line: a command is done when it comes, and every one has its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from node_on_line import NodeOnLine

from flight.telemetry.dictionary import EVENT_BY_ID
from flight.wire.space_packet import Apid
from flight.wire.telecommand import Stage
from flight.wire.telemetry import decode_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # a real process and an acquisition


@pytest.fixture
def fly(tmp_path: Path) -> Iterator[Callable[..., NodeOnLine]]:
    flown: list[NodeOnLine] = []

    def make(*, contact: bool) -> NodeOnLine:
        flown.append(node := NodeOnLine(tmp_path, contact=contact))
        return node

    yield make
    for node in flown:
        assert node.end() == 0


def cycles(node: NodeOnLine) -> float:
    node.told.clear()
    node.until(lambda: node.newest("system.cycles") > 0)
    return node.newest("system.cycles")


def completed(node: NodeOnLine) -> set[int]:
    """Commands whose end the node told as an event."""
    events = [decode_event(packet.data) for packet in node.packets(Apid.EVENT)]
    return {
        int(event.args["command"])
        for event in events
        if EVENT_BY_ID[event.event_id].name == "COMMAND_COMPLETED"
    }


def test_outside_a_contact_commands_one_after_the_other_do_not_wait_for_cycles(fly):
    """Without it each would take one: the contact loop looks up once a second by itself."""
    node, count = fly(contact=False), 12
    node.until(lambda: node.newest("system.cycles") > 0)
    begun = cycles(node)
    for _ in range(count):
        sent = node.send()
        node.until(lambda sent=sent: sent in completed(node))
    assert cycles(node) - begun < count


def test_of_a_burst_with_twelve_outstanding_no_answer_is_lost_or_uncounted(fly):
    node = fly(contact=True)
    node.until(lambda: node.link.bench.counters.frames_up > 0)
    outstanding = {node.send()}
    node.until(lambda: outstanding <= node.answers.keys())
    sent = 1
    while sent < 600:
        while len(outstanding - node.answers.keys()) < 12:
            outstanding.add(node.send())
            sent += 1
        node.until(lambda: len(outstanding - node.answers.keys()) < 12)
    node.until(lambda: outstanding <= node.answers.keys())
    assert {report.stage for report in node.answers.values()} == {Stage.COMPLETED}
    node.told.clear()
    node.until(lambda: node.newest("command.accepted_total") == sent)
    assert node.newest("queues.verification_dropped") == 0
    assert node.newest("command.rejected_total") == node.newest("command.malformed_total") == 0
