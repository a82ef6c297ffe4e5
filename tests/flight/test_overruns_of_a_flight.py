"""A real flight whose loop is held up says so; what its time and its queues do is telemetry."""

from __future__ import annotations

import os
import signal
from math import isnan
from pathlib import Path

import pytest
from flight_process import ROOT, FlightProcess
from node_on_line import NodeOnLine

from flight.telemetry.channel_table import RATE_GROUPS
from flight.telemetry.queue_table import QUEUES

pytestmark = pytest.mark.slow  # real processes

EVERY_QUEUE = "[link]\nrepair = 0.1\n"
"""The queue of repair symbols is only made where there are some."""
FAULTY = str(Path(__file__).with_name("faulty_flight.py"))


def test_periods_that_nobody_stepped_are_told_and_never_caught_up(make_board, tmp_path):
    env = {"PYTHONPATH": str(ROOT)}
    flight = FlightProcess(make_board(tmp_path), env, (FAULTY, "loop held up"))
    try:
        flight.until("MODE_CHANGED")
        os.kill(flight.pid, signal.SIGUSR1)
        told = flight.until("RATE_OVERRUN").partition("RATE_OVERRUN: ")[2].split()
        assert told[:3] == ["group", "main", "overran:"]
        assert int(told[3]) >= 1
        assert flight.end() == 0
    finally:
        flight.end(signal.SIGKILL)


@pytest.fixture
def node(tmp_path):
    node = NodeOnLine(tmp_path, contact=False, extra=EVERY_QUEUE)
    yield node
    assert node.end() == 0


def test_every_rate_group_tells_its_longest_step_its_slips_and_its_drift(node):
    for name in RATE_GROUPS:
        told = lambda figure, name=name: node.newest(f"rate.{name}_{figure}")
        node.until(lambda told=told: told("busy_ms") > 0.0 and told("late_ms") > 0.0)
        assert told("busy_ms") <= told("busy_max_ms")
        assert told("late_ms") <= told("late_max_ms")
        assert told("period_ms") > 0.0
        os.kill(node.flight.pid, signal.SIGSTOP)
        node.until_passed(2.5 * told("period_ms") / 1e3)
        os.kill(node.flight.pid, signal.SIGCONT)
        node.until(lambda told=told: told("overruns") >= 1)
        node.until(lambda told=told: abs(told("drift_ms")) < told("period_ms") / 2)


def test_every_queue_tells_its_bound_its_depth_its_high_water_mark_and_what_it_lost(node):
    node.until(lambda: node.newest("system.cycles") >= 2)
    for queue in (each for each in QUEUES if not each.on_host):
        told = {
            measure: node.newest(f"queues.{queue.name}_{measure}")
            for measure in ("capacity", "depth", "high_water", "dropped")
        }
        assert not any(isnan(value) for value in told.values()), queue.name
        assert 0 <= told["depth"] <= told["high_water"] <= told["capacity"]
        assert told["dropped"] >= 0
