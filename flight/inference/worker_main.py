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

from flight.inference.guarded_ort import guarded
from flight.inference.guarded_session import DistrustError, GuardedSession
from flight.inference.job import BAND_BYTES, BANDS
from flight.inference.model_manifest import ModelError, unpack_bundle
from flight.inference.screening import screen
from flight.inference.session_ort import AUTO, PROVIDERS
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

CHECK_EVERY_NS = 10_000_000_000
"""Golden tile and a look at all weights, after an answer has been given: about 1 ms of 10 s."""
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


def answer(
    request: Request,
    flown: Sequence[GuardedSession],
    shared: mmap.mmap,
    capacity_px: int,
    bands: Sequence[str],
) -> Reply:
    """Run one request; the result is in shared memory before the reply says so."""
    px_bytes = BAND_BYTES * len(bands)
    tile = memoryview(shared)[: request.height * request.width * px_bytes]
    if zlib.crc32(tile) != request.crc32:
        return Reply(request.seq, Status.CORRUPT_TILE, text="tile differs from what was sent")
    started_ns = time.monotonic_ns()
    try:
        pixels = pixel_array(tile, request.height, request.width, len(bands))
        probability, care = flown[request.model].run(pixels, twice=request.twice)
    except DistrustError as error:
        return Reply(request.seq, Status.UNTRUSTED, text=str(error))
    except ModelError as error:
        return Reply(request.seq, Status.MODEL_ERROR, text=str(error))
    limit = request.quicklook_cloud_permille_max
    raw = pack_screening(screen(pixels, probability, request.threshold, limit, bands))
    duration_ns = time.monotonic_ns() - started_ns
    base = capacity_px * px_bytes
    shared[base : base + len(raw)] = raw
    return Reply(request.seq, Status.DONE, zlib.crc32(raw), len(raw), duration_ns, care=care)


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
    shared = mmap.mmap(options.shared, shared_bytes(options.capacity_px, len(bands)))
    try:
        flown = [
            session_of(word, options.provider, bands, options.threads) for word in options.model
        ]
    except ModelError as error:
        os.write(options.replies, Reply(0, Status.MODEL_ERROR, text=str(error)).pack())
        return 1
    os.write(options.replies, Reply(0, Status.READY).pack())
    lost: dict[int, str] = {}
    checked_ns = time.monotonic_ns()
    while len(data := read_all(options.requests, REQUEST_BYTES)) == REQUEST_BYTES:
        request = Request.unpack(data)
        if request.model in lost:
            reply = Reply(request.seq, Status.UNTRUSTED, text=lost[request.model])
        else:
            reply = answer(request, flown, shared, options.capacity_px, bands)
        os.write(options.replies, reply.pack())
        if time.monotonic_ns() - checked_ns >= CHECK_EVERY_NS:
            lost |= checked(flown)
            checked_ns = time.monotonic_ns()
    return 0


def checked(flown: Sequence[GuardedSession]) -> dict[int, str]:
    """Check every network between two answers; what cannot be trusted any more, and why."""
    lost = {}
    for number, session in enumerate(flown):
        try:
            session.check()
        except ModelError as error:
            lost[number] = str(error)
    return lost


if __name__ == "__main__":
    sys.exit(main())
