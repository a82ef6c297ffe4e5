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
import signal
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from flight.inference.job import TILE_BYTES_A_PX
from flight.inference.model_registry import ModelError
from flight.inference.screening import screen
from flight.inference.session_ort import PROVIDERS, OrtSession
from flight.inference.tile_pixels import pixel_array
from flight.inference.worker_protocol import (
    REQUEST_BYTES,
    Reply,
    Request,
    Status,
    pack_screening,
    shared_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def session_of(size_and_fd: str, provider: str = "cpu") -> OrtSession:
    """Build one session from "SIZE:FD", the verified bytes handed over in memory."""
    size, fd = (int(part) for part in size_and_fd.split(":"))
    os.lseek(fd, 0, os.SEEK_SET)
    data = read_all(fd, size)
    os.close(fd)
    return OrtSession(data, providers=PROVIDERS[provider])


def answer(
    request: Request, sessions: Sequence[OrtSession], shared: mmap.mmap, capacity_px: int
) -> Reply:
    """Run one request; the result is in shared memory before the reply says so."""
    tile = shared[: request.height * request.width * TILE_BYTES_A_PX]
    if zlib.crc32(tile) != request.crc32:
        return Reply(request.seq, Status.CORRUPT_TILE, text="tile differs from what was sent")
    started_ns = time.monotonic_ns()
    try:
        pixels = pixel_array(tile, request.height, request.width)
        probability = sessions[request.model].run(pixels)
    except ModelError as error:
        return Reply(request.seq, Status.MODEL_ERROR, text=str(error))
    duration_ns = time.monotonic_ns() - started_ns
    limit = request.quicklook_cloud_permille_max
    raw = pack_screening(screen(pixels, probability, request.threshold, limit))
    base = capacity_px * TILE_BYTES_A_PX
    shared[base : base + len(raw)] = raw
    return Reply(request.seq, Status.DONE, zlib.crc32(raw), len(raw), duration_ns)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the request pipe closes."""
    parser = argparse.ArgumentParser(prog="python -m flight.inference.worker_main")
    parser.add_argument("--shared", type=int, required=True, help="shared memory file descriptor")
    parser.add_argument("--capacity-px", type=int, required=True, help="largest tile, in pixels")
    parser.add_argument("--requests", type=int, required=True, help="pipe to read from")
    parser.add_argument("--replies", type=int, required=True, help="pipe to write to")
    parser.add_argument("--provider", choices=sorted(PROVIDERS), default="cpu")
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
    shared = mmap.mmap(options.shared, shared_bytes(options.capacity_px))
    try:
        sessions = [session_of(word, options.provider) for word in options.model]
    except ModelError as error:
        os.write(options.replies, Reply(0, Status.MODEL_ERROR, text=str(error)).pack())
        return 1
    os.write(options.replies, Reply(0, Status.READY).pack())
    while len(data := read_all(options.requests, REQUEST_BYTES)) == REQUEST_BYTES:
        reply = answer(Request.unpack(data), sessions, shared, options.capacity_px)
        os.write(options.replies, reply.pack())
    return 0


if __name__ == "__main__":
    sys.exit(main())
