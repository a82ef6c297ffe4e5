"""Real flights under a service manager: what it is told, and who stops the watchdog's stroke."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flight_process import PATIENCE_S, ROOT, FlightProcess, flying

from flight.watchdog_chain import READY, STOPPING, STROKE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow  # real processes

FAULTY = str(Path(__file__).with_name("faulty_flight.py"))
INTERVAL_US = 400_000
QUIET_S = 10 * INTERVAL_US / 1e6
"""Twenty strokes are missing by then."""
STILL = {
    "deadlocked task": "downlink", "starved thread": "store", "stopped tick": "main",
}  # fmt: skip


class ServiceManager:
    """The far end of NOTIFY_SOCKET."""

    def __init__(self, name: str) -> None:
        self.address = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + name[1:] if name.startswith("@") else name)

    def next(self, patience_s: float = PATIENCE_S) -> list[str]:
        """Lines of the next message; none when there was none."""
        self._socket.settimeout(patience_s)
        try:
            return self._socket.recv(4096).decode().splitlines()
        except TimeoutError:
            return []

    def until(self, words: str) -> list[str]:
        """The next message with a line that holds them."""
        while message := self.next():
            if any(words in line for line in message):
                return message
        raise AssertionError(f"{words!r} was never told")

    def quiet(self) -> bool:
        """Whether no stroke comes for as long as would cost the process its life."""
        message = self.next(QUIET_S)
        while message and STROKE not in message:
            message = self.next(QUIET_S)
        return not message

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager() -> Iterator[ServiceManager]:
    made = ServiceManager(f"@lumenode-{os.getpid()}-{id(object())}")
    yield made
    made.close()


@pytest.fixture
def board(make_board, tmp_path):
    return make_board(tmp_path)


@contextmanager
def managed(config: Path, manager: ServiceManager, fault: str) -> Iterator[FlightProcess]:
    env = {
        "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(INTERVAL_US),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    flight = FlightProcess(config, env, (FAULTY, fault))
    try:
        yield flight
    finally:
        flight.end(signal.SIGKILL)


def strike(flight: FlightProcess) -> None:
    os.kill(flight.pid, signal.SIGUSR1)


def test_a_node_that_is_well_says_so_after_its_first_cycle_strokes_on_and_tells_its_end(
    board, manager
):
    with managed(board, manager, "none") as flight:
        first = manager.next()
        assert first[:2] == [READY, STROKE]
        assert first[2].startswith("STATUS=")
        assert "no cycle yet" not in first[2]
        later = [manager.next() for _ in range(20)]
        assert all(STROKE in message for message in later)
        assert not any(READY in message for message in later)
        assert flight.end() == 0
        assert manager.until(STOPPING) == [STOPPING, "STATUS=stopping: SIGTERM"]


def test_a_blocked_loop_stops_the_stroke_and_the_next_start_knows_why_it_was_killed(board, manager):
    with managed(board, manager, "blocked loop") as flight:
        manager.until(READY)
        manager.until(STROKE)
        strike(flight)
        assert manager.quiet()
        assert flight.end(signal.SIGABRT) == -signal.SIGABRT  # as the manager would
    with flying(board) as again:
        assert "reset cause watchdog" in again.until("BOOTED")


@pytest.mark.parametrize("fault", STILL)
def test_whatever_stands_still_while_the_loop_turns_stops_the_stroke_and_is_named(
    board, manager, fault
):
    with managed(board, manager, fault) as flight:
        manager.until(READY)
        manager.until(STROKE)
        strike(flight)
        message = manager.until(f"watchdog withheld for {STILL[fault]}")
        assert STROKE not in message
        if fault != "deadlocked task":  # which is given new lives
            assert manager.quiet()


def test_a_task_that_its_restart_cures_gives_the_stroke_back(board, manager):
    with managed(board, manager, "task that a restart cures") as flight:
        manager.until(READY)
        strike(flight)
        assert STROKE not in manager.until("watchdog withheld for downlink")
        flight.until("SERVICE_RESTARTED: service downlink")
        message = manager.until("STATUS=")
        assert STROKE in message
        assert "withheld" not in message[-1]


def test_a_watchdog_that_is_another_process_s_is_not_stroked(board, manager):
    with flying(
        board, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC=str(INTERVAL_US), WATCHDOG_PID="1"
    ):
        assert READY in manager.next()
        assert manager.quiet()


def test_a_manager_that_is_not_there_is_told_of_once_and_the_node_flies_on(board, tmp_path):
    with flying(board, NOTIFY_SOCKET=str(tmp_path / "nobody")) as flight:
        assert "service manager does not hear" in flight.until("GUARD_DEGRADED")
        flight.until("MODE_CHANGED")
        assert flight.end() == 0
        assert sum("service manager" in line for line in flight.lines) == 1
