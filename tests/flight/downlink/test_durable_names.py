"""Counters and blobs are repeated at the start of every segment, in exactly the room reserved."""

from __future__ import annotations

import errno

import pytest

from flight.downlink.durable_names import DurableNames
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import RecordKind


def test_all_names_are_written_and_take_the_room_they_announced():
    names = DurableNames({"iv": 5, "frames": (1 << 64) - 1}, {"parameters": b"x" * 100})
    log = SegmentLog(MemoryFileStore(), 8)
    log.roll(0, names.record_bytes())
    names.append_to(log)
    assert log.allocated_bytes - log._end < 32
    found = [(r.kind, r.meta, r.identity, r.payload) for r in log.scan(1)]
    assert found == [
        (RecordKind.COUNTER, b"frames", (1 << 64) - 1, b""),
        (RecordKind.COUNTER, b"iv", 5, b""),
        (RecordKind.STATE, b"parameters", 0, b"x" * 100),
    ]
    assert DurableNames().record_bytes() == 0


def test_a_segment_beyond_the_capacity_is_refused_as_a_full_medium():
    log = SegmentLog(MemoryFileStore(), 1000)
    log.roll(0, 0, capacity_bytes=2000)
    log.roll(0, 900, capacity_bytes=2000)
    with pytest.raises(OSError, match="of 2000 B") as caught:
        log.roll(0, 0, capacity_bytes=2000)
    assert caught.value.errno == errno.ENOSPC
    assert log.segments == (1, 2)
