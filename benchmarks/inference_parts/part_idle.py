"""Processor time of a session between two runs, as the service builds it and as it is by default.

By default the runtime's threads wait for work by spinning. Each kind of session lives in a process
of its own and runs a frame every 200 ms.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

from bare import BareLoop
from subjects import subjects, tile_of

from flight.inference.session_ort import OrtSession
from flight.inference.tile_pixels import pixels_of

SHARE_MAX = 0.25
THREADS = 2
FRAMES = 40
PERIOD_S = 0.2


def used_s():
    """Processor time of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def idle_share(run):
    """Share of one core that is used between the end of a run and the start of the next one."""
    idle_s = passed_s = 0.0
    for _ in range(FRAMES):
        run()
        before_s, started = used_s(), time.monotonic()
        time.sleep(PERIOD_S)
        passed_s += time.monotonic() - started
        idle_s += used_s() - before_s
    return idle_s / passed_s


def child(kind):
    """Print the share of one kind of session."""
    model, side_px = subjects()["cloud_unet 256 px"]
    pixels = pixels_of(tile_of(side_px))
    if kind == "default":
        bare = BareLoop(model, THREADS)
        print(idle_share(lambda: bare.network(pixels)))
    else:
        session = OrtSession(model.data, threads=THREADS)
        print(idle_share(lambda: session.run(pixels)))


def measured(kind):
    """The same, from a process of its own."""
    told = subprocess.run(
        [sys.executable, str(Path(__file__)), kind], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(told.stdout)


def rows():
    """Both, on two threads: one thread has nobody to wait for."""
    default, ours = measured("default"), measured("service")
    yield f"idle, {THREADS} threads, default", 100 * default, "% core", None
    yield f"idle, {THREADS} threads, service", 100 * ours, "% core", None
    yield "service over default", ours / default, "", SHARE_MAX


if __name__ == "__main__":
    child(sys.argv[1])
