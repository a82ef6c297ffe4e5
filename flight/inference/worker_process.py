"""`InferenceEngine` of a board: a worker process behind shared memory, killed when it is late.

Signals over pipes, pixels and answers over an anonymous memory file: 6-15 us a call, no pickling,
nothing left behind when either side dies. The loop is never blocked and no thread is started; this
process imports neither ONNX Runtime nor the array library.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flight.inference.job import (
    TILE_BYTES_A_PX,
    InferenceError,
    InferenceFailure,
    Job,
    Result,
    Screening,
    Tile,
)
from flight.inference.mask_header import SIDE_PX_MAX
from flight.inference.worker_child import WorkerChild
from flight.inference.worker_protocol import (
    Reply,
    Request,
    Status,
    shared_bytes,
    unpack_screening,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.base.clock import Clock
    from flight.inference.model_registry import ModelBytes

TIMEOUT_NS: Final = 5_000_000_000
START_TIMEOUT_NS: Final = 30_000_000_000
"""Importing the runtime takes about a second on a desktop and several on a small board."""
CAPACITY_PX: Final = 512 * 512


@dataclass(slots=True)
class WorkerCounters:
    """What happened so far; every failed job is in exactly one of ``failures``."""

    done: int = 0
    starts: int = 0
    cancelled: int = 0
    failures: dict[InferenceFailure, int] = field(
        default_factory=lambda: dict.fromkeys(InferenceFailure, 0)
    )

    @property
    def restarts(self) -> int:
        """Starts after the first."""
        return max(0, self.starts - 1)


class WorkerEngine:
    """Runs jobs one at a time in a worker process, started with the first job."""

    def __init__(  # noqa: PLR0913  limits are named
        self,
        models: Sequence[ModelBytes],
        clock: Clock,
        *,
        timeout_ns: int = TIMEOUT_NS,
        start_timeout_ns: int = START_TIMEOUT_NS,
        capacity_px: int = CAPACITY_PX,
        provider: str = "cpu",
    ) -> None:
        """Take verified ``models``; a job may take ``timeout_ns``, a tile have ``capacity_px``.

        ``provider`` is a key of ``PROVIDERS`` in ``session_ort``; a runtime without it runs no job.
        """
        self._models = {(m.name, m.variant): (index, m) for index, m in enumerate(models)}
        self._clock = clock
        self._timeout_ns, self._start_timeout_ns = timeout_ns, start_timeout_ns
        self._capacity_px = capacity_px
        self._provider = provider
        size = shared_bytes(capacity_px)
        self._shared_fd = os.memfd_create("lumenode-tiles")
        os.ftruncate(self._shared_fd, size)
        self._shared = mmap.mmap(self._shared_fd, size)
        self._turn = asyncio.Lock()
        self._child: WorkerChild | None = None
        self._seq = 0
        self._closed = False
        self.counters = WorkerCounters()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the running worker, None before the first job and after a kill."""
        return self._child.pid if self._child is not None else None

    async def run(self, job: Job) -> Result:
        """Return the result of ``job``; raises ``InferenceError`` only."""
        async with self._turn:
            try:
                result = await self._run(job)
            except InferenceError as error:
                self.counters.failures[error.kind] += 1
                raise
            except asyncio.CancelledError:
                # The worker may still be reading the tile: its memory must not be written again.
                self.counters.cancelled += 1
                self._kill()
                raise
            self.counters.done += 1
            return result

    def close(self) -> None:
        """End the worker and give the memory back; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self._kill()
        self._shared.close()
        os.close(self._shared_fd)

    async def _run(self, job: Job) -> Result:
        tile = job.tile
        if self._closed:
            raise InferenceError(InferenceFailure.CLOSED, "the engine is closed")
        if (job.model_name, job.variant) not in self._models:
            name = f"{job.model_name}/{job.variant}"
            raise InferenceError(InferenceFailure.UNKNOWN_MODEL, f"no model {name} was loaded")
        self._check(tile)
        child = self._child if self._child is not None else await self._start()
        if job.deadline_ns is not None and self._clock.now_ns() >= job.deadline_ns:
            # Waiting its turn or for a worker to start took too long; the worker is healthy.
            raise InferenceError(InferenceFailure.TIMEOUT, "deadline passed before the run")
        index, model = self._models[job.model_name, job.variant]
        self._shared[: len(tile.pixels)] = tile.pixels
        self._seq = (self._seq + 1) & 0xFFFF_FFFF
        started_ns = self._clock.now_ns()
        request = Request(
            seq=self._seq,
            model=index,
            height=tile.height_px,
            width=tile.width_px,
            crc32=zlib.crc32(tile.pixels),
            threshold=job.threshold,
            quicklook_cloud_permille_max=job.quicklook_cloud_permille_max,
        )
        due_ns = started_ns + self._timeout_ns
        if job.deadline_ns is not None:
            due_ns = min(due_ns, job.deadline_ns)
        reply = await self._exchange(child, request.pack(), due_ns)
        return Result(
            job_id=job.job_id,
            screening=self._answer(reply),
            model_hash=model.sha256,
            started_ns=started_ns,
            finished_ns=self._clock.now_ns(),
            energy_mj=None,
            duration_ms=reply.duration_ns / 1e6,
            modelled=False,
        )

    def _check(self, tile: Tile) -> None:
        """Raise what keeps a tile from being run, before it costs a worker."""
        height, width = tile.height_px, tile.width_px
        if len(tile.pixels) != height * width * TILE_BYTES_A_PX:
            shape = f"({height}, {width}, 6) uint16"
            text = f"tile holds {len(tile.pixels)} bytes, which is not {shape}"
            raise InferenceError(InferenceFailure.MODEL_ERROR, text)
        if height * width > self._capacity_px or max(height, width) > SIDE_PX_MAX:
            text = f"tile of {(height, width)} px"
            raise InferenceError(InferenceFailure.TILE_TOO_LARGE, text)

    def _answer(self, reply: Reply) -> Screening:
        """Copy the result out of shared memory, or raise what the reply says instead."""
        if reply.seq != self._seq:
            self._kill()
            raise InferenceError(InferenceFailure.CORRUPT_RESULT, f"answer to job {reply.seq}")
        if reply.status is Status.CORRUPT_TILE:
            raise InferenceError(InferenceFailure.CORRUPT_RESULT, reply.text)
        if reply.status is not Status.DONE:
            raise InferenceError(InferenceFailure.MODEL_ERROR, reply.text)
        base = self._capacity_px * TILE_BYTES_A_PX
        raw = self._shared[base : base + reply.size]
        if zlib.crc32(raw) != reply.crc32:
            raise InferenceError(InferenceFailure.CORRUPT_RESULT, "result fails its CRC")
        try:
            return unpack_screening(raw)
        except ValueError as error:
            raise InferenceError(InferenceFailure.CORRUPT_RESULT, str(error)) from error

    async def _start(self) -> WorkerChild:
        """Start a worker and wait until its sessions are built."""
        models = [model.data for _, model in self._models.values()]
        self.counters.starts += 1
        try:
            child = WorkerChild(self._shared_fd, self._capacity_px, models, self._provider)
        except OSError as error:
            message = f"worker does not start: {error.strerror}"
            raise InferenceError(InferenceFailure.WORKER_DIED, message) from error
        self._child = child
        due_ns = self._clock.now_ns() + self._start_timeout_ns
        reply = await self._exchange(child, b"", due_ns)
        if reply.status is not Status.READY:
            self._kill()
            raise InferenceError(InferenceFailure.MODEL_ERROR, reply.text)
        return child

    async def _exchange(self, child: WorkerChild, request: bytes, due_ns: int) -> Reply:
        """Send ``request`` and wait for the reply until ``due_ns``; a late worker is killed."""
        waiting = child.send(request)
        guard = asyncio.ensure_future(self._expire(waiting, due_ns))
        try:
            return await waiting
        except InferenceError:
            self._kill()
            raise
        finally:
            guard.cancel()

    async def _expire(self, waiting: asyncio.Future[Reply], due_ns: int) -> None:
        await self._clock.sleep_until(due_ns)
        if not waiting.done():
            late = InferenceError(InferenceFailure.TIMEOUT, "worker is late, killed")
            waiting.set_exception(late)

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
