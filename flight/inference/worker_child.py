"""One life of the inference worker: start, replies, kill; and the memory shared with all of them.

Used by `WorkerEngine`.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flight.inference.job import BAND_BYTES, InferenceError, InferenceFailure
from flight.inference.model_manifest import bundle_of
from flight.inference.worker_protocol import (
    REPLY_BYTES,
    SLOTS,
    Reply,
    Status,
    shared_bytes,
    slot_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.base.clock import Clock
    from flight.inference.model_manifest import ModelBytes

PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class WorkerMemory:
    """Tiles on their way to the worker and answers on their way back, one slot a job.

    An anonymous file, so nothing is left behind when either side dies. A slot belongs to one job
    from its tile to its answer; there are as many as jobs may be under way.

    Attributes:
        fd: the file's descriptor.
        free: slots that belong to no job.
    """

    def __init__(self, capacity_px: int, bands: int) -> None:
        """For tiles of up to ``capacity_px`` of so many bands; raises ``OSError``."""
        self.fd = os.memfd_create("lumenode-tiles")
        size = shared_bytes(capacity_px, bands)
        os.ftruncate(self.fd, size)
        self._shared = mmap.mmap(self.fd, size)
        self._slot_bytes = slot_bytes(capacity_px, bands)
        self._tile_bytes = capacity_px * BAND_BYTES * bands
        self.free = list(range(SLOTS))

    def put(self, slot: int, pixels: bytes) -> None:
        """Lay a tile ready."""
        at = slot * self._slot_bytes
        self._shared[at : at + len(pixels)] = pixels

    def answer(self, slot: int, size: int) -> bytes:
        """Return a copy of the answer."""
        at = slot * self._slot_bytes + self._tile_bytes
        return self._shared[at : at + size]

    def close(self) -> None:
        """Give it back; the worker keeps its own end until it ends."""
        self._shared.close()
        os.close(self.fd)


class WithdrawnError(InferenceError):
    """The worker was ended for the sake of another job; this one can be run again."""

    def __init__(self) -> None:
        super().__init__(InferenceFailure.WORKER_DIED, "worker was ended with another job")


class WorkerChild:
    """A started worker process with its two pipes, read through the running event loop."""

    def __init__(
        self,
        shared_fd: int,
        capacity_px: int,
        models: Sequence[bytes],
        *,
        options: Sequence[str] = (),
    ) -> None:
        """Start the process; raises ``OSError``. The first reply, number 0, comes unasked.

        ``models`` are bundles; ``options`` are more words for the worker's command line.
        """
        request_read, self._request_fd = os.pipe()
        self._reply_fd, reply_write = os.pipe()
        model_fds = [_memory_file(data) for data in models]
        passed = [shared_fd, request_read, reply_write, *model_fds]
        command = [sys.executable, "-m", "flight.inference.worker_main"]
        command += ["--shared", str(shared_fd), "--capacity-px", str(capacity_px)]
        command += ["--requests", str(request_read), "--replies", str(reply_write)]
        command += options
        for data, fd in zip(models, model_fds, strict=True):
            command += ["--model", f"{len(data)}:{fd}"]
        path = os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
        try:
            self._process = subprocess.Popen(  # noqa: S603  (our own module, no shell)
                command,
                pass_fds=passed,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # The worker has its own threads: those of the array library would only be idle.
                env={"OPENBLAS_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path},
            )
        except OSError:
            os.close(self._request_fd)
            os.close(self._reply_fd)
            raise
        finally:
            for fd in passed[1:]:
                os.close(fd)
        os.set_blocking(self._reply_fd, False)
        self._buffer = b""
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._due_ns: dict[int, int] = {}
        self._watch: asyncio.Task[None] | None = None
        self._watch_ns = 0
        self._alive = True
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reply_fd, self._on_readable)

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    async def answer(self, seq: int, request: bytes, clock: Clock, due_ns: int) -> Reply:
        """Send ``request`` (may be empty) and return the reply of this number, there by ``due_ns``.

        A handful of requests is under way at a time, so the pipe is never full and the write never
        waits. Raises ``InferenceError``: died, or late; whoever asked kills it then.
        """
        waiting: asyncio.Future[Reply] = self._loop.create_future()
        self._waiting[seq], self._due_ns[seq] = waiting, due_ns
        if self._watch is None or self._watch.done() or due_ns < self._watch_ns:
            self._watch_until(clock, due_ns)
        try:
            try:
                os.write(self._request_fd, request)
            except OSError:
                self._died()
            return await waiting
        finally:
            del self._waiting[seq], self._due_ns[seq]

    def kill(self) -> None:
        """End the process now. SIGKILL cannot be refused, so reaping takes a moment at most."""
        if not self._alive:
            return
        self._alive = False
        if self._watch is not None and not self._loop.is_closed():
            self._watch.cancel()
        if not self._loop.is_closed():
            self._loop.remove_reader(self._reply_fd)
        os.close(self._request_fd)
        os.close(self._reply_fd)
        self._process.kill()
        self._process.wait()
        self._withdraw()

    def _on_readable(self) -> None:
        data = os.read(self._reply_fd, 4 * REPLY_BYTES)
        if not data:
            # End of file stays readable for ever: stop listening, whoever waits is told.
            self._loop.remove_reader(self._reply_fd)
            self._died()
            return
        self._buffer += data
        while len(self._buffer) >= REPLY_BYTES:
            reply = Reply.unpack(self._buffer[:REPLY_BYTES])
            self._buffer = self._buffer[REPLY_BYTES:]
            waiting = self._waiting.get(reply.seq)
            if waiting is None:
                self._fail(InferenceFailure.CORRUPT_RESULT, f"answer to job {reply.seq}")
            elif not waiting.done():
                waiting.set_result(reply)

    def _watch_until(self, clock: Clock, due_ns: int) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch_ns = due_ns
        self._watch = asyncio.ensure_future(self._expire(clock))

    async def _expire(self, clock: Clock) -> None:
        """Tell whoever waits too long; one watch over all, that seldom has to be set anew.

        Jobs come every few milliseconds and may take seconds: a watch for each would be most of
        what a job costs this process.
        """
        while True:
            await clock.sleep_until(self._watch_ns)
            late = [seq for seq, due_ns in self._due_ns.items() if due_ns <= self._watch_ns]
            for waiting in map(self._waiting.__getitem__, late):
                if not waiting.done():
                    text = "worker is late, killed"
                    waiting.set_exception(InferenceError(InferenceFailure.TIMEOUT, text))
            left = [due_ns for due_ns in self._due_ns.values() if due_ns > self._watch_ns]
            if not left:
                return
            self._watch_ns = min(left)

    def _died(self) -> None:
        self._fail(InferenceFailure.WORKER_DIED, "worker process ended")

    def _fail(self, kind: InferenceFailure, why: str) -> None:
        """It happened to the job that has waited longest: that is the one that it was running."""
        first = next((each for each in self._waiting.values() if not each.done()), None)
        if first is not None:
            first.set_exception(InferenceError(kind, why))
        self._withdraw()

    def _withdraw(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(WithdrawnError())


async def tried(
    candidate: ModelBytes, clock: Clock, due_ns: int, bands: int, options: Sequence[str]
) -> str:
    """Say why a worker of its own does not take a model, "" if it loads and knows its golden tile.

    ``options`` are the flying worker's, so that it is tried on the same provider and bands.
    """
    shared_fd = os.memfd_create("lumenode-trial")
    child: WorkerChild | None = None
    try:
        os.ftruncate(shared_fd, shared_bytes(1, bands))
        child = WorkerChild(shared_fd, 1, [bundle_of(candidate)], options=options)
        reply = await child.answer(0, b"", clock, due_ns)
    except OSError as error:
        return f"worker does not start: {error.strerror}"
    except InferenceError as error:
        return str(error)
    finally:
        if child is not None:
            child.kill()
        os.close(shared_fd)
    return "" if reply.status is Status.READY else reply.text


def _memory_file(data: bytes) -> int:
    """Return the descriptor of an anonymous memory file holding ``data``."""
    fd = os.memfd_create("lumenode-model")
    with open(fd, "wb", closefd=False) as file:
        file.write(data)
    return fd
