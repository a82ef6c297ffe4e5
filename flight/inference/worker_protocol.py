"""The words between the flight process and its inference worker. A leaf, imported by both.

Pixels and answers lie in one shared memory file (tile area, then result area); pipes carry only
these fixed-size signals, each smaller than the system's atomic pipe write.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

TILE_BYTES_A_PX = 12
"""Six bands of uint16."""
RESULT_BYTES_A_PX = 4
"""One float32."""
TEXT_BYTES = 160
_REQUEST = struct.Struct("<IIIII")
_REPLY = struct.Struct(f"<IIIQ{TEXT_BYTES}s")
REQUEST_BYTES, REPLY_BYTES = _REQUEST.size, _REPLY.size


class Status(IntEnum):
    """What the worker has to say."""

    READY = 0
    DONE = 1
    MODEL_ERROR = 2
    CORRUPT_TILE = 3


@dataclass(frozen=True, slots=True)
class Request:
    """Run model number ``model`` on the tile in shared memory; ``crc32`` is that of its bytes."""

    seq: int
    model: int
    height: int
    width: int
    crc32: int

    def pack(self) -> bytes:
        """Return the bytes on the pipe."""
        return _REQUEST.pack(self.seq, self.model, self.height, self.width, self.crc32)

    @staticmethod
    def unpack(data: bytes) -> Request:
        """Return the request of exactly ``REQUEST_BYTES`` bytes."""
        return Request(*_REQUEST.unpack(data))


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to request ``seq``; ``crc32`` is that of the result's bytes, ``text`` the error."""

    seq: int
    status: Status
    crc32: int = 0
    duration_ns: int = 0
    text: str = ""

    def pack(self) -> bytes:
        """Return the bytes on the pipe; a long text is cut."""
        text = self.text.encode(errors="replace")[:TEXT_BYTES]
        return _REPLY.pack(self.seq, self.status, self.crc32, self.duration_ns, text)

    @staticmethod
    def unpack(data: bytes) -> Reply:
        """Return the reply of exactly ``REPLY_BYTES`` bytes."""
        seq, status, crc32, duration_ns, text = _REPLY.unpack(data)
        words = text.rstrip(b"\0").decode(errors="replace")
        return Reply(seq, Status(status), crc32, duration_ns, words)
