"""Part "tick" of hal.py: how late a tick is, in a plain C loop and as a rate group sees it.

The rate group is driven as a board drives it: the C layer's tick, an eventfd, the selector loop,
`TickClock`, `RateGroupRunner`. Each row of Python stands behind a row of C of the same minute.
"""

import asyncio
import contextlib
import multiprocessing
import selectors
import statistics
import time
from types import SimpleNamespace

import c_loops

from flight.base.rate_group import RateGroup, RateGroupRunner
from flight.board_config import BoardSection
from flight.board_tick import enter_flight, open_board_tick
from hal.native_devices import NativeDevices

SECONDS = 5
PRIORITY = 50
ABOVE_C_US_MAX = 1000.0
RATES_HZ = (100, 1000)


def percentiles_us(late_ns):
    """(p50, p99, latest) in us."""
    cuts = statistics.quantiles(late_ns, n=100, method="inclusive")
    return cuts[49] / 1e3, cuts[98] / 1e3, max(late_ns) / 1e3


def fly(hz, priority, answer):
    """In a process of its own: a rate group at the tick's own rate that notes how late it is."""
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    board = BoardSection(tick_hz=hz, guard_ticks=100_000, rt_priority=priority)
    late_ns, due_ns, missed, count = [], [], [], SECONDS * hz
    done = loop.create_future()

    def step(now_ns):
        late_ns.append(time.monotonic_ns() - now_ns)
        due_ns.append(now_ns)
        missed.append(group.overruns)
        if len(due_ns) == count:
            done.set_result(None)

    with contextlib.ExitStack() as opened:
        devices = NativeDevices("sim", shared=True)
        opened.callback(devices.close)
        tick = open_board_tick(board, devices, loop, opened)
        grant = enter_flight(board, devices)
        group = RateGroup("g", 1_000_000_000 // hz, [SimpleNamespace(name="m", step=step)])
        serving = loop.create_task(RateGroupRunner(tick.clock, [group]).serve())
        loop.run_until_complete(done)
        serving.cancel()
        status = tick.source.status()
        period_ns = 1_000_000_000 // hz
        passed = count - 1 + missed[-1] - missed[0]
        drift_ns = due_ns[-1] - due_ns[0] - passed * period_ns
        late_ns.append(group.max_late_ns)  # of what was due first, where steps were missed
        answer.send(
            (late_ns, missed[-1] - missed[0], status.overruns, status.missed, drift_ns, grant)
        )
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(serving)
    loop.close()


def flown(hz, priority):
    """What `fly` measured."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=fly, args=(hz, priority, there))
    process.start()
    answer = here.recv()
    process.join()
    return answer


def rows():
    """C loop and rate group, without and with SCHED_FIFO."""
    for priority in (0, PRIORITY):
        for hz in RATES_HZ:
            period_ns = 1_000_000_000 // hz
            c_late = percentiles_us(c_loops.run("tick", period_ns, SECONDS * hz, priority))
            late_ns, steps_missed, ticks_late, ticks_missed, drift_ns, grant = flown(hz, priority)
            if priority and not grant.priority:
                yield f"SCHED_FIFO {priority}: {', '.join(grant.refused)}", 0, "", None
                return
            late = percentiles_us(late_ns)
            what = f"{hz} Hz, {'FIFO ' + str(priority) if priority else 'ordinary'}"
            for name, c_us, us in zip(("p50", "p99", "latest"), c_late, late, strict=True):
                yield f"{what}: {name} late, plain C loop", c_us, "us", None
                limit = c_us + ABOVE_C_US_MAX if priority and name == "p99" else None
                yield f"{what}: {name} late, rate group", us, "us", limit
            yield f"{what}: steps missed of {SECONDS * hz}", steps_missed, "", None
            yield (
                f"{what}: ticks taken late / slept through",
                f"{ticks_late} / {ticks_missed}",
                "",
                None,
            )
            yield f"{what}: drift of the due times", abs(drift_ns), "ns", 0
