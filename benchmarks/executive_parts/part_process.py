"""Part "process" of executive.py: how soon a flight is ready, what it weighs, what it costs idle.

Ready is what the service manager hears: READY=1, once every rate group has been stepped. Modules
are compiled before, as they are in an installation. Idle is a board at rest with an imager that
shows nothing; processor time is that of the flight with its children, the guard's supervisor and
the worker that waits for a first frame.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import boards
import reference

STARTS = 7
READY_S_MAX = 0.8
RSS_MIB_MAX = 60.0
IDLE_S = 30.0
SETTLE_S = 3.0
READY_LIMIT_S = 30.0
CYCLES = {10: 1.0, 100: 8.0}
"""Ticks a second, and the most that a flight at rest may take of a core, %."""
BOARD = """
[board]
tick_hz = {hz}
"""


class Flight:
    """A flight under a service manager of our own; a context that ends it."""

    def __init__(self, config):
        address = config.parent / "notify"
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(address))
        self._manager.settimeout(READY_LIMIT_S)
        compiled = config.parents[1] / "compiled"
        env = {**os.environ, "NOTIFY_SOCKET": str(address), "PYTHONPYCACHEPREFIX": str(compiled)}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        self._begun = time.monotonic()
        command = [sys.executable, "-m", "flight", "fly", "--config", str(config)]
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
        self.pid = self._process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._manager.close()

    def ready_s(self):
        """From the start of its process until it says READY."""
        while b"READY=1" not in self._manager.recv(4096):
            pass
        return time.monotonic() - self._begun

    def cpu_s(self):
        """Of all its processes."""
        return sum(boards.cpu_s(pid) for pid in (self.pid, *boards.children(self.pid)))


def flight(root, name, hz=10):
    """One on a board of its own."""
    folder = Path(root) / name
    folder.mkdir()
    return Flight(boards.make_folder(folder, BOARD.format(hz=hz), busy=False))


def rows():
    """Start, weight, processor time."""
    with tempfile.TemporaryDirectory() as root:
        took_s = []
        for number in range(STARTS + 1):
            with flight(root, f"start-{number}") as started:
                took_s.append(started.ready_s())
        took_s = took_s[1:]  # the first one compiles
        yield f"start to READY, best of {STARTS}", min(took_s), "s", READY_S_MAX
        yield "start to READY, median", statistics.median(took_s), "s", READY_S_MAX
        yield "start to READY, slowest", max(took_s), "s", None
        for hz, most in CYCLES.items():
            with flight(root, f"idle-{hz}", hz) as idle:
                idle.ready_s()
                time.sleep(SETTLE_S)
                before_s, begun = idle.cpu_s(), time.monotonic()
                time.sleep(IDLE_S)
                share = 100.0 * (idle.cpu_s() - before_s) / (time.monotonic() - begun)
                yield f"idle at {hz} ticks a second", share, "% of a core", most
                if hz == min(CYCLES):
                    weight = boards.rss_mib(idle.pid)
                    yield "resident memory of the flight", weight, "MiB", RSS_MIB_MAX
    yield "reference F' Ref: resident memory", reference.RSS_MIB, "MiB", None
    yield "reference F' Ref: idle at 1 Hz", reference.CPU_PERCENT_1_HZ, "%", None
    yield "reference F' Ref: idle at 100 Hz", reference.CPU_PERCENT_100_HZ, "%", None
    yield "reference F' Ref: start to first telemetry", reference.START_S, "s", None
