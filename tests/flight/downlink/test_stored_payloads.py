"""Bytes that are sent come from memory, else from a record that verifies."""

import errno

import pytest

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import Place, RecordKind
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.downlink.stored_payloads import StoredPayloads


@pytest.fixture
def stored():
    files = MemoryFileStore()
    log = SegmentLog(files, 256)
    log.roll(0, 0)
    return files, log.append(RecordKind.PRODUCT, 1, b"m", b"payload"), StoredPayloads(files)


def test_a_record_is_read_once_and_then_known(stored):
    files, place, payloads = stored
    assert payloads.known(1) is None
    assert payloads.load(1, place) == b"payload"
    files.unlink("segment-0000000001.log")
    payloads.forget_segment(1)
    assert payloads.known(1) == b"payload"
    payloads.forget(1)
    assert payloads.known(1) is None
    with pytest.raises(StoreError) as caught:
        payloads.load(1, place)
    assert caught.value.kind is StoreErrorKind.DAMAGED


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.EIO, StoreErrorKind.DAMAGED), (errno.EMFILE, StoreErrorKind.SYNC)]
)
def test_a_sector_that_cannot_be_read_costs_one_product_and_other_trouble_none(
    stored, monkeypatch, code, kind
):
    files, _, payloads = stored

    def fails(*_):
        raise OSError(code, "fails")

    monkeypatch.setattr(files, "pread", fails)
    with pytest.raises(StoreError) as caught:
        payloads.load(1, Place(1, 0))
    assert caught.value.kind is kind
