"""Whose watchdog it is, as sd_watchdog_enabled(3) reads the environment."""

import os

import pytest

from flight.board_boot import watchdog_interval_ns

# Replaced by the number when the test runs: its name must be the same in every process.
THIS_PROCESS = "this process"


@pytest.mark.parametrize(
    ("usec", "pid", "interval_ns"),
    [
        ("2000000", None, 2_000_000_000),
        ("2000000", THIS_PROCESS, 2_000_000_000),
        ("2000000", "1", 0),
        ("0", None, 0),
        ("", None, 0),
        ("-5", None, 0),
        ("soon", None, 0),
        (None, None, 0),
    ],
)
def test_only_a_number_meant_for_this_process_is_an_interval(monkeypatch, usec, pid, interval_ns):
    if pid == THIS_PROCESS:
        pid = str(os.getpid())
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert watchdog_interval_ns() == interval_ns
