"""Part "rate" of executive.py: a whole node flies at 100 ticks a second, beside a plain C loop.

How late the event loop takes each tick, how many it takes, and whether its times drift; without a
model and while one runs, as an ordinary process and with SCHED_FIFO where that is granted. The C
loop sleeps to the same absolute times, in turns with the flights and as long as each of them.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from itertools import pairwise
from pathlib import Path

import boards
import c_loops
import reference

HZ = 100
PERIOD_NS = 1_000_000_000 // HZ
PRIORITY = 50
ABOVE_C_US_MAX = 1000.0
SHARE_LEAST = 99.9
WITH_MODEL = 2.0
SETTLE_S, LEAVE_S = 5.0, 1.0
"""A start, BOOT and the first model are no part of the flight that is measured, nor is its end."""
BOARD = """
[board]
tick_hz = {hz}
rt_priority = {priority}
guard_ticks = 1000
"""
WATCHED = Path(__file__).with_name("watched_flight.py")


def flown(seconds, priority, *, busy):
    """What became of the ticks of one flight: lateness of each in us, and the rest of its row."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = BOARD.format(hz=HZ, priority=priority)
        config = boards.make_folder(folder, text, busy=busy)
        told = folder / "ticks"
        command = [sys.executable, WATCHED, told, "--config", config, "--for", SETTLE_S + seconds]
        log = folder / "log.txt"
        with log.open("w") as out, subprocess.Popen([*map(str, command)], stdout=out) as flight:
            time.sleep(SETTLE_S)
            before_s = boards.model_s(flight.pid)
            time.sleep(seconds / 2)
            share = (boards.model_s(flight.pid) - before_s) / (seconds / 2)
            assert flight.wait() == 0, "the flight has failed"
        refused = [line for line in log.read_text().splitlines() if "REALTIME_REFUSED" in line]
        seen = array("q", told.read_bytes())
    dues, taken = seen[1::3], seen[2::3]
    first = next(i for i, due in enumerate(dues) if due >= dues[0] + SETTLE_S * 1e9)
    end = dues[first] + (seconds - LEAVE_S) * 1e9
    last = next((i for i, due in enumerate(dues) if due >= end), len(dues))
    dues, taken = dues[first:last], taken[first:last]
    late_us, looks = [], len(dues) - 1
    for (before_ns, due_ns), at_ns in zip(pairwise(dues), taken[1:], strict=True):
        # One look may be for several ticks: the older ones are as late as nobody came.
        late_us += [
            (at_ns - of) / 1e3 for of in range(before_ns + PERIOD_NS, due_ns + 1, PERIOD_NS)
        ]
    tenth = len(late_us) // 10
    drift_us = statistics.median(late_us[-tenth:]) - statistics.median(late_us[:tenth])
    off_grid = sum(due % PERIOD_NS != 0 for due in dues)
    taken_percent = 100.0 * looks / len(late_us)
    return late_us, taken_percent, drift_us, off_grid, 100.0 * share, refused


def percentiles_us(late_us):
    """(p50, p99, latest)."""
    cuts = statistics.quantiles(late_us, n=100, method="inclusive")
    return cuts[49], cuts[98], max(late_us)


def rows(seconds):
    """C loop and flights in turns."""
    for priority in (0, PRIORITY):
        who = f"FIFO {priority}" if priority else "ordinary"
        count = round(seconds * HZ)
        c_us = percentiles_us([ns / 1e3 for ns in c_loops.run("tick", PERIOD_NS, count, priority)])
        for name, us in zip(("p50", "p99", "latest"), c_us, strict=True):
            yield f"{HZ} Hz, {who}: {name} late, plain C loop", us, "us", None
        for busy in (False, True):
            late_us, taken, drift_us, off_grid, model, refused = flown(seconds, priority, busy=busy)
            if refused:
                yield f"{HZ} Hz, {who}: {refused[0].partition(': ')[2]}", 0, "", None
                return
            what = f"{HZ} Hz, {who}, {'a model runs' if busy else 'no model'}"
            p99_max = (c_us[1] + ABOVE_C_US_MAX) * (WITH_MODEL if busy else 1.0)
            limits = (None, p99_max if priority else None, None)
            late = percentiles_us(late_us)
            for name, us, limit in zip(("p50", "p99", "latest"), late, limits, strict=True):
                yield f"{what}: {name} late, event loop", us, "us", limit
            least = ("least", SHARE_LEAST)
            yield f"{what}: ticks taken of {round(seconds)} s", taken, "%", least
            yield f"{what}: ticks off the grid of the clock", off_grid, "", 0
            yield f"{what}: lateness, last tenth less first", drift_us, "us", None
            if busy:
                yield "  processor time of the model's process", model, "% of a core", None
    yield "reference F' Ref: ticks delivered at 100 Hz", reference.TICKS_DELIVERED_PER_S, "/s", None
    yield "reference F' Ref: p50 off the period", reference.TICK_P50_US, "us", None
    yield "reference F' Ref: p99 off the period", reference.TICK_P99_US, "us", None
    yield "reference, 40 lines of asyncio", reference.TICK_PLAIN_PYTHON, "us late", None
