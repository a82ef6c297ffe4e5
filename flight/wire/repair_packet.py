"""Data field of a repair packet (APID 0x042): one repair symbol over frames of the product channel.

    first frame 6 | stride 1 | frames 1 | repair 1 | symbol

Source i of the block is what frame `first + stride * i` carries: two octets of length, its packets,
and zeros up to the length of the symbol. `native/include/erasure_code.h` says how they are summed.
"""

from __future__ import annotations

import struct

import msgspec

from flight.wire.errors import WireError, WireReason
from flight.wire.space_packet import HEADER_BYTES
from hal.native_library import lib

SOURCES_MAX: int = lib.ERASURE_SOURCES_MAX
REPAIRS_MAX: int = lib.ERASURE_REPAIRS_MAX
STRIDE_MAX = 0xFF
_HEADER = struct.Struct(">HIBBB")
LENGTH_BYTES = 2
REPAIR_ROOM_BYTES = HEADER_BYTES + _HEADER.size + LENGTH_BYTES
"""What a frame must leave free, or a repair symbol over it would fit none."""
_FRAME_MAX = (1 << 48) - 1


class RepairSymbol(msgspec.Struct, frozen=True, gc=False):
    """One repair symbol of a block.

    Attributes:
        first_frame: number of the first frame in the block.
        stride: frames of the block are so many numbers apart, 1..255.
        sources: frames in the block, 1..200.
        repair: which repair symbol of the block, 0..55.
        symbol: the sum, at least two octets.
    """

    first_frame: int
    stride: int
    sources: int
    repair: int
    symbol: bytes


def source_symbol(packets: bytes) -> bytes:
    """What a frame's packets count as in a sum."""
    return len(packets).to_bytes(LENGTH_BYTES, "big") + packets


def packets_of(symbol: bytes) -> bytes:
    """The packets in a source symbol that was made good.

    Raises:
        WireError: BAD_LENGTH when they would not lie in it.
    """
    length = int.from_bytes(symbol[:LENGTH_BYTES], "big")
    if not 0 < length <= len(symbol) - LENGTH_BYTES:
        raise WireError(WireReason.BAD_LENGTH, f"{length} octets of packets in {len(symbol)}")
    return symbol[LENGTH_BYTES : LENGTH_BYTES + length]


def encode_repair(repair: RepairSymbol) -> bytes:
    """A repair packet's data field.

    Raises:
        WireError: BAD_VALUE for a field out of its range.
    """
    _check(repair)
    high, low = repair.first_frame >> 32, repair.first_frame & 0xFFFF_FFFF
    return _HEADER.pack(high, low, repair.stride, repair.sources, repair.repair) + repair.symbol


def decode_repair(buf: bytes) -> RepairSymbol:
    """Bytes from the channel as a repair symbol.

    Raises:
        WireError: TRUNCATED or BAD_VALUE; nothing else is ever raised.
    """
    if len(buf) <= _HEADER.size + LENGTH_BYTES:
        raise WireError(WireReason.TRUNCATED, f"repair packet of {len(buf)} octets")
    high, low, stride, sources, number = _HEADER.unpack_from(buf)
    repair = RepairSymbol(high << 32 | low, stride, sources, number, buf[_HEADER.size :])
    _check(repair)
    return repair


def _check(repair: RepairSymbol) -> None:
    fits = (
        1 <= repair.stride <= STRIDE_MAX
        and 1 <= repair.sources <= SOURCES_MAX
        and 0 <= repair.repair < REPAIRS_MAX
        and 0 <= repair.first_frame <= _FRAME_MAX - repair.stride * (repair.sources - 1)
        and len(repair.symbol) > LENGTH_BYTES
    )
    if not fits:
        raise WireError(WireReason.BAD_VALUE, f"repair of {repair.sources} frames")
