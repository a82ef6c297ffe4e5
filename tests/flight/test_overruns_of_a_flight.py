"""A real flight whose loop is held up says so, counts what it missed, and goes on by its grid."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from flight_process import ROOT, FlightProcess

pytestmark = pytest.mark.slow  # real processes

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
