"""Reading goes on beside a writer that frees what is being read."""

import pytest

from flight.downlink.file_store import FolderStore
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import HEADER_BYTES, Place, RecordDamagedError, RecordKind
from flight.downlink.stored_payloads import HANDLES_MAX, SegmentReader


@pytest.fixture(params=["folder", "memory"])
def files(request, tmp_path):
    return FolderStore(tmp_path / "s") if request.param == "folder" else MemoryFileStore()


def logged(files, payloads):
    log = SegmentLog(files, 256)
    places = []
    for payload in payloads:
        log.roll(0, len(payload))
        places.append(log.append(RecordKind.PRODUCT, 1, b"m", payload))
    return log, places


def test_a_segment_that_is_freed_stays_readable_until_it_is_forgotten(files):
    log, places = logged(files, [b"one", b"two"])
    reader = SegmentReader(files)
    assert reader.record(places[0]).payload == b"one"
    log.free(1)
    assert reader.record(places[0]).payload == b"one"
    reader.forget(1)
    with pytest.raises(RecordDamagedError):
        reader.record(places[0])
    assert reader.record(places[1]).payload == b"two"
    reader.close()
    log.close()


def test_more_segments_than_handles_are_all_readable(files):
    payloads = [b"%d" % n for n in range(HANDLES_MAX + 5)]
    log, places = logged(files, payloads)
    reader = SegmentReader(files)
    for _ in range(2):
        assert [reader.record(place).payload for place in places] == payloads
    assert len(reader._handles) == HANDLES_MAX
    reader.close()
    log.close()


def test_a_flipped_bit_and_a_place_without_a_record_are_found(files):
    log, (place,) = logged(files, [b"payload"])
    reader = SegmentReader(files)
    with pytest.raises(RecordDamagedError):
        reader.record(Place(1, 8))
    files.pwrite(log._handles[1], b"X", HEADER_BYTES + 3)
    with pytest.raises(RecordDamagedError):
        reader.record(place)
    reader.close()
    log.close()
