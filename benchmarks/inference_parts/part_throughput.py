"""Frames a second: the flying service over its worker process, next to the bare loop.

The bare loop has a process of its own; rounds of both take turns, first one then the other first.
"""

import asyncio
import os
import statistics
import time
from pathlib import Path
from typing import NamedTuple

from bare_process import BareProcess
from subjects import subjects, tile_of

from flight.base.channels import Latest
from flight.base.clock import LoopClock
from flight.fdir.health_monitor import Heartbeat
from flight.inference.admission import ImagingPlan
from flight.inference.inference_service import InferenceService
from flight.inference.inference_telemetry import InferenceCounts
from flight.inference.result_products import DraftKind, ValueTable
from flight.inference.worker_process import WorkerEngine
from flight.node_status import NodeStatus
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.telemetry.event_log import EventLog
from flight.wire.product_packet import ProductClass

SHARE_MIN = 0.98
ROUNDS = 21
ROUND_S = 0.5
S = 1_000_000_000


class Camera:
    """As many frames as are wanted, and not one before the last one is done."""

    def __init__(self, side_px, clock):
        self._tiles = [tile_of(side_px, number) for number in range(4)]
        self._clock, self._left = clock, 0
        self._wanted = asyncio.Event()

    def want(self, frames):
        self._left = frames
        self._wanted.set()

    async def next_tile(self):
        while not self._left:
            self._wanted.clear()
            await self._wanted.wait()
        self._left -= 1
        return self._tiles[self._left % 4]


class Intake:
    """Takes every product, and says so after so many frames."""

    free_bytes = 1 << 40

    def __init__(self):
        self.room = self
        self.frames_left, self.done = 0, asyncio.Event()

    def takes(self, _draft, _now_ns):
        """There is room for whatever comes."""
        return True

    def submit(self, *, klass, **_product):
        self.frames_left -= klass is ProductClass.MASK
        if self.frames_left == 0:
            self.done.set()
        return True


class Flown:
    """Service, worker and all, on the real loop."""

    def __init__(self, model, side_px, threads):
        clock = LoopClock()
        self.counts, self.intake = InferenceCounts(), Intake()
        self.camera = Camera(side_px, clock)
        self.engine = WorkerEngine([model], clock, threads=threads)
        channels, status = ChannelValues(), Latest()
        now_ns = clock.now_ns()
        status.set(NodeStatus(now_ns, 0.0, Mode.COMPUTE, 1, ThrottleReason.NONE, True, 1.0), now_ns)
        plan = ImagingPlan(
            model_name=model.name, variant=model.variant, threshold=model.manifest.threshold,
            frame_deadline_ns=1 << 62, backlog_frames=4096, values=ValueTable(),
            deadlines_ns=dict.fromkeys(DraftKind, S),
        )  # fmt: skip
        self.service = InferenceService(
            clock=clock, frames=self.camera, engine=self.engine, plan=plan, intake=self.intake,
            status=status, channels=channels, events=EventLog(64, lambda _event: None),
            counts=self.counts, heart=Heartbeat(),
        )  # fmt: skip

    async def frames(self, count):
        """Seconds for so many frames."""
        self.intake.frames_left = count
        self.intake.done.clear()
        started = time.perf_counter()
        self.camera.want(count)
        await asyncio.wait_for(self.intake.done.wait(), 60 + count)
        return time.perf_counter() - started


def worker_cpu_s(pid):
    """Processor time of the worker, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Side(NamedTuple):
    """Of one side of the comparison: seconds of its best round, processor time of all of them."""

    best_s: float
    cpu_s: float


async def compared(name, model, side_px, threads):
    """Frames a round, loop and service, and the share of each round."""
    bare, flown = BareProcess(name, threads), Flown(model, side_px, threads)
    serving = asyncio.ensure_future(flown.service.serve())
    await flown.frames(3)
    await bare.frames(4)
    took_s, _ = await bare.frames(4)
    count = max(4, round(ROUND_S / took_s * 4))
    loop_s, service_s, loop_cpu_s, service_cpu_s = [], [], 0.0, 0.0
    pid = flown.engine.worker_pid
    for number in range(ROUNDS):
        for who in ("loop", "service") if number % 2 else ("service", "loop"):
            if who == "loop":
                took_s, cpu_s = await bare.frames(count)
                loop_s.append(took_s)
                loop_cpu_s += cpu_s
                continue
            before_s = worker_cpu_s(pid) + time.process_time()
            service_s.append(await flown.frames(count))
            service_cpu_s += worker_cpu_s(pid) + time.process_time() - before_s
    serving.cancel()
    flown.engine.close()
    bare.close()
    shares = [a / b for a, b in zip(loop_s, service_s, strict=True)]
    return count, Side(min(loop_s), loop_cpu_s), Side(min(service_s), service_cpu_s), shares


def rows():
    """Of each network, on one thread."""
    for name, (model, side_px) in subjects().items():
        count, loop, service, shares = asyncio.run(compared(name, model, side_px, 1))
        share = loop.best_s / service.best_s
        yield f"{name}: bare loop, best round", count / loop.best_s, "1/s", None
        yield f"{name}: service, best round", count / service.best_s, "1/s", None
        yield f"{name}: service over loop, best rounds", share, "", ("least", SHARE_MIN)
        median = statistics.median(shares)
        yield f"{name}: the same, median of {ROUNDS} rounds", median, "", None
        cpu = service.cpu_s / loop.cpu_s
        yield f"{name}: processor time, service over loop", cpu, "", None
