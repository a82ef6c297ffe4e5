"""Counters and state blobs as the segment log repeats them.

Image -> ground, hop "durable before it counts". Every segment begins with all of them, so an old
segment may be unlinked without a counter being forgotten, whatever becomes of the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.segment_record import RecordKind, record_bytes

if TYPE_CHECKING:
    from flight.downlink.segment_file import SegmentLog


class DurableNames:
    """Highest reserved value of each counter, newest content of each blob."""

    def __init__(
        self, counters: dict[str, int] | None = None, blobs: dict[str, bytes] | None = None
    ) -> None:
        self.counters = {} if counters is None else counters
        self.blobs = {} if blobs is None else blobs

    def record_bytes(self) -> int:
        """Room `append_to` takes."""
        names = sum(record_bytes(len(name.encode()), 0) for name in self.counters)
        return names + sum(record_bytes(len(n.encode()), len(b)) for n, b in self.blobs.items())

    def append_to(self, log: SegmentLog) -> None:
        """Writes all of them into the active segment; durable with its next sync."""
        for name, value in sorted(self.counters.items()):
            log.append(RecordKind.COUNTER, value, name.encode(), b"")
        for name, blob in sorted(self.blobs.items()):
            log.append(RecordKind.STATE, 0, name.encode(), blob)
