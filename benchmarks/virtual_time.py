"""What virtual time costs: microseconds a wake-up and a stepped call, as ratios to a bare loop.

    python benchmarks/virtual_time.py

Prints one line a case. The workload of the first two is 20 coroutines (4 at 10 Hz, 10 at 1 Hz,
4 at 0.1 Hz, 2 at 1/60 Hz), of the third 20 members of one 1 Hz group. Best of several passes, in
process time, because other work on the machine only ever adds.
"""

import asyncio
import sys
import time
from pathlib import Path

# Beside this file lies hal.py, which is not the package `hal`.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from flight.base.clock import LoopClock  # noqa: E402
from flight.base.rate_group import RateGroup, RateGroupRunner  # noqa: E402
from hil.simloop import SimLoop  # noqa: E402

S = 1_000_000_000
PERIODS_NS = [S // 10] * 4 + [S] * 10 + [10 * S] * 4 + [60 * S] * 2
PASSES = 7


class Member:
    """A component that only counts."""

    def __init__(self, name):
        self.name = name
        self.steps = 0

    def step(self, now_ns):  # noqa: ARG002
        self.steps += 1


def best(case):
    """Least microseconds a unit over the passes; `case` returns (seconds, units)."""
    return min(seconds / units * 1e6 for seconds, units in (case() for _ in range(PASSES)))


def run(loop, coroutines, until_ns):
    tasks = [loop.create_task(coroutine) for coroutine in coroutines]
    started = time.process_time()
    loop.run_until_ns(until_ns)
    spent = time.process_time() - started
    loop.cancel_all()
    loop.close()
    return spent, tasks


def wakes(sleep):
    """20 coroutines on one loop, each asleep most of the time."""

    def case():
        loop, count = SimLoop(), [0]

        async def worker(period_ns):
            t_ns = 0
            while True:
                t_ns += period_ns
                await sleep(loop, t_ns)
                count[0] += 1

        spent, _ = run(loop, [worker(period) for period in PERIODS_NS], 2000 * S)
        return spent, count[0]

    return case


def group_steps(size):
    """One 1 Hz group of plain members."""

    def case():
        loop = SimLoop()
        group = RateGroup("1hz", S, [Member(f"m{n}") for n in range(size)])
        spent, _ = run(loop, [RateGroupRunner(LoopClock(loop), [group]).serve()], 40_000 * S)
        return spent, group.steps

    return case


def bare_steps(size):
    """The floor: the same members called by a bare loop."""

    def case():
        steps = [Member(f"m{n}").step for n in range(size)]
        started = time.process_time()
        for now_ns in range(40_000):
            for step in steps:
                step(now_ns)
        return time.process_time() - started, 40_000

    return case


def main():
    at_us = best(wakes(lambda loop, t_ns: loop.at(t_ns)))
    sleep_us = best(wakes(lambda loop, t_ns: asyncio.sleep((t_ns - loop.time_ns()) / S)))
    print(f"at(ns), a wake          {at_us:7.2f} us")
    print(f"asyncio.sleep, a wake   {sleep_us:7.2f} us   {sleep_us / at_us:.1f} x at(ns)")
    empty, full, bare = best(group_steps(0)), best(group_steps(20)), best(bare_steps(20))
    print(f"rate group, empty       {empty:7.2f} us a period")
    print(f"rate group, 20 members  {full:7.2f} us a period   {full / 20:.3f} us a call")
    print(f"bare loop, 20 members   {bare:7.2f} us a period   {full / bare:.1f} x the floor")


if __name__ == "__main__":
    main()
