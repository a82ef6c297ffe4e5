"""`InferenceEngine` of a board: a worker process behind shared memory, killed when it is late.

Signals over pipes, pixels and answers over an anonymous memory file: no pickling, nothing left
behind when either side dies. Two jobs may be under way: the network runs on the second while the
worker makes products of the first, and nobody waits for a signal in between. The loop is never
blocked and no thread is started; this process imports neither ONNX Runtime nor the array library.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flight.inference.engine_trouble import Rung, TrustLadder
from flight.inference.job import (
    BAND_BYTES,
    BANDS,
    InferenceError,
    InferenceFailure,
    Job,
    Result,
    Screening,
)
from flight.inference.model_manifest import bundle_of
from flight.inference.result_products import SIDE_PX_MAX
from flight.inference.worker_child import WithdrawnError, WorkerChild, WorkerMemory, tried
from flight.inference.worker_protocol import SLOTS, Reply, Request, Status, unpack_screening
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.base.clock import Clock
    from flight.inference.model_manifest import ModelBytes

TIMEOUT_NS: Final = 5_000_000_000
START_TIMEOUT_NS: Final = 30_000_000_000
"""Importing the runtime takes about a second on a desktop and several on a small board."""
CAPACITY_PX: Final = 512 * 512
SEQ_MAX: Final = 0xFFFF_FFFF


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
    """Runs jobs in a worker process, started with the first job."""

    depth = SLOTS

    def __init__(  # noqa: PLR0913  limits are named
        self,
        models: Sequence[ModelBytes],
        clock: Clock,
        *,
        timeout_ns: int = TIMEOUT_NS,
        start_timeout_ns: int = START_TIMEOUT_NS,
        capacity_px: int = CAPACITY_PX,
        provider: str = "cpu",
        bands: tuple[str, ...] = BANDS,
        threads: int = 1,
        other_copy: Callable[[ModelBytes], ModelBytes | None] = lambda _model: None,
    ) -> None:
        """Take verified ``models``; a job may take ``timeout_ns``, a tile have ``capacity_px``.

        ``provider`` is a key of ``PROVIDERS`` in ``session_ort``; a runtime without it runs no job.
        Tiles are of ``bands``, a network runs on ``threads``; ``other_copy`` gives the second
        stored copy of a model, verified, for when the first is not trusted any more.
        """
        self._models = _numbered(models)
        self._ladders = {key: TrustLadder() for key in self._models}
        self._other_copy, self._clock = other_copy, clock
        self._timeout_ns, self._start_timeout_ns = timeout_ns, start_timeout_ns
        self._capacity_px, self._bands = capacity_px, bands
        self._px_bytes = BAND_BYTES * len(bands)
        self._options = ["--provider", provider, "--bands", ",".join(bands)]
        self._options += ["--threads", str(threads)]
        self._memory = WorkerMemory(capacity_px, len(bands))
        self._turns, self._starting = asyncio.Semaphore(SLOTS), asyncio.Lock()
        self._child: WorkerChild | None = None
        self._last: WorkerChild | None = None  # the same, or one that is not ready yet or no more
        self._seq, self._closed, self._provider = 0, False, ""
        self.counters = WorkerCounters()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the running worker, None before the first job and after a kill."""
        return self._child.pid if self._child is not None else None

    async def run(self, job: Job) -> Result:
        """Return the result of ``job``; raises ``InferenceError`` only."""
        async with self._turns:
            slot = self._memory.free.pop()
            try:
                result = await self._trusted(job, slot)
            except InferenceError as error:
                self.counters.failures[error.kind] += 1
                raise
            except asyncio.CancelledError:
                # The worker may still be reading the tile: its memory must not be written again.
                self.counters.cancelled += 1
                self._kill(self._last)
                raise
            finally:
                self._memory.free.append(slot)
            self.counters.done += 1
            return result

    async def adopt(self, models: Sequence[ModelBytes]) -> None:
        """Fly these models from the next job on; the worker starts anew with them."""
        async with contextlib.AsyncExitStack() as turns:
            for _ in range(SLOTS):  # every job that was under way is done
                await turns.enter_async_context(self._turns)
            self._models = _numbered(models)
            self._ladders = {key: TrustLadder() for key in self._models}
            self._kill(self._last)

    async def trial(self, candidate: ModelBytes) -> str:
        """Say why a worker of its own does not take ``candidate``, "" if it does.

        The one that flies goes on beside it and shares nothing with it.
        """
        due_ns = self._clock.now_ns() + self._start_timeout_ns
        return await tried(candidate, self._clock, due_ns, len(self._bands), self._options)

    def close(self) -> None:
        """End the worker and give the memory back; may be called twice."""
        if not self._closed:
            self._closed = True
            self._kill(self._last)
            self._memory.close()

    async def _trusted(self, job: Job, slot: int) -> Result:
        """Run ``job``, and when the worker gives its model up, go on up the ladder."""
        key, restarts = (job.model_name, job.variant), 0
        while True:
            self._check(job)
            try:
                child = self._child or await self._ready()
                result = await self._run(job, slot, child)
            except WithdrawnError:
                continue
            except InferenceError as error:
                if error.kind is not InferenceFailure.UNTRUSTED:
                    raise
                if child is not self._child:
                    continue  # another job's doubt has ended that worker already
                rung = self._ladders[key].distrusted()
                self._kill(child)
                if rung is Rung.REFUSE or (rung is Rung.SECOND_COPY and not self._swapped(key)):
                    raise
                restarts += 1
                continue
            self._ladders[key].trusted()
            return result if not restarts else dataclasses.replace(
                result, care=dataclasses.replace(result.care, restarts=restarts)
            )  # fmt: skip

    def _swapped(self, key: tuple[str, str]) -> bool:
        """Put the other stored copy in the place of the one not trusted; False without one."""
        index, model = self._models[key]
        other = self._other_copy(model)
        if other is None:
            return False
        self._models[key] = (index, other)
        return True

    async def _run(self, job: Job, slot: int, child: WorkerChild) -> Result:
        tile = job.tile
        if job.deadline_ns is not None and self._clock.now_ns() >= job.deadline_ns:
            # Waiting its turn or for a worker to start took too long; the worker is healthy.
            raise InferenceError(InferenceFailure.TIMEOUT, "deadline passed before the run")
        index, model = self._models[job.model_name, job.variant]
        self._memory.put(slot, tile.pixels)
        self._seq = self._seq % SEQ_MAX + 1
        started_ns = self._clock.now_ns()
        request = Request(
            seq=self._seq,
            model=index,
            height=tile.height_px,
            width=tile.width_px,
            crc32c=crc32c(tile.pixels) if tile.crc32c is None else tile.crc32c,
            threshold=job.threshold,
            quicklook_cloud_permille_max=job.quicklook_cloud_permille_max,
            twice=job.twice,
            slot=slot,
        )
        # Behind the other job under way it waits for as long as that one may take.
        due_ns = started_ns + self._timeout_ns * (SLOTS - len(self._memory.free))
        if job.deadline_ns is not None:
            due_ns = min(due_ns, job.deadline_ns)
        reply = await self._exchange(child, request.seq, request.pack(), due_ns)
        return Result(
            job_id=job.job_id,
            screening=self._answer(reply, slot),
            model_hash=model.sha256,
            started_ns=started_ns,
            finished_ns=self._clock.now_ns(),
            energy_mj=None,
            duration_ms=reply.duration_ns / 1e6,
            modelled=False,
            care=reply.care,
            provider=self._provider,
        )

    def _check(self, job: Job) -> None:
        """Raise what keeps a job from being run, before it costs a worker."""
        tile, key = job.tile, (job.model_name, job.variant)
        if self._closed:
            raise InferenceError(InferenceFailure.CLOSED, "the engine is closed")
        if key not in self._models:
            text = f"no model {job.model_name}/{job.variant} was loaded"
            raise InferenceError(InferenceFailure.UNKNOWN_MODEL, text)
        if self._ladders[key].refused:
            raise InferenceError(InferenceFailure.UNTRUSTED, "model is not trusted any more")
        height, width = tile.height_px, tile.width_px
        if tile.bands != self._bands or len(tile.pixels) != height * width * self._px_bytes:
            shape = f"({height}, {width}, {len(self._bands)}) uint16"
            text = f"tile holds {len(tile.pixels)} bytes, which is not {shape}"
            raise InferenceError(InferenceFailure.MODEL_ERROR, text)
        if height * width > self._capacity_px or max(height, width) > SIDE_PX_MAX:
            text = f"tile of {(height, width)} px"
            raise InferenceError(InferenceFailure.TILE_TOO_LARGE, text)

    def _answer(self, reply: Reply, slot: int) -> Screening:
        """Copy the result out of shared memory, or raise what the reply says instead."""
        if reply.status is Status.CORRUPT_TILE:
            raise InferenceError(InferenceFailure.CORRUPT_RESULT, reply.text)
        if reply.status is Status.UNTRUSTED:
            raise InferenceError(InferenceFailure.UNTRUSTED, reply.text)
        if reply.status is not Status.DONE:
            raise InferenceError(InferenceFailure.MODEL_ERROR, reply.text)
        raw = self._memory.answer(slot, reply.size)
        if crc32c(raw) != reply.crc32c:
            raise InferenceError(InferenceFailure.CORRUPT_RESULT, "result fails its CRC")
        try:
            return unpack_screening(raw)
        except ValueError as error:
            raise InferenceError(InferenceFailure.CORRUPT_RESULT, str(error)) from error

    async def _ready(self) -> WorkerChild:
        """The worker, started if there is none."""
        async with self._starting:
            return self._child or await self._start()

    async def _start(self) -> WorkerChild:
        """Start a worker and wait until its sessions are built."""
        models = [bundle_of(model) for _, model in self._models.values()]
        self.counters.starts += 1
        try:
            child = WorkerChild(
                self._memory.fd, self._capacity_px, models, options=self._options
            )  # fmt: skip
        except OSError as error:
            text = f"worker does not start: {error.strerror}"
            raise InferenceError(InferenceFailure.WORKER_DIED, text) from error
        self._last = child
        due_ns = self._clock.now_ns() + self._start_timeout_ns
        reply = await self._exchange(child, 0, b"", due_ns)
        if reply.status is not Status.READY:
            self._kill(child)
            raise InferenceError(InferenceFailure.MODEL_ERROR, reply.text)
        self._child, self._provider = child, reply.text
        return child

    async def _exchange(self, child: WorkerChild, seq: int, request: bytes, due_ns: int) -> Reply:
        """Send ``request`` and wait for the reply until ``due_ns``; a late worker is killed."""
        try:
            return await child.answer(seq, request, self._clock, due_ns)
        except InferenceError:
            self._kill(child)
            raise

    def _kill(self, child: WorkerChild | None) -> None:
        """End this one; the jobs that it had are run again by the next."""
        if child is not None:
            child.kill()
        if self._child is child:
            self._child = None


def _numbered(models: Sequence[ModelBytes]) -> dict[tuple[str, str], tuple[int, ModelBytes]]:
    return {(model.name, model.variant): (index, model) for index, model in enumerate(models)}
