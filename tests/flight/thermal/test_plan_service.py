"""Plans are made beside the cycle: never on its tick, and nothing of the cycle waits for them."""

import asyncio
import contextlib

import pytest

from flight.thermal.plan_service import NS_PER_S, PHASE_NS, PlanService
from flight.thermal.plan_thread import PlanThread


class Clock:
    """Time goes on by sleeping."""

    def __init__(self):
        self.t_ns, self.slept = 250_000_000, []

    def now_ns(self):
        return self.t_ns

    async def sleep_until(self, until_ns):
        if len(self.slept) >= 150:
            raise asyncio.CancelledError
        self.slept.append(until_ns)
        self.t_ns = until_ns


class Desk:
    def __init__(self, every=60):
        self.every, self.asked, self.planned = every, [], []
        self.answers = []

    def due(self, now_s):
        self.asked.append(now_s)
        return not self.planned or now_s - self.planned[-1] >= self.every - 1e-6

    def plan(self, now_s):
        self.planned.append(now_s)

    def planning(self, now_s):
        self.planned.append(now_s)
        self.answers.append((yield lambda: 41))
        self.answers.append((yield lambda: 42))


def served(desk, beside=None):
    clock = Clock()
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(PlanService(clock, desk, beside).serve())
    return clock


def test_it_looks_once_a_second_half_way_between_two_ticks():
    desk = Desk()
    clock = served(desk)
    assert {t % NS_PER_S for t in clock.slept} == {PHASE_NS}
    gaps = {b - a for a, b in zip(clock.slept, clock.slept[1:], strict=False)}
    assert gaps == {NS_PER_S}
    assert len(desk.asked) == len(clock.slept)


def test_a_plan_is_made_when_it_is_due_and_only_then():
    desk = Desk()
    served(desk)
    assert desk.planned == pytest.approx([1.5, 61.5, 121.5])


def test_where_time_is_real_what_a_plan_hands_out_is_done_elsewhere_and_its_answer_comes_back():
    desk = Desk()
    served(desk, PlanThread())
    assert desk.planned == pytest.approx([1.5, 61.5, 121.5])
    assert desk.answers == [41, 42] * 3


def test_while_a_run_is_under_way_no_other_plan_is_begun():
    desk, beside = Desk(), PlanThread()
    beside.busy = True  # of a service that was cancelled meanwhile
    served(desk, beside)
    assert not desk.planned
