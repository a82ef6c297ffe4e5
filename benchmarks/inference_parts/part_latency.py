"""What a frame waits for beside network and products: copies, checks, pipes, the loop."""

import asyncio
import time

from subjects import job_of, subjects, tile_of

from flight.base.clock import LoopClock
from flight.inference.worker_process import WorkerEngine

ADDED_MS_MAX = 0.2
FRAMES = 400


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


def rows():
    """Of the cloud network: its tile is the largest."""
    name, (model, side_px) = next(iter(subjects().items()))
    found = asyncio.run(added_ms(model, side_px))
    yield f"{name}: added, median of {FRAMES}", found[FRAMES // 2], "ms", None
    yield f"{name}: added, p99", found[FRAMES * 99 // 100], "ms", ADDED_MS_MAX
