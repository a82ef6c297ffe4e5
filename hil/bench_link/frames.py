"""Laser frames over a stream of short messages: cut into chunks, put together again, one a credit.

Pure. A frame arrives whole or counts as broken; whatever is lost on the way gives its credit back,
because frames are numbered and the sender tells how many have left.
"""

from __future__ import annotations

from hil.bench_link.layout import CHUNK_BYTES_MAX
from hil.bench_link.messages import FrameChunk

_MODULO = 1 << 32
_HALF = 1 << 31


def ahead(number: int, base: int, modulo: int = _MODULO) -> int:
    """How far a counter that wraps is ahead of another; negative when it is behind."""
    difference = (number - base) % modulo
    return difference if difference < modulo // 2 else difference - modulo


class FrameSender:
    """Numbers frames and keeps to the credit; a session begins at 0 with `restart`.

    Attributes:
        granted: frames allowed since the session began.
        sent: frames cut so far.
    """

    def __init__(self) -> None:
        self.granted = 0
        self.sent = 0

    def restart(self, credit: int) -> None:
        """A session began: `credit` frames are granted from the start."""
        self.granted, self.sent = credit, 0

    def grant(self, frames: int) -> None:
        """Cumulative: an older or a repeated grant changes nothing."""
        self.granted = max(self.granted, frames)

    @property
    def credit(self) -> int:
        """Frames that may be sent now."""
        return self.granted - self.sent

    def cut(self, frame: bytes) -> list[FrameChunk]:
        """The chunks of one frame; AssertionError without credit."""
        assert self.credit > 0, "a frame needs a credit"
        frame_id = self.sent % _MODULO
        self.sent += 1
        return [
            FrameChunk(frame_id, len(frame), at, frame[at : at + CHUNK_BYTES_MAX])
            for at in range(0, len(frame), CHUNK_BYTES_MAX)
        ]


class FrameReceiver:
    """Puts chunks together; holds one frame at most.

    Attributes:
        taken: frames that arrived whole in this session.
        broken: frames with a chunk missing or none at all, since this was made.
        lost: those of this session: each gives a credit back.
    """

    def __init__(self, frame_bytes_max: int) -> None:
        self._frame_bytes_max = frame_bytes_max
        self._next_id = 0
        self._part = bytearray()
        self.taken = 0
        self.broken = 0
        self.lost = 0

    def restart(self) -> None:
        """A session began: frames count from 0 again, what was incomplete is void."""
        self.broken += bool(self._part)
        self._part.clear()
        self._next_id = self.taken = self.lost = 0

    def take(self, chunk: FrameChunk) -> bytes | None:
        """The frame that this chunk completes, or None."""
        skipped = ahead(chunk.frame_id, self._next_id)
        if skipped < 0:
            return None  # of a frame given up already
        if skipped:
            self._lose(skipped)
        part, octets = self._part, chunk.octets
        fits = chunk.offset == len(part) and 0 < len(octets) <= chunk.frame_bytes - chunk.offset
        if not fits or chunk.frame_bytes > self._frame_bytes_max:
            self._lose(1)
            return None
        part += octets
        if len(part) < chunk.frame_bytes:
            return None
        frame = bytes(part)
        part.clear()
        self._next_id = (self._next_id + 1) % _MODULO
        self.taken += 1
        return frame

    def reconcile(self, frames_sent: int) -> None:
        """So many frames had left before what was just received: what has not come is lost."""
        missing = ahead(frames_sent, self._next_id)
        if missing > 0:
            self._lose(missing)

    def _lose(self, frames: int) -> None:
        self._part.clear()
        self._next_id = (self._next_id + frames) % _MODULO
        self.broken += frames
        self.lost += frames
