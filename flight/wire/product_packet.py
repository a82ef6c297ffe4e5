"""Data fields of the product packets: segments (APID 0x040) and manifests (APID 0x041).

A segment is sixteen octets of header and then bytes of the product. The manifest, all that is
known about a product besides its bytes, travels in the same frame as the segment at offset 0, so
that whoever holds that segment holds the manifest as well: nothing extra has to be acknowledged.
Two short lists share the manifest's APID: `Freed` (the node has freed these, the ground need not
report them any more) and `Withdrawn` (the node gave these up, the ground may forget the parts).

    segment:  id 48 bits | offset 40 bits | size of the product 40 bits | bytes
    manifest: kind 4 | producer, flags | class | id 8 | size 5 | crc32c 4 | value 8 | deadline 8 |
              created 8 | depends on 8 | length of the name 1 | name               all big endian

Manifests of kind 1 have a size of 4 octets. None are written any more; stores that were filled
before there were sizes of 40 bits hold them.
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum

import msgspec

from flight.wire.errors import WireError, WireReason

PRODUCT_ID_MAX = (1 << 48) - 1
SIZE_BYTES_MAX = (1 << 40) - 1
NAME_BYTES_MAX = 96
LIST_MAX = 120
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", re.ASCII)
_SEGMENT = struct.Struct(">QQ")
SEGMENT_HEADER_BYTES = _SEGMENT.size
_OFFSET_HIGH_BITS, _OFFSET_LOW_BITS = 16, 24
_SIZE_BITS = 40
_MANIFEST = struct.Struct(">BBBQBIIqqqQB")
_NARROW_MANIFEST = struct.Struct(">BBBQIIqqqQB")
MANIFEST_BYTES_MAX = _MANIFEST.size + NAME_BYTES_MAX
_LIST = struct.Struct(">BB")
LIST_BYTES_MAX = _LIST.size + 8 * LIST_MAX
_HAS_DEADLINE = 1
_HAS_DEPENDENCY = 2
_FLAGS = _HAS_DEADLINE | _HAS_DEPENDENCY
_PRODUCER_SHIFT = 4

assert SIZE_BYTES_MAX < 1 << _SIZE_BITS == 1 << _OFFSET_HIGH_BITS + _OFFSET_LOW_BITS


class ProductClass(IntEnum):
    """What a product is, most urgent first; EMERGENCY overtakes everything else."""

    EMERGENCY = 0
    TELEMETRY = 1
    INDEX = 2
    MASK = 3
    QUICKLOOK = 4
    RAW = 5


class Producer(IntEnum):
    """Which part of the node made a product; each has a quota of the store of its own."""

    UNKNOWN = 0
    IMAGING = 1
    TELEMETRY = 2
    COMMANDING = 3


_CLASSES, _PRODUCERS = tuple(ProductClass), tuple(Producer)


class _Kind(IntEnum):
    NARROW_MANIFEST = 1
    FREED = 2
    WITHDRAWN = 3
    MANIFEST = 4


class Manifest(msgspec.Struct, frozen=True, gc=False):
    """A product without its bytes.

    Attributes:
        product_id: 0..2^48-1, never used twice.
        klass: see `ProductClass`.
        size_bytes: 1..2^40-1.
        crc32c: over all bytes of the product.
        value_millis: worth in thousandths, fits 63 bits.
        deadline_ns: mission time after which it is worthless, or None.
        created_ns: mission time of its making.
        name: logical file name; letters, digits, `.`, `_`, `-`, not starting with a sign.
        depends_on: product without which this one is of no use, or None.
        producer: see `Producer`; UNKNOWN where nobody said.
    """

    product_id: int
    klass: ProductClass
    size_bytes: int
    crc32c: int
    value_millis: int
    deadline_ns: int | None
    created_ns: int
    name: str
    depends_on: int | None = None
    producer: Producer = Producer.UNKNOWN


class Freed(msgspec.Struct, frozen=True, gc=False):
    """The node freed these products durably: reports need not repeat them."""

    product_ids: tuple[int, ...]


class Withdrawn(msgspec.Struct, frozen=True, gc=False):
    """The node gave these products up (evicted, expired, deleted): the rest will never come."""

    product_ids: tuple[int, ...]


class SegmentData(msgspec.Struct, frozen=True, gc=False):
    """Bytes [offset, offset + len(data)) of a product of `total_bytes`."""

    product_id: int
    offset: int
    total_bytes: int
    data: bytes


def value_after(value_millis: int, age_ns: int, half_life_ns: int | None) -> int:
    """What a product is worth at this age, in thousandths; never more than when it was made.

    Linear between whole half-lives, where it is exact: the same on every machine.
    """
    if half_life_ns is None or age_ns <= 0:
        return value_millis
    halvings, rest_ns = divmod(age_ns, half_life_ns)
    return value_millis * (2 * half_life_ns - rest_ns) // (half_life_ns << (min(halvings, 63) + 1))


def valid_name(name: str) -> bool:
    """Whether a logical file name may travel: no path, no hidden file, bounded."""
    return _NAME.fullmatch(name) is not None


def encode_segment(product_id: int, offset: int, total_bytes: int, data: bytes) -> bytes:
    """A segment's data field.

    Raises:
        WireError: BAD_VALUE when the bytes do not lie inside the product or a field overflows.
    """
    inside = offset >= 0 and 0 < len(data) <= total_bytes - offset and total_bytes <= SIZE_BYTES_MAX
    if not inside or not 0 <= product_id <= PRODUCT_ID_MAX:
        raise WireError(
            WireReason.BAD_VALUE, f"{len(data)} octets at {offset} of {total_bytes} of {product_id}"
        )
    first = product_id << _OFFSET_HIGH_BITS | offset >> _OFFSET_LOW_BITS
    second = (offset & (1 << _OFFSET_LOW_BITS) - 1) << _SIZE_BITS | total_bytes
    return _SEGMENT.pack(first, second) + data


def decode_segment(buf: bytes) -> SegmentData:
    """Bytes from the channel as a segment.

    Raises:
        WireError: TRUNCATED or BAD_VALUE; nothing else is ever raised.
    """
    if len(buf) <= SEGMENT_HEADER_BYTES:
        raise WireError(WireReason.TRUNCATED, f"segment of {len(buf)} octets")
    first, second = _SEGMENT.unpack_from(buf)
    product_id = first >> _OFFSET_HIGH_BITS
    offset_high = first & (1 << _OFFSET_HIGH_BITS) - 1
    offset = offset_high << _OFFSET_LOW_BITS | second >> _SIZE_BITS
    total_bytes = second & SIZE_BYTES_MAX
    data = buf[SEGMENT_HEADER_BYTES:]
    if offset + len(data) > total_bytes:
        raise WireError(WireReason.BAD_VALUE, f"{len(data)} octets at {offset} of {total_bytes}")
    return SegmentData(product_id, offset, total_bytes, data)


def manifest_bytes(name: str) -> int:
    """Octets the data field of a manifest with this name takes."""
    return _MANIFEST.size + len(name)


def encode_manifest(manifest: Manifest) -> bytes:
    """A manifest's data field.

    Raises:
        WireError: BAD_VALUE for a name, class, size or number that may not travel.
    """
    if not valid_name(manifest.name) or not _plausible(manifest.product_id, manifest.size_bytes):
        raise WireError(WireReason.BAD_VALUE, f"manifest of {manifest.name!r}")
    flags = (manifest.deadline_ns is not None) * _HAS_DEADLINE
    flags |= (manifest.depends_on is not None) * _HAS_DEPENDENCY
    flags |= Producer(manifest.producer) << _PRODUCER_SHIFT
    try:
        head = _MANIFEST.pack(
            _Kind.MANIFEST,
            flags,
            ProductClass(manifest.klass),
            manifest.product_id,
            manifest.size_bytes >> 32,
            manifest.size_bytes & 0xFFFF_FFFF,
            manifest.crc32c,
            manifest.value_millis,
            manifest.deadline_ns or 0,
            manifest.created_ns,
            manifest.depends_on or 0,
            len(manifest.name),
        )
    except struct.error as error:
        raise WireError(WireReason.BAD_VALUE, str(error)) from None
    return head + manifest.name.encode("ascii")


def _plausible(product_id: int, size_bytes: int) -> bool:
    return 0 <= product_id <= PRODUCT_ID_MAX and 1 <= size_bytes <= SIZE_BYTES_MAX


def encode_list(marks: Freed | Withdrawn) -> bytes:
    """A list's data field.

    Raises:
        WireError: TOO_LONG above `LIST_MAX` identities, BAD_VALUE for one above 64 bits.
    """
    if len(marks.product_ids) > LIST_MAX:
        raise WireError(WireReason.TOO_LONG, f"{len(marks.product_ids)} identities")
    kind = _Kind.FREED if isinstance(marks, Freed) else _Kind.WITHDRAWN
    try:
        body = struct.pack(f">{len(marks.product_ids)}Q", *marks.product_ids)
    except struct.error as error:
        raise WireError(WireReason.BAD_VALUE, str(error)) from None
    return _LIST.pack(kind, len(marks.product_ids)) + body


def decode_manifest_packet(buf: bytes) -> Manifest | Freed | Withdrawn:
    """Data of an APID 0x041 packet as what it is.

    Raises:
        WireError: for whatever is not exactly one of the three; nothing else is ever raised.
    """
    if not buf:
        raise WireError(WireReason.TRUNCATED, "empty manifest packet")
    if buf[0] == _Kind.MANIFEST:
        return _decode_manifest(buf, _MANIFEST)
    if buf[0] == _Kind.NARROW_MANIFEST:
        return _decode_manifest(buf, _NARROW_MANIFEST)
    if buf[0] not in {_Kind.FREED, _Kind.WITHDRAWN}:
        raise WireError(WireReason.BAD_TYPE, f"manifest packet kind {buf[0]}")
    if len(buf) < _LIST.size or len(buf) != _LIST.size + 8 * buf[1] or buf[1] > LIST_MAX:
        raise WireError(WireReason.BAD_LENGTH, f"list in {len(buf)} octets")
    product_ids: tuple[int, ...] = struct.unpack_from(f">{buf[1]}Q", buf, _LIST.size)
    return Freed(product_ids) if buf[0] == _Kind.FREED else Withdrawn(product_ids)


def _decode_manifest(buf: bytes, layout: struct.Struct) -> Manifest:
    if len(buf) < layout.size:
        raise WireError(WireReason.TRUNCATED, f"manifest of {len(buf)} octets")
    fields = layout.unpack_from(buf)
    if layout is _NARROW_MANIFEST:
        fields = (*fields[:4], 0, *fields[4:])  # its sizes had 32 bits
    _, flags, klass, product_id, high, size, crc, value, deadline, created, depends, length = fields
    if len(buf) != layout.size + length:
        raise WireError(WireReason.BAD_LENGTH, f"name of {length} in {len(buf)} octets")
    try:
        name = buf[layout.size :].decode("ascii")
    except UnicodeDecodeError:
        raise WireError(WireReason.BAD_VALUE, "name is not ASCII") from None
    producer, flags = flags >> _PRODUCER_SHIFT, flags & (1 << _PRODUCER_SHIFT) - 1
    known = klass < len(_CLASSES) and flags <= _FLAGS and producer < len(_PRODUCERS)
    if not valid_name(name) or not known or not _plausible(product_id, high << 32 | size):
        raise WireError(WireReason.BAD_VALUE, f"manifest of {name!r}")
    return Manifest(
        product_id=product_id,
        klass=_CLASSES[klass],
        size_bytes=high << 32 | size,
        crc32c=crc,
        value_millis=value,
        deadline_ns=deadline if flags & _HAS_DEADLINE else None,
        created_ns=created,
        name=name,
        depends_on=depends if flags & _HAS_DEPENDENCY else None,
        producer=_PRODUCERS[producer],
    )
