"""The solver on a thread: the loop goes on, the same plan comes out, and nothing is run twice."""

import asyncio
import threading
from dataclasses import replace

import pytest
from node_of_trials import RICH, Sky, Trial, passes

from flight.thermal.plan_service import PlanService
from flight.thermal.plan_thread import PlanThread


def trial():
    found = Trial(Sky(0.35), contacts=passes(2000.0, 8000.0))
    found.look(1.0, power=RICH)
    return found


class OneSecond:
    """Looks once."""

    def __init__(self):
        self.t_ns = 0

    def now_ns(self):
        return self.t_ns

    async def sleep_until(self, until_ns):
        if self.t_ns:
            raise asyncio.CancelledError
        self.t_ns = until_ns


def test_a_plan_made_on_a_thread_is_the_one_made_on_the_spot():
    there, here = trial(), trial()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(PlanService(OneSecond(), there.desk, PlanThread()).serve())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(PlanService(OneSecond(), here.desk).serve())
    assert there.desk.keeper.plan == here.desk.keeper.plan is not None


def test_the_loop_goes_on_while_the_thread_runs():
    passed = threading.Event()

    async def both():
        running = asyncio.ensure_future(beside.run(lambda: passed.wait(10.0) * 7))
        await asyncio.sleep(0)
        assert beside.busy
        passed.set()  # only a loop that is not kept waiting comes here
        assert await running == 7
        assert not beside.busy

    beside = PlanThread()
    asyncio.run(both())


def test_what_fails_there_is_raised_here():
    async def failing():
        with pytest.raises(ZeroDivisionError):
            await beside.run(lambda: 1 // 0)

    beside = PlanThread()
    asyncio.run(failing())
    assert not beside.busy


def test_whoever_is_cancelled_leaves_it_busy_until_the_run_has_ended():
    going_on = threading.Event()

    async def cancelled():
        running = asyncio.ensure_future(beside.run(lambda: going_on.wait(10.0) * 1))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert beside.busy
        going_on.set()
        for _ in range(1000):
            if not beside.busy:
                return
            await asyncio.sleep(0.01)

    beside = PlanThread()
    asyncio.run(cancelled())
    assert not beside.busy


def test_a_plan_for_limits_that_have_moved_meanwhile_is_not_followed():
    moved = trial()
    moved.desk.due(1.5)
    steps = moved.desk.planning(1.5)
    work = next(steps)
    moved.look(2.0, power=replace(RICH, soc_floor=0.6))
    with pytest.raises(StopIteration):
        steps.send(work())
    assert moved.desk.slot(2.0) is None
