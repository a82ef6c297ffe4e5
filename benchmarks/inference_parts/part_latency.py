"""What a frame waits for beside network and products: copies, checks, pipes, the loop.

One frame at a time, so that nothing is hidden behind the next one. Beside it an echo: what a bare
signal to another process and back through the loop takes on this machine, which no service that
lets its networks crash alone can do without.
"""

import asyncio
import os
import time

from subjects import job_of, subjects, tile_of

from flight.base.clock import LoopClock
from flight.inference.worker_process import WorkerEngine

ADDED_MS_MAX = 0.2
FRAMES = 400
ECHO_AFTER_NS = 20_000_000
"""As long as a frame takes: both processes have slept, as they do between frames."""


async def added_ms(model, side_px):
    """Of each frame, its time less what the worker computed; sorted."""
    engine = WorkerEngine([model], LoopClock())
    jobs = [job_of(model, tile_of(side_px, number)) for number in range(4)]
    found = []
    for number in range(FRAMES + 10):
        started = time.perf_counter()
        result = await engine.run(jobs[number % 4])
        found.append((time.perf_counter() - started) * 1e3 - result.duration_ms)
    engine.close()
    return sorted(found[10:])


def _echo(asked, told):
    """Computes for a while whenever it is asked, and says how long that took."""
    while os.read(asked, 1):
        started_ns = time.monotonic_ns()
        while time.monotonic_ns() - started_ns < ECHO_AFTER_NS:
            pass
        os.write(told, (time.monotonic_ns() - started_ns).to_bytes(8, "little"))


async def echo_ms():
    """The same for a signal that nothing is done with."""
    asked, ask = os.pipe()
    told, tell = os.pipe()
    if not os.fork():
        os.close(ask)
        _echo(asked, tell)
        os._exit(0)
    os.close(asked)
    loop, found = asyncio.get_running_loop(), []
    for _ in range(FRAMES):
        back = loop.create_future()
        loop.add_reader(told, lambda back=back: back.set_result(os.read(told, 8)))
        started_ns = time.monotonic_ns()
        os.write(ask, b"?")
        took_ns = int.from_bytes(await back, "little")
        found.append((time.monotonic_ns() - started_ns - took_ns) / 1e6)
    loop.remove_reader(told)
    for end in (ask, told, tell):
        os.close(end)
    return sorted(found)


def rows():
    """Of the cloud network: its tile is the largest."""
    name, (model, side_px) = next(iter(subjects().items()))
    echo, found = asyncio.run(echo_ms()), asyncio.run(added_ms(model, side_px))
    half, last = FRAMES // 2, FRAMES * 99 // 100
    yield "echo of another process: median", echo[half], "ms", None
    yield "echo of another process: p99", echo[last], "ms", None
    yield f"{name}: added, median of {FRAMES}", found[half], "ms", None
    yield f"{name}: added, p99", found[last], "ms", ADDED_MS_MAX
