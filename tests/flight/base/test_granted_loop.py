"""Time moves as it is granted, timers fire in order, and held work is waited for."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.clock import LoopClock
from flight.base.granted_loop import GrantedLoop

S = 1_000_000_000


class Bench:
    """Grants seconds one after another, as soon as the one before is done."""

    def __init__(self, *grants: tuple[int, int]) -> None:
        self.waiting = list(grants)
        self.read_fd, self.write_fd = os.pipe()
        self.done_at: list[int] = []
        self.heeded = 0
        self.loop: GrantedLoop | None = None
        self.then = None
        os.set_blocking(self.read_fd, False)
        self._announce()

    def fileno(self) -> int:
        return self.read_fd

    def take(self) -> tuple[int, int] | None:
        os.read(self.read_fd, 1)
        if self.waiting:
            return self.waiting.pop(0)
        if self.then is not None:
            raise self.then
        return None

    def heed(self) -> None:
        self.heeded += 1

    def done(self) -> None:
        self.done_at.append(self.loop.time_ns())
        self._announce()

    def _announce(self) -> None:
        os.write(self.write_fd, b"!")

    def close(self) -> None:
        os.close(self.read_fd)
        os.close(self.write_fd)


class PowerLostError(Exception):
    pass


def run(bench: Bench, main, *, hold_s: float = 30.0) -> GrantedLoop:
    """Runs a coroutine function on a granted loop until it ends or the power does."""
    loop = GrantedLoop(bench, hold_s=hold_s)
    bench.loop = loop
    try:
        loop.run_until_complete(main(loop))
    except PowerLostError:
        pass
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.let_go()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        bench.close()
    return loop


def seconds(first: int, last: int) -> list[tuple[int, int]]:
    return [(k * S, (k + 1) * S - 1) for k in range(first, last)]


def test_time_stands_still_until_it_is_granted_and_starts_where_the_grant_says():
    bench = Bench((700 * S, 701 * S - 1))
    seen = []

    async def main(loop):
        seen.append(loop.time_ns())
        await loop.at(1)
        seen.append(loop.time_ns())

    run(bench, main)
    assert seen == [0, 700 * S]


def test_every_grant_is_used_to_its_end_and_then_called_done():
    bench = Bench(*seconds(0, 3))
    bench.then = PowerLostError()
    woken = []

    async def main(loop):
        for t_ns in (0, S // 2, S, 2 * S, 10 * S):
            await loop.at(t_ns)
            woken.append((t_ns, loop.time_ns(), len(bench.done_at)))

    loop = run(bench, main)
    assert woken == [(0, 0, 0), (S // 2, S // 2, 0), (S, S, 1), (2 * S, 2 * S, 2)]
    assert bench.done_at == [S - 1, 2 * S - 1, 3 * S - 1]
    assert loop.grants_taken == 3


@settings(deadline=None, max_examples=50)
@given(times=st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_timers_fire_in_the_order_of_their_time_and_at_one_instant_of_their_making(times):
    bench = Bench((0, 10))
    bench.then = PowerLostError()
    fired = []

    async def main(loop):
        for number, t_ns in enumerate(times):
            loop.call_at(t_ns / S, lambda n=number, t=t_ns: fired.append((t, n, loop.time_ns())))
        await loop.create_future()

    run(bench, main)
    assert fired == [(t, n, t) for t, n in sorted((t, n) for n, t in enumerate(times))]


def test_nanoseconds_stay_exact_after_years():
    start_ns = 10 * 365 * 86_400 * S + 1
    bench = Bench((start_ns, start_ns + 9))
    seen = []

    async def main(loop):
        clock = LoopClock(loop)
        await clock.sleep_until(start_ns)
        for step in range(1, 6):
            await clock.sleep_until(start_ns + step)
            seen.append(clock.now_ns() - start_ns)

    run(bench, main)
    assert seen == [1, 2, 3, 4, 5]


def test_a_wait_for_the_past_ends_now_after_what_is_ready_has_had_its_turn():
    bench = Bench((5 * S, 6 * S))
    order = []

    async def main(loop):
        await loop.at(5 * S)
        loop.call_soon(order.append, "ready")
        await loop.at(S)
        order.append("past")
        assert loop.time_ns() == 5 * S

    run(bench, main)
    assert order == ["ready", "past"]


def test_a_cancelled_wait_never_fires_and_leaves_the_rest_in_order():
    bench = Bench((0, 10))
    bench.then = PowerLostError()
    fired = []

    async def main(loop):
        task = loop.create_task(loop.at(3))
        handle = loop.call_later(4 / S, fired.append, "cancelled")
        loop.call_later(5 / S, fired.append, "kept")
        await loop.at(1)
        task.cancel()
        handle.cancel()
        await loop.create_future()

    run(bench, main)
    assert fired == ["kept"]


def test_held_work_is_awaited_and_its_result_is_there_on_time():
    bench = Bench(*seconds(0, 5))
    bench.then = PowerLostError()
    told = []

    async def main(loop):
        worker_fd, answer_fd = os.pipe()
        hold = loop.hold(3 * S)

        def answered():
            os.read(worker_fd, 1)
            told.append(("answer", loop.time_ns()))
            hold.release()

        loop.add_reader(worker_fd, answered)
        # The answer comes when the mission has nothing else left to do before three seconds.
        loop.call_at(2.5, os.write, answer_fd, b"!")
        await loop.at(3 * S)
        told.append(("released", loop.time_ns()))
        loop.remove_reader(worker_fd)
        os.close(worker_fd)
        os.close(answer_fd)

    run(bench, main)
    (answer, answered_ns), released = told
    assert answer == "answer"
    assert 2.5 * S <= answered_ns < 3 * S
    assert released == ("released", 3 * S)
    assert len(bench.done_at) == 3, "time below the hold was used, grant by grant"


def test_work_that_never_answers_is_given_up_and_counted():
    bench = Bench(*seconds(0, 3))
    bench.then = PowerLostError()
    reached = []

    async def main(loop):
        loop.hold(S)
        await loop.at(S)
        reached.append(loop.time_ns())

    loop = run(bench, main, hold_s=0.05)
    assert reached == [S]
    assert loop.holds_lifted == 1


def test_a_hold_past_the_grant_does_not_keep_the_bench_waiting():
    bench = Bench(*seconds(0, 2))
    bench.then = PowerLostError()

    async def main(loop):
        loop.hold(30 * S)
        await loop.create_future()

    run(bench, main)
    assert len(bench.done_at) == 2


def test_lost_power_ends_the_run_at_once():
    bench = Bench((0, S - 1))
    bench.then = PowerLostError()
    loop = GrantedLoop(bench)
    bench.loop = loop
    with pytest.raises(PowerLostError):
        loop.run_forever()
    loop.close()
    bench.close()


def test_a_signal_is_heard_while_time_stands_still():
    bench = Bench()
    heard = []

    async def main(loop):
        loop.add_signal_handler(signal.SIGUSR1, heard.append, "signal")
        os.kill(os.getpid(), signal.SIGUSR1)
        for _ in range(10_000):
            await asyncio.sleep(0)
            if heard:
                break
        loop.remove_signal_handler(signal.SIGUSR1)

    run(bench, main)
    assert heard == ["signal"]


def test_a_node_that_ends_needs_no_more_grants():
    bench = Bench((0, S - 1))

    async def main(loop):
        await loop.at(S - 1)
        loop.let_go()
        async with asyncio.timeout(3600):
            await loop.at(1000 * S)
        assert loop.time_ns() == 1000 * S

    run(bench, main)


def test_a_grant_that_comes_while_another_is_used_waits_until_that_is_done():
    bench = Bench((0, S - 1), (5 * S, 6 * S - 1))
    seen = []

    async def main(loop):
        await loop.begun()
        bench._announce()  # the second one is there, and the first is not done
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append((loop.time_ns(), len(bench.waiting), list(bench.done_at)))
        await loop.at(5 * S)
        seen.append((loop.time_ns(), len(bench.waiting), list(bench.done_at)))

    run(bench, main)
    assert seen == [(0, 1, []), (5 * S, 0, [S - 1])]
    assert bench.heeded, "only a power cut counts at once"
