"""The inference worker process: waits for a signal, runs one network on one tile, answers.

The answer goes back screened, as bytes that only need a header: nobody else looks at pixels.
Started by ``worker_process``; the only process of the flight software with ONNX Runtime in it, so
that a crash, a leak or a hang in there costs a restart and not the mission. Ends when the request
pipe closes.
"""

from __future__ import annotations

import argparse
import contextlib
import mmap
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flight.inference.guarded_ort import guarded
from flight.inference.guarded_session import DistrustError, GuardedSession
from flight.inference.job import BAND_BYTES, BANDS, NO_CARE
from flight.inference.model_manifest import ModelError, unpack_bundle
from flight.inference.screening import screen
from flight.inference.session_ort import AUTO, PROVIDERS, provider_at_hand
from flight.inference.side_thread import SideThread
from flight.inference.tile_pixels import pixel_array
from flight.inference.worker_protocol import (
    REQUEST_BYTES,
    Reply,
    Request,
    Status,
    pack_screening,
    shared_bytes,
    slot_bytes,
)
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from flight.inference.job import Care

CHECK_EVERY_NS = 10_000_000_000
"""Golden tile and a look at all weights, between two answers: about 1 ms of 10 s, and of a large
network as long as a run. It waits for a moment in which nothing comes, but not as long again."""
IDLE_MS = 200
OOM_SCORE = "500"
"""If memory runs out, the worker goes before the flight process does."""


def read_all(fd: int, count: int) -> bytes:
    """Return ``count`` bytes of a pipe or file, fewer only at its end."""
    parts: list[bytes] = []
    while count > 0:
        part = os.read(fd, count)
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def session_of(
    size_and_fd: str, provider: str, bands: Sequence[str], threads: int
) -> GuardedSession:
    """Build one session from "SIZE:FD", the verified bundle handed over in memory."""
    size, fd = (int(part) for part in size_and_fd.split(":"))
    os.lseek(fd, 0, os.SEEK_SET)
    data = read_all(fd, size)
    os.close(fd)
    model = unpack_bundle(data).model
    return guarded(model, provider=provider, bands=bands, threads=threads)


class Desk:
    """Answers requests: the network here, what comes after it on a thread beside if more wait.

    So while products are made of one tile the network runs on the next. Replies have numbers; each
    goes out after its answer is in shared memory.
    """

    def __init__(
        self, flown: Sequence[GuardedSession], options: argparse.Namespace, bands: Sequence[str]
    ) -> None:
        self._flown, self._bands, self._replies = flown, bands, options.replies
        self._shared = mmap.mmap(options.shared, shared_bytes(options.capacity_px, len(bands)))
        self._slot_bytes = slot_bytes(options.capacity_px, len(bands))
        self._tile_bytes = options.capacity_px * BAND_BYTES * len(bands)
        self._beside = SideThread()
        self._lost: dict[int, str] = {}
        self._found: dict[int, Care] = {}
        self._asked = select.poll()
        self._asked.register(options.requests, select.POLLIN)

    def take(self, request: Request) -> None:
        """Run the network of one request; what follows is under way when this returns."""
        if request.model in self._lost:
            text = self._lost[request.model]
            self._beside.do(self._say, Reply(request.seq, Status.UNTRUSTED, text=text))
            return
        at = request.slot * self._slot_bytes
        size = request.height * request.width * BAND_BYTES * len(self._bands)
        tile = memoryview(self._shared)[at : at + size]
        if crc32c(tile) != request.crc32c:
            text = "tile differs from what was sent"
            self._beside.do(self._say, Reply(request.seq, Status.CORRUPT_TILE, text=text))
            return
        pixels = pixel_array(tile, request.height, request.width, len(self._bands))
        started_ns = time.monotonic_ns()
        try:
            probability, care = self._flown[request.model].run(pixels, twice=request.twice)
        except ModelError as error:
            kind = Status.UNTRUSTED if isinstance(error, DistrustError) else Status.MODEL_ERROR
            reply = Reply(request.seq, kind, text=str(error))
            self._beside.do(self._say, reply)
            return
        took_ns = time.monotonic_ns() - started_ns
        if request.model in self._found:
            care = care.after(self._found.pop(request.model))
        reply = Reply(request.seq, Status.DONE, duration_ns=took_ns, care=care)
        if self.asked(0):
            self._beside.do(self._finish, reply, request, pixels, probability)
        else:
            self._finish(reply, request, pixels, probability)

    def asked(self, within_ms: int) -> bool:
        """Whether a request waits, or comes within so long."""
        return bool(self._asked.poll(within_ms))

    def check(self) -> None:
        """Check every network between two answers; one not trusted any more answers no more.

        What was found and put right is told with its next answer.
        """
        for number, session in enumerate(self._flown):
            try:
                care = session.check()
                if care.repaired or care.doubt:  # not what is built anew for want of a look
                    self._found[number] = care.after(self._found.get(number, NO_CARE))
            except ModelError as error:
                self._lost[number] = str(error)

    def close(self) -> None:
        """Let what is under way come to its end."""
        self._beside.close()

    def _finish(
        self,
        reply: Reply,
        request: Request,
        pixels: npt.NDArray[np.uint16],
        probability: npt.NDArray[np.float32],
    ) -> None:
        """Screen one output, lay the answer ready and say so."""
        started_ns = time.monotonic_ns()
        limit = request.quicklook_cloud_permille_max
        raw = pack_screening(screen(pixels, probability, request.threshold, limit, self._bands))
        took_ns = reply.duration_ns + time.monotonic_ns() - started_ns
        at = request.slot * self._slot_bytes + self._tile_bytes
        self._shared[at : at + len(raw)] = raw
        done = Reply(
            request.seq, Status.DONE, crc32c(raw), len(raw), took_ns, care=reply.care
        )  # fmt: skip
        self._say(done)

    def _say(self, reply: Reply) -> None:
        os.write(self._replies, reply.pack())


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the request pipe closes."""
    parser = argparse.ArgumentParser(prog="python -m flight.inference.worker_main")
    parser.add_argument("--shared", type=int, required=True, help="shared memory file descriptor")
    parser.add_argument("--capacity-px", type=int, required=True, help="largest tile, in pixels")
    parser.add_argument("--requests", type=int, required=True, help="pipe to read from")
    parser.add_argument("--replies", type=int, required=True, help="pipe to write to")
    parser.add_argument("--provider", choices=[*sorted(PROVIDERS), AUTO], default="cpu")
    parser.add_argument("--bands", default=",".join(BANDS), help="of a tile, in order")
    parser.add_argument("--threads", type=int, default=1, help="that one network runs on")
    parser.add_argument("--model", action="append", default=[], metavar="SIZE:FD")
    options = parser.parse_args(argv)
    try:
        return serve(options)
    except BrokenPipeError:
        return 0  # whoever flew has gone, and wants no answer any more


def serve(options: argparse.Namespace) -> int:
    """Exit code: 0 the request pipe was closed, 1 a model could not be loaded."""
    # Ctrl-C goes to the whole terminal; the flight process decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")
    bands = options.bands.split(",")
    try:
        flown = [
            session_of(word, options.provider, bands, options.threads) for word in options.model
        ]
    except ModelError as error:
        os.write(options.replies, Reply(0, Status.MODEL_ERROR, text=str(error)).pack())
        return 1
    desk = Desk(flown, options, bands)
    chosen = provider_at_hand(options.provider)
    os.write(options.replies, Reply(0, Status.READY, text=chosen).pack())
    checked_ns = time.monotonic_ns()
    while len(data := read_all(options.requests, REQUEST_BYTES)) == REQUEST_BYTES:
        desk.take(Request.unpack(data))
        since_ns = time.monotonic_ns() - checked_ns
        if since_ns >= CHECK_EVERY_NS and (
            since_ns >= 2 * CHECK_EVERY_NS or not desk.asked(IDLE_MS)
        ):
            desk.check()
            checked_ns = time.monotonic_ns()
    desk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
