"""Bit errors of a line: PRBS-15 (ITU-T O.150, 5.3), not inverted, from state 0x7FFF on.

x^15 + x^14 + 1, most significant bit first: FF FE 00 04 and on, 32,767 bits, then over again. Each
message begins at the start, so one that is damaged or lost harms no other.
"""

from __future__ import annotations

from functools import cache

from hil.bench_link.layout import PAYLOAD_BYTES_MAX

_START, _MASK = 0x7FFF, 0x7FFF


@cache
def _sequence() -> bytes:
    state, bits = _START, 0
    out = bytearray()
    for place in range(8 * PAYLOAD_BYTES_MAX):
        bits = (bits << 1 | state >> 14) & 0xFF
        state = (state << 1 | (state >> 14 ^ state >> 13) & 1) & _MASK
        if place % 8 == 7:
            out.append(bits)
    return bytes(out)


def prbs15(octets: int) -> bytes:
    """The first octets of the sequence, as many as a message holds at most."""
    return _sequence()[:octets]


def bit_errors(octets: bytes) -> int:
    """Bits in which these octets differ from the sequence."""
    expected = int.from_bytes(prbs15(len(octets)))
    return (int.from_bytes(octets) ^ expected).bit_count()
