import asyncio
import itertools
import time

import pytest

from flight.base.clock import (
    LoopClock,
    UtcCorrelation,
    UtcQuality,
    correlate,
    host_correlation,
    host_synchronisation,
)

HOUR_NS = 3_600_000_000_000


def test_on_a_virtual_loop_the_clock_is_exact_and_starts_at_the_epoch(loop):
    async def main():
        clock = LoopClock()
        assert clock.now_ns() == 0
        await clock.sleep_until(123_456_789)
        assert clock.now_ns() == 123_456_789
        await clock.sleep_until(5)
        assert clock.now_ns() == 123_456_789

    loop.run_until_complete(main())


def test_on_a_real_loop_it_never_wakes_early():
    async def main():
        clock = LoopClock()
        early = 0
        for step_ns in (1, 999, 50_001, 1_000_003, 3_141_592):
            due_ns = clock.now_ns() + step_ns
            await clock.sleep_until(due_ns)
            early += clock.now_ns() < due_ns
        return early

    assert asyncio.run(main()) == 0


def test_on_a_real_loop_it_looks_again_if_the_loop_rings_early():
    class Hasty(asyncio.SelectorEventLoop):
        def call_at(self, when, callback, *args, context=None):
            early = self.time() + (when - self.time()) / 10
            return super().call_at(early, callback, *args, context=context)

    async def main():
        clock = LoopClock()
        due_ns = clock.now_ns() + 40_000_000
        await clock.sleep_until(due_ns)
        return clock.now_ns() >= due_ns

    with asyncio.Runner(loop_factory=Hasty) as runner:
        assert runner.run(main())


def test_on_a_real_loop_the_deadline_is_absolute_and_monotonic():
    async def main():
        clock = LoopClock()
        before, now, after = time.monotonic_ns(), clock.now_ns(), time.monotonic_ns()
        return before <= now <= after

    assert asyncio.run(main())


@pytest.mark.parametrize("real", [True, False])
def test_a_wait_for_the_past_still_lets_others_run(loop, real):
    seen = []

    async def main():
        clock = LoopClock()
        other = asyncio.create_task(mark())
        await clock.sleep_until(clock.now_ns() - 1)
        seen.append("waiter")
        await other

    async def mark():
        seen.append("other")

    if real:
        asyncio.run(main())
    else:
        loop.run_until_complete(main())
    assert seen == ["other", "waiter"]


@pytest.mark.parametrize("real", [True, False])
def test_a_cancelled_wait_ends_and_leaves_no_timer_firing(loop, real):
    async def main():
        clock = LoopClock()
        task = asyncio.ensure_future(clock.sleep_until(clock.now_ns() + HOUR_NS))
        await clock.sleep_until(clock.now_ns() + 1000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(main()) if real else loop.run_until_complete(main())


def test_utc_is_a_label_that_may_step_without_moving_deadlines():
    correlation = correlate(utc_ns=1_000, now_ns=400, quality=UtcQuality.SYNCHRONISED)
    stepped = correlate(utc_ns=1_000 + HOUR_NS, now_ns=400, quality=UtcQuality.COARSE)
    assert correlation.utc_ns(500) == 1_100
    assert stepped.utc_ns(500) - correlation.utc_ns(500) == HOUR_NS
    assert correlation.mono_ns(correlation.utc_ns(12_345)) == 12_345


def test_a_synchronised_label_decays_to_flywheel_and_the_others_stay():
    for quality, (now_ns, expected) in itertools.product(
        (UtcQuality.SYNCHRONISED,),
        ((110, UtcQuality.SYNCHRONISED), (111, UtcQuality.FLYWHEEL)),
    ):
        assert UtcCorrelation(0, quality, 100).quality_at(now_ns, holdover_ns=10) is expected
    for quality in (UtcQuality.UNSET, UtcQuality.COARSE, UtcQuality.FLYWHEEL):
        assert UtcCorrelation(0, quality, 100).quality_at(10**18, holdover_ns=10) is quality


def test_an_untold_time_says_so_and_the_host_is_only_coarse():
    assert UtcCorrelation().quality is UtcQuality.UNSET
    before = time.time_ns()
    host = host_correlation()
    assert host.quality is UtcQuality.COARSE
    assert host.utc_ns(time.monotonic_ns()) - before < HOUR_NS


def test_the_kernel_says_whether_a_time_source_holds_its_clock_and_how_well():
    synchronised, error_us = host_synchronisation()
    assert synchronised in {True, False, None}
    assert error_us >= 0
    if synchronised:
        assert error_us < 16_000_000, "the kernel calls a clock with more unsynchronised"
