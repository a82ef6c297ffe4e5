"""The dead-man of a node that flies: its process stopped, and killed, from outside."""

import mmap
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hal.native_library import ffi, lib

pytestmark = pytest.mark.slow  # real processes, real time

PATIENCE_S = 120
GUARD_TICKS = 60
BOARD = f"""
[board]
tick_hz = 20
guard_ticks = {GUARD_TICKS}
"""


def gone(pid):
    """Ended, whether or not somebody has collected it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(") ")[2].startswith("Z")


class Watched:
    """A flight process, its guard's page, and the process that watches it."""

    def __init__(self, config):
        command = [sys.executable, "-m", "flight", "fly", "--config", str(config)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.read_until("mode IDLE to COMPUTE")
        self.page = self._map_guard()
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        (self.supervisor,) = [
            pid for pid in children
            if Path(f"/proc/{pid}/comm").read_text().strip() == "lumenode-guard"
        ]  # fmt: skip

    @property
    def pid(self):
        return self.process.pid

    def read_until(self, words):
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return
        raise AssertionError(f"{words!r} never came: {self.lines}")

    def _map_guard(self):
        for link in Path(f"/proc/{self.pid}/fd").iterdir():
            if str(link.readlink()).startswith("/memfd:lumenode-guard"):
                with link.open("r+b") as file:
                    return mmap.mmap(file.fileno(), lib.GUARD_BYTES)
        raise AssertionError("no guard")

    def status(self):
        told = ffi.new("struct guard_status *")
        guard = ffi.cast("struct guard *", ffi.from_buffer(self.page))
        assert lib.guard_read_status(guard, told) == lib.HAL_OK
        return told

    def until(self, holds):
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < give_up, "it did not come"
            time.sleep(0.01)


@pytest.fixture
def watched(make_board, tmp_path):
    config = make_board(tmp_path)
    config.write_text(config.read_text() + BOARD)
    flight = Watched(config)
    yield flight
    flight.process.kill()
    flight.process.communicate()


def test_a_stopped_flight_is_made_safe_and_comes_back_to_safe_mode(watched):
    assert watched.status().state == lib.GUARD_ARMED
    os.kill(watched.pid, signal.SIGSTOP)
    stopped_at = watched.status().process_ticks
    watched.until(lambda: watched.status().safe)
    told = watched.status()
    assert (told.cause, told.watcher) == (lib.GUARD_CAUSE_SILENCE, lib.GUARD_PROCESS)
    assert told.silent_ticks == GUARD_TICKS
    assert told.trip_tick <= stopped_at + GUARD_TICKS + 2, "within two ticks of its limit"
    assert (told.trips, told.acts, told.steps_failed) == (1, 1, 0)
    os.kill(watched.pid, signal.SIGCONT)
    watched.read_until("GUARD_REARMED")
    text = "".join(watched.lines)
    assert "ALARM   GUARD_TRIPPED: payload and laser switched off by the guard's process" in text
    assert "RECOVERY_FIRED: guard.tripped: shed_payload, laser_off, enter_safe" in text
    assert "mode COMPUTE to SAFE: software stood still" in text
    assert watched.status().state == lib.GUARD_ARMED
    watched.process.terminate()
    watched.read_until("SHUTDOWN")
    assert watched.process.wait(PATIENCE_S) == 0
    assert gone(watched.supervisor)


def test_a_killed_flight_leaves_a_safe_node_and_no_process(watched):
    watched.process.kill()
    watched.until(lambda: watched.status().safe)
    assert watched.status().cause == lib.GUARD_CAUSE_DEATH
    assert watched.status().acts == 1
    watched.process.wait(PATIENCE_S)
    watched.until(lambda: gone(watched.supervisor))
