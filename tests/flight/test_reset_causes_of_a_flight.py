"""Real flights over a line, ended in five ways: what the telemetry of the next one says of each."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from boot_files import ELSEWHERE, rewrite
from node_on_line import NodeOnLine

from flight.board_boot import BOOT_RECORD
from flight.telemetry.channel_table import RESET_LABELS
from flight.telemetry.command_table import ResetNode
from flight.wire.telecommand import CommandReason, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # real processes


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeOnLine]:
    node = NodeOnLine(tmp_path, contact=True)
    try:
        yield node
    finally:
        node.end(signal.SIGKILL)


def in_flight(node: NodeOnLine) -> None:
    node.until(lambda: node.newest("system.cycles") >= 1)


def told(node: NodeOnLine) -> tuple[str, bool, int]:
    """Cause of the last end, whether it was planned, unplanned starts in a row."""
    in_flight(node)
    return (
        RESET_LABELS[int(node.newest("mode.reset_cause"))],
        bool(node.newest("reset.planned")),
        int(node.newest("reset.unplanned_in_a_row")),
    )


def command_reset(node: NodeOnLine) -> CommandReason:
    """One step of it; what the node answers."""
    sent = node.send(ResetNode())
    node.until(lambda: sent in node.answers)
    assert node.answers[sent].stage is Stage.COMPLETED
    return node.answers[sent].reason


def in_contact(node: NodeOnLine) -> None:
    begun = node.link.bench.counters.frames_up
    node.until(lambda: node.link.bench.counters.frames_up > begun)


def test_five_ends_are_five_causes_in_telemetry_with_their_count(node, tmp_path):
    in_flight(node)
    node.flight.end(signal.SIGKILL)
    node.fly_again()
    found = [told(node)]
    node.flight.end(signal.SIGTERM)
    node.fly_again(WATCHDOG_USEC="2000000")
    found.append(told(node))
    os.kill(node.flight.pid, signal.SIGSTOP)  # blocked, and killed as a service manager does it
    os.kill(node.flight.pid, signal.SIGABRT)
    os.kill(node.flight.pid, signal.SIGCONT)
    node.fly_again()
    found.append(told(node))
    node.flight.end(signal.SIGKILL)
    rewrite(tmp_path / "data" / BOOT_RECORD, power_up=ELSEWHERE)  # the machine itself was off
    node.fly_again()
    found.append(told(node))
    in_contact(node)
    assert command_reset(node) is CommandReason.ARMED
    assert command_reset(node) is CommandReason.NONE
    node.until(lambda: node.flight.gone)
    node.fly_again()
    found.append(told(node))
    assert found == [
        ("software", False, 1),
        ("stopped", True, 0),
        ("watchdog", False, 1),
        ("power_cut", False, 2),
        ("commanded", True, 0),
    ]
    assert node.newest("mode.boot_count") == 6
    for cause in ("software", "stopped", "watchdog", "commanded"):
        assert node.newest(f"reset.{cause}") == 1, cause
    assert node.newest("reset.power_cut") == 2, "the first start of all is one"


def test_a_reset_by_command_takes_two_steps_answers_both_and_ends_the_flight_in_order(node):
    in_flight(node)
    in_contact(node)
    assert command_reset(node) is CommandReason.ARMED
    seen = node.newest("system.cycles")
    node.until(lambda: node.newest("system.cycles") > seen + 2)
    assert not node.flight.gone, "armed is not done"
    assert command_reset(node) is CommandReason.NONE
    node.until(lambda: node.flight.gone)
    assert node.flight.ended() == 0
    assert any("SHUTDOWN: stopping: reset by command" in line for line in node.flight.lines)
