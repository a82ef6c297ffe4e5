"""Unsigned LEB128 integers: how reports and reconcile packets write counts, gaps and identities.

Seven bits an octet, low group first, the high bit says that another octet follows (DWARF 5,
section 7.6). Only the shortest form is accepted, so that equal values have equal bytes.
"""

from __future__ import annotations

from flight.wire.errors import WireError, WireReason

U64_MAX = (1 << 64) - 1
VARINT_BYTES_MAX = 10


def put(out: bytearray, value: int) -> None:
    """Appends 0 <= value < 2^64; anything else is the caller's mistake.

    Raises:
        WireError: BAD_VALUE outside that range.
    """
    if not 0 <= value <= U64_MAX:
        raise WireError(WireReason.BAD_VALUE, f"{value} is no unsigned 64-bit number")
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def take(buf: bytes, at: int) -> tuple[int, int]:
    """Reads one integer at `at`: (value, index behind it).

    Raises:
        WireError: TRUNCATED at the end of the buffer, BAD_VALUE above 64 bits or not shortest.
    """
    value = shift = 0
    for index in range(at, min(at + VARINT_BYTES_MAX, len(buf))):
        octet = buf[index]
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            if value > U64_MAX or (octet == 0 and index > at):
                raise WireError(WireReason.BAD_VALUE, "varint too large or padded")
            return value, index + 1
        shift += 7
    reason = WireReason.TRUNCATED if len(buf) - at < VARINT_BYTES_MAX else WireReason.BAD_VALUE
    raise WireError(reason, "varint without an end")


def zigzag(value: int) -> int:
    """Maps small signed numbers to small unsigned ones: 0, -1, 1, -2 -> 0, 1, 2, 3."""
    return value * 2 if value >= 0 else -value * 2 - 1


def unzigzag(value: int) -> int:
    """The inverse of `zigzag`."""
    return value >> 1 if not value & 1 else -(value >> 1) - 1
