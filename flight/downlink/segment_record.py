"""One record of the segment log, as bytes: valid exactly when its CRC-32C is.

Image -> ground, hop "durable before it counts".

    magic 4 | version 1 | kind 1 | meta length 2 | identity 8 | length 4 | crc32c 4 | meta | payload

big endian, `length` counts meta and payload, the CRC covers everything but itself, records start at
multiples of eight.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from flight.wire.crc import crc32c

MAGIC = b"LNR\x01"
VERSION = 1
_HEADER = struct.Struct(">4sBBHQII")
_HEAD = struct.Struct(">4sBBHQI")  # less its CRC
_CRC_BYTES = 4
HEADER_BYTES = _HEADER.size
ALIGN = 8
"""Records begin at multiples of it."""
_META_MAX = (1 << 16) - 1
PAYLOAD_BYTES_MAX = (1 << 32) - 1 - _META_MAX
"""Of one record; what is longer travels, but is not made on board in one piece."""

assert HEADER_BYTES % ALIGN == 0


class RecordKind(IntEnum):
    """What a record is: a product with its manifest, a counter's new value, a state blob."""

    PRODUCT = 1
    COUNTER = 2
    STATE = 3


_KINDS = frozenset(RecordKind)


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a record begins."""

    segment: int
    offset: int


NOWHERE = Place(0, 0)
"""No record: segments count from 1."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """A valid record as read back."""

    place: Place
    kind: RecordKind
    identity: int
    meta: bytes
    payload: bytes

    @property
    def room(self) -> int:
        """Room it takes in its segment."""
        return record_bytes(len(self.meta), len(self.payload))


class Header(msgspec.Struct, frozen=True, gc=False):
    """What a header claims; nothing of it is to be believed before `verified`."""

    kind: int
    meta_bytes: int
    identity: int
    length: int
    check: int

    @property
    def room(self) -> int:
        """Room the record claims to take."""
        return _aligned(HEADER_BYTES + self.length)


class RecordDamagedError(Exception):
    """A record that was durable once does not verify any more: the medium lost it."""


def _aligned(length: int) -> int:
    return (length + ALIGN - 1) // ALIGN * ALIGN


def record_bytes(meta_bytes: int, payload_bytes: int) -> int:
    """Room one record takes in a segment."""
    return _aligned(HEADER_BYTES + meta_bytes + payload_bytes)


def encode_record(kind: RecordKind, identity: int, meta: bytes, payload: bytes) -> bytes:
    """One record as written."""
    size = len(meta)
    assert size <= _META_MAX
    head = _HEAD.pack(MAGIC, VERSION, kind, size, identity, size + len(payload))
    check = crc32c(payload, crc32c(head + meta))
    return b"".join((head, check.to_bytes(_CRC_BYTES, "big"), meta, payload))


def decode_header(buf: bytes) -> Header | None:
    """The header at the start of `buf`, None when there is none."""
    if len(buf) < HEADER_BYTES:
        return None
    magic, version, kind, meta_bytes, identity, length, check = _HEADER.unpack_from(buf)
    if magic != MAGIC or version != VERSION or meta_bytes > length:
        return None
    return Header(kind, meta_bytes, identity, length, check)


def verified(place: Place, head: bytes, header: Header, body: bytes) -> Record | None:
    """The record, None when a bit of it is not as it was written.

    Args:
        place: where it begins.
        head: the header's own bytes.
        header: the same, decoded.
        body: meta and payload.
    """
    if header.kind not in _KINDS or len(body) != header.length:
        return None
    if crc32c(body, crc32c(head[: HEADER_BYTES - _CRC_BYTES])) != header.check:
        return None
    meta, payload = body[: header.meta_bytes], body[header.meta_bytes :]
    return Record(place, RecordKind(header.kind), header.identity, meta, payload)
