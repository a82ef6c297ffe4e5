"""One record as bytes: what comes back is what was written, or nothing."""

from hypothesis import given
from hypothesis import strategies as st

from flight.downlink.segment_record import (
    HEADER_BYTES,
    Place,
    RecordKind,
    decode_header,
    encode_record,
    record_bytes,
    verified,
)

PLACE = Place(3, 8)


def read_back(buf):
    header = decode_header(buf)
    if header is None:
        return None
    return verified(PLACE, buf[:HEADER_BYTES], header, buf[HEADER_BYTES:][: header.length])


@given(
    st.sampled_from(RecordKind),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=300),
    st.binary(max_size=3000),
)
def test_a_record_comes_back_as_it_was_written(kind, identity, meta, payload):
    buf = encode_record(kind, identity, meta, payload)
    record = read_back(buf + b"what follows")
    assert record.place == PLACE
    assert (record.kind, record.identity, record.meta, record.payload) == (
        kind, identity, meta, payload
    )  # fmt: skip
    assert record.room == record_bytes(len(meta), len(payload)) == decode_header(buf).room
    assert len(buf) <= record.room < len(buf) + 8


@given(st.binary(max_size=200))
def test_whatever_bytes_come_nothing_is_raised_and_nothing_believed(buf):
    assert read_back(buf) is None


@given(st.binary(min_size=1, max_size=60), st.data())
def test_no_single_changed_byte_goes_unnoticed(payload, data):
    buf = bytearray(encode_record(RecordKind.PRODUCT, 7, b"meta", payload))
    at = data.draw(st.integers(0, len(buf) - 1))
    buf[at] ^= data.draw(st.integers(1, 255))
    assert read_back(bytes(buf)) is None
