"""Part "guard" of hal.py: ticks that the dead-man needs, stopped from outside or blocked inside.

Counted in the watcher's own ticks, from the stop to payload and laser off; time is only what the
ticks are apart.
"""

import os
import signal
import statistics
import subprocess
import sys
import time

from hal.guard import Guard, GuardState
from hal.native_devices import NativeDevices
from hal.tick_source import TickSource

PERIOD_NS = 20_000_000
ROUNDS = 15
LIMITS = (1, 2, 10)
LATE_TICKS_MAX = 2

# Checks in for another process's guard, through the page that it was given.
CHILD = """
import mmap, sys, time
from hal.native_library import ffi, lib
page = mmap.mmap(int(sys.argv[1]), lib.GUARD_BYTES)
guard = ffi.cast("struct guard *", ffi.from_buffer(page))
print("up", flush=True)
while True:
    lib.guard_check_in(guard)
    time.sleep(0.002)
"""


def until(holds):
    while not holds():
        time.sleep(0.0005)


def settle(guard, limit):
    """Armed, and not tripped by what else the machine does, for a few of its limits."""
    while True:
        if guard.status().state is GuardState.TRIPPED:
            until(lambda: guard.status().safe)
            guard.rearm()
        guard.arm()
        trips, enough = guard.status().trips, guard.status().process_ticks + limit + 2
        until(lambda enough=enough: guard.status().process_ticks > enough)
        if guard.status().trips == trips:
            return


def stopped(limit):
    """Ticks from SIGSTOP of the checking-in process to the deed, each round."""
    devices = NativeDevices("sim", shared=True)
    guard = Guard(devices, period_ns=PERIOD_NS, limit_ticks=limit)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(guard.fd)],
        pass_fds=[guard.fd], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    ticks = []
    try:
        child.stdout.readline()
        guard.start_supervisor()
        while len(ticks) < ROUNDS:
            settle(guard, limit)
            trips = guard.status().trips
            devices.set_payload_level(3)
            os.kill(child.pid, signal.SIGSTOP)
            at = guard.status().process_ticks
            until(lambda: guard.status().safe and guard.status().state is GuardState.TRIPPED)
            if guard.status().trips == trips + 1:
                assert devices.snapshot().payload_level == 0
                ticks.append(guard.status().trip_tick - at)
            os.kill(child.pid, signal.SIGCONT)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        guard.close()
        devices.close()
    return ticks


def blocked(limit):
    """Ticks from the last sign of life of this very process, which does nothing else."""
    devices = NativeDevices("sim", shared=True)
    guard = Guard(devices, period_ns=PERIOD_NS, limit_ticks=limit)
    source = TickSource(PERIOD_NS, devices=devices)
    source.start()
    guard.arm()
    ticks = []
    while len(ticks) < ROUNDS:
        guard.check_in()
        at, trips = guard.status().thread_ticks, guard.status().trips
        while guard.status().trips == trips or not guard.status().safe:
            pass  # blocked, the interpreter's lock held but for the look at the guard
        ticks.append(guard.status().trip_tick - at)
        guard.rearm()
    source.stop()
    guard.close()
    devices.close()
    return ticks


def rows():
    """For several limits: ticks to the deed, and how far beyond the limit that is."""
    for what, measure in (("stopped (SIGSTOP), process", stopped), ("blocked, thread", blocked)):
        for limit in LIMITS:
            ticks = measure(limit)
            name = f"{what}, limit {limit}"
            yield f"{name}: ticks to safe, median", float(statistics.median(ticks)), "ticks", None
            most = LATE_TICKS_MAX + limit - 1
            yield f"{name}: ticks to safe, most of {len(ticks)}", max(ticks), "ticks", most
