"""The segment log: torn at any byte, it never tells a lie."""

from __future__ import annotations

import pytest

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import (
    HEADER_BYTES,
    Place,
    RecordDamagedError,
    RecordKind,
    encode_record,
    record_bytes,
)
from tests.flight.downlink.plain_scan import scan

SEGMENT = 4096


def logged(files, payloads):
    log = SegmentLog(files, SEGMENT)
    log.roll(0, 0)
    return log, [
        log.append(RecordKind.PRODUCT, index, b"meta", payload)
        for index, payload in enumerate(payloads)
    ]


def test_a_torn_last_record_is_found_at_each_byte():
    payloads = [b"first" * 10, b"second" * 7, b"the last one, torn"]
    last = encode_record(RecordKind.PRODUCT, 2, b"meta", payloads[2])
    for torn in range(len(last) + 1):
        files = MemoryFileStore()
        log, _ = logged(files, payloads[:2])
        log.sync()
        log.append(RecordKind.PRODUCT, 2, b"meta", payloads[2])
        found = list(scan(SegmentLog(files.power_cut(torn), SEGMENT), 1))
        expected = payloads if torn == len(last) else payloads[:2]
        assert [record.payload for record in found] == expected
        assert [record.identity for record in found] == list(range(len(expected)))
        assert all(record.meta == b"meta" for record in found)


def test_every_flipped_bit_of_a_record_is_noticed():
    files = MemoryFileStore()
    log, (place,) = logged(files, [b"payload"])
    handle = files.open("segment-0000000001.log")
    for index in range(HEADER_BYTES + 4 + 7):
        good = files.pread(handle, 1, index)
        for bit in range(8):
            files.pwrite(handle, bytes((good[0] ^ 1 << bit,)), index)
            with pytest.raises(RecordDamagedError):
                log.read(place)
        files.pwrite(handle, good, index)
    assert log.read(place).payload == b"payload"


def test_a_damaged_record_in_the_middle_costs_only_itself():
    files = MemoryFileStore()
    log, places = logged(files, [b"one", b"two", b"three"])
    handle = files.open("segment-0000000001.log")
    files.pwrite(handle, b"X", places[1].offset + HEADER_BYTES + 5)
    assert [record.payload for record in scan(log, 1)] == [b"one", b"three"]
    with pytest.raises(RecordDamagedError):
        log.read(places[1])


def test_recovery_never_writes_into_an_old_segment():
    files = MemoryFileStore()
    log, _ = logged(files, [b"one"])
    log.sync()
    log = SegmentLog(files.power_cut(), SEGMENT)
    assert log.active is None
    assert not log.fits(0, 0)
    assert log.roll(0, 0) == 2
    assert log.segments == (1, 2)


def test_without_the_sync_the_records_are_gone():
    files = MemoryFileStore(sync_lies=True)
    log, _ = logged(files, [b"one"])
    assert log.sync() == 1
    assert list(scan(SegmentLog(files.power_cut(), SEGMENT), 1)) == []


def test_a_group_costs_one_sync_and_a_large_record_gets_a_large_segment():
    files = MemoryFileStore()
    log, _ = logged(files, [b"x" * 100 for _ in range(20)])
    assert log.sync() == 1
    assert files.syncs == 1
    assert not log.fits(4, 3 * SEGMENT)
    log.roll(4, 3 * SEGMENT)
    place = log.append(RecordKind.PRODUCT, 9, b"meta", b"y" * 3 * SEGMENT)
    assert log.read(place).payload == b"y" * 3 * SEGMENT
    assert log.allocated_bytes == SEGMENT + record_bytes(4, 3 * SEGMENT)
    log.free(1)
    assert files.names() == ["segment-0000000002.log"]
    with pytest.raises(RecordDamagedError):
        log.read(Place(1, 0))


def test_a_full_medium_leaves_no_half_segment_behind():
    files = MemoryFileStore(capacity_bytes=SEGMENT)
    log, _ = logged(files, [])
    with pytest.raises(OSError, match="space"):
        log.roll(0, 0)
    assert files.names() == ["segment-0000000001.log"]
    assert log.active == 1
