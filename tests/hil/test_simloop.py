"""The virtual loop keeps time, order and asyncio's manners."""

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hil.simloop import SimLoop
from hil.simloop_life import SimulationDeadlock, SimulationFailure, SimulationLivelock

S = 1_000_000_000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def loop():
    loop = SimLoop()
    yield loop
    if not loop.is_closed():
        loop.cancel_all()
        loop.close()


def test_twelve_timers_of_one_instant_fire_in_the_order_they_were_made(loop):
    fired = []
    for number in range(12):
        loop.call_at(5.0, fired.append, number)
    loop.run_until_ns(5 * S)
    assert fired == list(range(12))


def test_the_order_of_equal_deadlines_survives_cancelled_neighbours(loop):
    fired = []
    handles = [loop.call_at_ns(7, fired.append, number) for number in range(1000)]
    for handle in handles[::2] + handles[1::3]:
        handle.cancel()
    loop.run_until_ns(7)
    assert fired == [n for n in range(1000) if n % 2 and (n - 1) % 6]


def test_a_lower_priority_number_runs_first_at_one_instant(loop):
    fired = []
    loop.call_at_ns(9, fired.append, "late", priority=1)
    loop.call_at_ns(9, fired.append, "plain")
    loop.call_at_ns(9, fired.append, "early", priority=-1)
    loop.run_until_ns(9)
    assert fired == ["early", "plain", "late"]


def test_a_nanosecond_apart_is_apart(loop):
    seen = []
    for t_ns in (10**15 + 2, 10**15 + 1, 10**15):
        loop.call_at_ns(t_ns, lambda: seen.append(loop.time_ns()))
    loop.run_until_ns(10**15 + 5)
    assert seen == [10**15, 10**15 + 1, 10**15 + 2]


def test_running_until_a_time_leaves_the_clock_there_and_later_timers_unfired(loop):
    fired = []
    loop.call_at_ns(10, fired.append, 10)
    loop.call_at_ns(11, fired.append, 11)
    loop.run_until_ns(10)
    assert (fired, loop.time_ns()) == ([10], 10)
    with pytest.raises(ValueError, match="already"):
        loop.run_until_ns(9)


def test_alarms_and_timers_of_one_instant_share_one_order(loop):
    order = []

    async def waiter(label):
        await loop.at(5)
        order.append(label)

    async def main():
        first = asyncio.create_task(waiter("first"))
        await asyncio.sleep(0)
        loop.call_at_ns(5, order.append, "second")
        third = asyncio.create_task(waiter("third"))
        await first
        await third

    loop.run_until_complete(main())
    assert order == ["first", "second", "third"]


def test_a_wait_for_the_past_gives_way_once_and_keeps_the_time(loop):
    order = []

    async def main():
        await loop.at(100)
        loop.call_soon(order.append, "other")
        await loop.at(50)
        order.append("me")
        return loop.time_ns()

    assert loop.run_until_complete(main()) == 100
    assert order == ["other", "me"]


@pytest.mark.parametrize("wait", ["at", "sleep"])
def test_cancelling_a_waiting_task_ends_it_at_that_instant_with_the_message(loop, wait):
    async def sleeper():
        try:
            await (loop.at(50 * S) if wait == "at" else asyncio.sleep(50))
        except asyncio.CancelledError as error:
            return error.args, loop.time_ns()

    async def main():
        task = asyncio.create_task(sleeper())
        await loop.at(3)
        task.cancel("enough")
        task.cancel("enough twice")
        return await task

    args, t_ns = loop.run_until_complete(main())
    assert t_ns == 3
    assert args in {("enough",), ("enough twice",)}


def test_cancelling_at_the_very_instant_of_waking_still_cancels(loop):
    async def sleeper():
        await loop.at(5)
        return "woke"

    async def main():
        task = loop.create_task(sleeper())
        loop.call_at_ns(5, task.cancel, priority=-1)
        with pytest.raises(asyncio.CancelledError):
            await task
        await loop.at(10)

    loop.run_until_complete(main())


def test_cancelled_waits_do_not_pile_up_in_the_heap(loop):
    async def main():
        for step in range(5_000):
            try:
                async with asyncio.timeout(3600):
                    await loop.at((step + 1) * 1000)
            finally:
                task = asyncio.create_task(loop_wait(10**18))
                await asyncio.sleep(0)
                task.cancel()
        return len(loop._timers)

    async def loop_wait(t_ns):
        await loop.at(t_ns)

    assert loop.run_until_complete(main()) < 1000


def test_the_earlier_of_two_nested_timeouts_wins_and_time_is_exact(loop):
    async def main():
        with pytest.raises(TimeoutError):  # noqa: PT012
            async with asyncio.timeout(9):
                async with asyncio.timeout(4):
                    await asyncio.sleep(100)
        return loop.time_ns()

    assert loop.run_until_complete(main()) == 4 * S


def test_queue_event_lock_and_task_group_work(loop):
    async def main():
        queue, event, lock, log = asyncio.Queue(2), asyncio.Event(), asyncio.Lock(), []

        async def produce():
            for item in range(5):
                await queue.put(item)
            event.set()

        async def consume():
            for _ in range(5):
                async with lock:
                    await loop.at(loop.time_ns() + 10)
                    log.append((loop.time_ns(), await queue.get()))

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            group.create_task(consume())
        await event.wait()
        return log

    assert loop.run_until_complete(main()) == [(10 * (n + 1), n) for n in range(5)]


def test_a_failing_member_of_a_task_group_cancels_its_sibling_at_once(loop):
    async def fail():
        await loop.at(5)
        raise ValueError("planted")

    async def main():
        with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                sibling = group.create_task(asyncio.sleep(1000))
        assert [str(error) for error in caught.value.exceptions] == ["planted"]
        return sibling.cancelled(), loop.time_ns()

    assert loop.run_until_complete(main()) == (True, 5)


def test_an_alarm_can_be_gathered_shielded_and_given_to_wait_for(loop):
    async def main():
        await asyncio.gather(loop.at(5), loop.at(3))
        await asyncio.shield(asyncio.ensure_future(loop.at(7)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.at(100), 1e-8)
        return loop.time_ns()

    assert loop.run_until_complete(main()) == 17


def test_an_exception_in_a_callback_fails_the_run_before_time_moves_on(loop):
    reached = []
    loop.call_at_ns(5, lambda: 1 / 0)
    loop.call_at_ns(6, reached.append, 6)
    with pytest.raises(SimulationFailure) as caught:
        loop.run_until_ns(10)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert reached == []
    assert loop.time_ns() == 5


def test_a_task_whose_failure_nobody_retrieves_fails_the_run(loop):
    async def fail():
        raise ValueError("unheard")

    async def main():
        asyncio.create_task(fail())  # noqa: RUF006
        await loop.at(5)

    with pytest.raises(SimulationFailure) as caught:
        loop.run_until_complete(main())
    assert "unheard" in str(caught.value.__cause__)


def test_a_failure_heard_of_after_the_last_run_is_raised_by_closing(loop):
    async def fail():
        raise ValueError("unheard")

    task = loop.create_task(fail())
    loop.run_until_ns(1)
    del task
    gc.collect()
    with pytest.raises(SimulationFailure):
        loop.close()


def test_an_exception_handler_hears_instead(loop):
    heard = []
    loop.set_exception_handler(lambda _loop, context: heard.append(context["exception"]))
    loop.call_soon(lambda: 1 / 0)
    loop.run_until_ns(1)
    assert [type(error) for error in heard] == [ZeroDivisionError]


def test_a_deadlock_is_reported_and_not_waited_for(loop):
    async def main():
        await asyncio.Event().wait()

    with pytest.raises(SimulationDeadlock, match="main"):
        loop.run_until_complete(main())


@pytest.mark.parametrize("kind", ["callbacks", "alarms"])
def test_time_that_stands_still_is_a_livelock(kind):
    loop = SimLoop(max_callbacks_at_one_instant=1000)

    def again():
        loop.call_soon(again)

    async def stuck():
        while True:
            await loop.at(0)

    if kind == "callbacks":
        loop.call_at_ns(5, again)
    else:
        loop.call_at_ns(5, lambda: tasks.append(loop.create_task(stuck())))
    tasks = []
    with pytest.raises(SimulationLivelock, match="5 ns"):
        loop.run_until_ns(10)
    for task in tasks:
        task._log_destroy_pending = False
    loop.close()


def test_many_callbacks_spread_over_time_are_no_livelock():
    loop = SimLoop(max_callbacks_at_one_instant=10)
    for t_ns in range(1000):
        loop.call_at_ns(t_ns, int)
    loop.run_until_ns(1000)
    loop.close()


def test_cancel_all_ends_tasks_from_the_youngest(loop):
    ended = []

    async def sleeper(number):
        try:
            await loop.at(10**12)
        finally:
            ended.append(number)

    tasks = [loop.create_task(sleeper(number)) for number in range(20)]
    loop.run_until_ns(5)
    loop.cancel_all()
    assert ended == list(reversed(range(20)))
    assert all(task.cancelled() for task in tasks)


def test_cancellation_order_is_the_order_of_cancelling(loop):
    ended = []

    async def sleeper(number):
        try:
            await loop.at(10**12)
        finally:
            ended.append(number)

    async def main():
        tasks = [asyncio.create_task(sleeper(number)) for number in range(9)]
        await loop.at(1)
        order = [4, 1, 8, 0, 2, 3, 7, 6, 5]
        for number in order:
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return order

    assert loop.run_until_complete(main()) == ended


def test_an_open_asynchronous_generator_is_closed_at_the_end(loop):
    closed = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            closed.append(loop.time_ns())

    async def main():
        generator = numbers()
        await anext(generator)
        return generator

    generator = loop.run_until_complete(main())
    loop.cancel_all()
    assert closed == [0]
    del generator


def test_a_runner_of_asyncio_can_drive_it():
    async def main():
        await asyncio.sleep(5)
        return asyncio.get_running_loop().time_ns()

    with asyncio.Runner(loop_factory=SimLoop) as runner:
        assert runner.run(main()) == 5 * S


def test_context_variables_travel_with_callbacks_and_tasks(loop):
    variable = contextvars.ContextVar("variable", default=0)
    seen = []

    async def main():
        variable.set(7)
        loop.call_at_ns(5, lambda: seen.append(variable.get()))
        await loop.at(10)
        seen.append(variable.get())

    loop.run_until_complete(main())
    assert (seen, variable.get()) == ([7, 7], 0)


def test_two_loops_cannot_run_inside_one_another(loop):
    async def main():
        coroutine = asyncio.sleep(0)
        try:
            SimLoop().run_until_complete(coroutine)
        finally:
            coroutine.close()

    with pytest.raises(RuntimeError, match="running already"):
        loop.run_until_complete(main())


def test_a_closed_loop_refuses_work(loop):
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_until_ns(5)


def test_idle_time_costs_nothing(loop):
    wakes = []

    async def main():
        for year in range(1, 11):
            await loop.at(year * 31_557_600 * S)
            wakes.append(year)

    loop.run_until_complete(main())
    assert loop.time_ns() == 315_576_000 * S
    assert threading.active_count() == 1


TRACE = """
import asyncio, hashlib, sys
junk = [object() for _ in range(int(sys.argv[1]))]; del junk[::2]
keep = [bytearray(n % 97 + 1) for n in range(int(sys.argv[1]) // 7)]
from hil.simloop import SimLoop
loop, digest = SimLoop(), hashlib.sha256()
def note(*what): digest.update(repr((loop.time_ns(), *what)).encode())
async def worker(number, queue):
    try:
        while True:
            await loop.at(loop.time_ns() + 1000 * (number % 3 + 1))
            await queue.put(number)
            note("put", number)
    finally:
        note("end", number)
async def reader(queue):
    while True:
        note("got", await queue.get(), asyncio.current_task().get_name())
async def main():
    queue = asyncio.Queue(3)
    async with asyncio.timeout(1e-3):
        await asyncio.gather(reader(queue), *(worker(n, queue) for n in range(9)))
try: loop.run_until_complete(main())
except TimeoutError: note("time-out")
tasks = [loop.create_task(worker(n, asyncio.Queue())) for n in range(9)]
loop.run_until_ns(loop.time_ns() + 10_000)
loop.cancel_all()
print(digest.hexdigest())
"""


def test_the_event_trace_is_the_same_under_any_hash_seed_and_heap_layout():
    digests = set()
    for hash_seed, junk in (("0", "0"), ("1", "5000"), ("4242", "77777")):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", TRACE, junk],
            env=env, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_nothing_of_a_finished_run_is_kept_alive(loop):
    async def main():
        await loop.at(5)

    loop.run_until_complete(main())
    gc.collect()
    assert len(loop._tasks) == 0
