"""Both directions of a line, octet for octet, with the time at which the bench saw them.

A file is eight octets of mark and version, then records: time u64 (ns of the bench's monotonic
clock), direction u8, length u32, octets; little-endian. It holds no keys: frames in it are sealed.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = b"LNWIRE\0\1"
_RECORD = Struct("<QBI")
RECORD_BYTES_MAX = 1 << 20


class Way(IntEnum):
    """Who sent it."""

    FROM_NODE = 0
    TO_NODE = 1


class Captured(NamedTuple):
    """Octets as one read or write moved them."""

    t_ns: int
    way: Way
    octets: bytes


class CaptureError(ValueError):
    """Not a capture, or one that was cut off; its text is one line."""


class WireCapture:
    """Writes a capture; buffered, so what is written last may be missing after a crash."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(MARK)

    def add(self, t_ns: int, way: Way, octets: bytes) -> None:
        """One read or write."""
        self._file.write(_RECORD.pack(t_ns, way, len(octets)) + octets)

    def close(self) -> None:
        """Flushes and closes."""
        self._file.close()


def read_capture(path: Path) -> Iterator[Captured]:
    """The records in order; raises `CaptureError` where the file stops making sense."""
    with path.open("rb") as file:
        if file.read(len(MARK)) != MARK:
            raise CaptureError(f"{path}: no capture of a bench link")
        while head := file.read(_RECORD.size):
            if len(head) < _RECORD.size:
                raise CaptureError(f"{path}: cut off within a record")
            t_ns, way, size = _RECORD.unpack(head)
            if way not in tuple(Way) or size > RECORD_BYTES_MAX:
                raise CaptureError(f"{path}: damaged record")
            octets = file.read(size)
            if len(octets) < size:
                raise CaptureError(f"{path}: cut off within a record")
            yield Captured(t_ns, Way(way), octets)
