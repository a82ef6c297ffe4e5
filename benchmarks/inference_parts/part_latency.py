"""What a frame waits for beside network and products: copies, checks, pipes, the loop.

One frame at a time, so that nothing is hidden behind the next one. Each frame is followed by an
echo: what a bare signal to another process and back through the loop takes on this machine, which
no service that lets its networks crash alone can do without. So both meet the same machine, and
what is left between them is the service's own.
"""

import asyncio
import os
import time

from subjects import job_of, subjects, tile_of

from flight.base.clock import LoopClock
from flight.inference.worker_process import WorkerEngine

ADDED_MS_MAX = 0.2
FRAMES = 300
WARM = 10
ECHO_AFTER_NS = 20_000_000
"""As long as a frame takes: both processes have slept, as they do between frames."""


class Echo:
    """Another process that computes for a while whenever it is asked, and says for how long."""

    def __init__(self):
        asked, self._ask = os.pipe()
        self._told, tell = os.pipe()
        if not os.fork():
            os.close(self._ask)
            while os.read(asked, 1):
                started_ns = time.monotonic_ns()
                while time.monotonic_ns() - started_ns < ECHO_AFTER_NS:
                    pass
                os.write(tell, (time.monotonic_ns() - started_ns).to_bytes(8, "little"))
            os._exit(0)
        os.close(asked)
        os.close(tell)

    async def added_ms(self):
        """Of one signal, its time less what was computed."""
        loop = asyncio.get_running_loop()
        back = loop.create_future()
        loop.add_reader(self._told, lambda: back.set_result(os.read(self._told, 8)))
        started_ns = time.monotonic_ns()
        os.write(self._ask, b"?")
        took_ns = int.from_bytes(await back, "little")
        found_ms = (time.monotonic_ns() - started_ns - took_ns) / 1e6
        loop.remove_reader(self._told)
        return found_ms

    def close(self):
        os.close(self._ask)
        os.close(self._told)
        os.wait()


async def added_ms(model, side_px):
    """Milliseconds added to each frame, and to the echo after it."""
    echo, engine = Echo(), WorkerEngine([model], LoopClock())
    jobs = [job_of(model, tile_of(side_px, number)) for number in range(4)]
    found = []
    for number in range(FRAMES + WARM):
        started = time.perf_counter()
        result = await engine.run(jobs[number % 4])
        mine_ms = (time.perf_counter() - started) * 1e3 - result.duration_ms
        found.append((mine_ms, await echo.added_ms()))
    engine.close()
    echo.close()
    return found[WARM:]


def rows():
    """Of each network."""
    half, last = FRAMES // 2, FRAMES * 99 // 100
    for name, (model, side_px) in subjects().items():
        found = asyncio.run(added_ms(model, side_px))
        mine, echo = sorted(a for a, _ in found), sorted(b for _, b in found)
        beyond = sorted(a - b for a, b in found)
        yield f"{name}: echo of another process, median", echo[half], "ms", None
        yield f"{name}: echo of another process, p99", echo[last], "ms", None
        yield f"{name}: added, median of {FRAMES}", mine[half], "ms", None
        yield f"{name}: added beyond the echo, median of pairs", beyond[half], "ms", None
        yield f"{name}: added, p99", mine[last], "ms", ADDED_MS_MAX
