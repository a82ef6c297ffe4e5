"""Reconciliation: after a reset the node asks what the ground holds before it sends anything again.

The request (down, APID 0x050) lists unfinished products with size and digest; the answer (up,
APID 0x062) says for each: complete, these byte ranges held, or unknown. Ranges are half-open.

    request: version 2 | n | n x (id 8, size 5, crc32c 4)                      big endian
    answer:  version 2 | epoch | n | n x (id, verdict, [r, r x (gap, length)])  varints

An answer may name fewer ranges than the ground holds when space is short: what is left out is sent
twice, never lost. It never names more.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from flight.wire import varint
from flight.wire.errors import WireError, WireReason
from flight.wire.product_packet import SIZE_BYTES_MAX

VERSION = 2
"""Version 1 had sizes and ranges of 32 bits."""
PACKET_BYTES_MAX = 1_024
_HEAD = struct.Struct(">BH")
_ITEM = struct.Struct(">QBII")
ITEMS_MAX = (PACKET_BYTES_MAX - _HEAD.size) // _ITEM.size


class Held(IntEnum):
    """What the ground says about one product."""

    UNKNOWN = 0
    PARTIAL = 1
    COMPLETE = 2


class Asked(msgspec.Struct, frozen=True, gc=False):
    """One line of a request: identity, size in bytes, CRC-32C of the whole product."""

    product_id: int
    size_bytes: int
    crc32c: int


class Answered(msgspec.Struct, frozen=True):
    """One line of an answer; `ranges` (half-open, ascending) only for PARTIAL."""

    product_id: int
    held: Held
    ranges: tuple[tuple[int, int], ...] = ()


class ReconcileAnswer(msgspec.Struct, frozen=True):
    """An answer of the ground session `epoch`."""

    epoch: int
    items: tuple[Answered, ...]


def encode_request(items: tuple[Asked, ...]) -> bytes:
    """A request as bytes.

    Raises:
        WireError: TOO_LONG for more than `ITEMS_MAX` lines, BAD_VALUE for a field out of range.
    """
    if len(items) > ITEMS_MAX:
        raise WireError(WireReason.TOO_LONG, f"{len(items)} products in one request")
    try:
        return _HEAD.pack(VERSION, len(items)) + b"".join(
            _ITEM.pack(
                item.product_id, item.size_bytes >> 32, item.size_bytes & 0xFFFF_FFFF, item.crc32c
            )
            for item in items
        )
    except struct.error as error:
        raise WireError(WireReason.BAD_VALUE, str(error)) from None


def decode_request(buf: bytes) -> tuple[Asked, ...]:
    """Bytes from the channel as a request.

    Raises:
        WireError: for whatever is not exactly one request; nothing else is ever raised.
    """
    if len(buf) < _HEAD.size:
        raise WireError(WireReason.TRUNCATED, "request without a header")
    version, count = _HEAD.unpack_from(buf)
    if version != VERSION:
        raise WireError(WireReason.BAD_VERSION, f"request version {version}")
    if count > ITEMS_MAX:
        raise WireError(WireReason.TOO_LONG, f"{count} products in one request")
    if len(buf) != _HEAD.size + count * _ITEM.size:
        raise WireError(WireReason.BAD_LENGTH, f"{count} products in {len(buf)} octets")
    return tuple(
        Asked(product_id, high << 32 | low, crc)
        for product_id, high, low, crc in _ITEM.iter_unpack(buf[_HEAD.size :])
    )


def encode_answer(answer: ReconcileAnswer) -> bytes:
    """An answer as bytes; ranges that find no room are left out, the last products' first.

    Raises:
        WireError: TOO_LONG when even without ranges the lines do not fit, BAD_VALUE when ranges
            are not ascending, disjoint and within 40 bits.
    """
    heads = [_answer_head(item) for item in answer.items]
    out = bytearray((VERSION,))
    varint.put(out, answer.epoch)
    varint.put(out, len(answer.items))
    room = PACKET_BYTES_MAX - len(out) - sum(len(head) + 2 for head in heads)
    if room < 0:
        raise WireError(WireReason.TOO_LONG, f"{len(heads)} products in one answer")
    for item, head in zip(answer.items, heads, strict=True):
        out += head
        if item.held is Held.PARTIAL:
            body, count = _fit_ranges(item.ranges, room)
            varint.put(out, count)
            out += body
            room -= len(body)
    return bytes(out)


def _answer_head(item: Answered) -> bytes:
    head = bytearray()
    varint.put(head, item.product_id)
    varint.put(head, item.held)
    return bytes(head)


def _fit_ranges(ranges: tuple[tuple[int, int], ...], room: int) -> tuple[bytes, int]:
    body = bytearray()
    behind = 0
    for count, (start, end) in enumerate(ranges):
        if not behind + bool(count) <= start < end <= SIZE_BYTES_MAX:
            raise WireError(WireReason.BAD_VALUE, f"range {start}..{end} behind {behind}")
        pair = bytearray()
        varint.put(pair, start - behind)
        varint.put(pair, end - start)
        if len(body) + len(pair) > room:
            return bytes(body), count
        body += pair
        behind = end
    return bytes(body), len(ranges)


def decode_answer(buf: bytes) -> ReconcileAnswer:
    """Bytes from the channel as an answer.

    Raises:
        WireError: for whatever is not exactly one answer; nothing else is ever raised.
    """
    if len(buf) > PACKET_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"answer of {len(buf)} octets")
    if not buf:
        raise WireError(WireReason.TRUNCATED, "empty answer")
    if buf[0] != VERSION:
        raise WireError(WireReason.BAD_VERSION, f"answer version {buf[0]}")
    epoch, at = varint.take(buf, 1)
    count, at = varint.take(buf, at)
    if count > ITEMS_MAX:
        raise WireError(WireReason.TOO_LONG, f"{count} products in one answer")
    items: list[Answered] = []
    for _ in range(count):
        product_id, at = varint.take(buf, at)
        verdict, at = varint.take(buf, at)
        if verdict > Held.COMPLETE:
            raise WireError(WireReason.BAD_TYPE, f"verdict {verdict}")
        ranges: tuple[tuple[int, int], ...] = ()
        if verdict == Held.PARTIAL:
            ranges, at = _take_ranges(buf, at)
        items.append(Answered(product_id, Held(verdict), ranges))
    if at != len(buf):
        raise WireError(WireReason.TRAILING, f"{len(buf) - at} octets behind an answer")
    return ReconcileAnswer(epoch, tuple(items))


def _take_ranges(buf: bytes, at: int) -> tuple[tuple[tuple[int, int], ...], int]:
    count, at = varint.take(buf, at)
    if count > PACKET_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"{count} ranges")
    ranges: list[tuple[int, int]] = []
    behind = 0
    for _ in range(count):
        gap, at = varint.take(buf, at)
        length, at = varint.take(buf, at)
        start, end = behind + gap, behind + gap + length
        if length == 0 or end > SIZE_BYTES_MAX or (gap == 0 and ranges):
            raise WireError(WireReason.BAD_VALUE, f"range {start}..{end}")
        ranges.append((start, end))
        behind = end
    return tuple(ranges), at
