"""The bare loop in a process of its own, as whoever flies without a service has it.

    python bare_process.py NETWORK THREADS

A line with a number on its input is so many frames; the line that it answers with says how many
seconds they took, and how many of the processor.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path


class BareProcess:
    """Starts it, asks it."""

    def __init__(self, name, threads):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), name, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    async def frames(self, count):
        """(seconds, processor seconds) for so many frames; the loop here has nothing to do."""
        self._process.stdin.write(f"{count}\n")
        line = await asyncio.get_running_loop().run_in_executor(None, self._process.stdout.readline)
        return tuple(map(float, line.split()))

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def main():
    from bare import BareLoop  # noqa: PLC0415  only here is a network loaded
    from subjects import job_of, subjects, tile_of  # noqa: PLC0415

    model, side_px = subjects()[sys.argv[1]]
    loop = BareLoop(model, int(sys.argv[2]))
    jobs = [job_of(model, tile_of(side_px, number)) for number in range(4)]
    for line in sys.stdin:
        begun, before_s = time.perf_counter(), time.process_time()
        for number in range(int(line)):
            loop.frame(jobs[number % 4])
        print(time.perf_counter() - begun, time.process_time() - before_s, flush=True)


if __name__ == "__main__":
    main()
