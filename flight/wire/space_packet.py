"""Space packets (CCSDS 133.0-B-2): the innermost envelope, between a room's bytes and a frame.

Every packet of this house carries the secondary header: eight octets, big endian (a private time
code, CCSDS 133.0-B-2 section 4.1.4.2): time base 2 bits, quality of the sender's UTC 2 bits, time
in nanoseconds 60 bits. Packets are never
segmented; what is too long for one packet is cut by the product layer, which knows how to resume.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from flight.base.clock import UtcQuality
from flight.wire.errors import WireError, WireReason


class Apid(IntEnum):
    """Who speaks: the application process identifiers of the node and of its ground."""

    HOUSEKEEPING = 0x010
    EVENT = 0x020
    PARAMETERS = 0x021
    VERIFICATION = 0x030
    PRODUCT_SEGMENT = 0x040
    PRODUCT_MANIFEST = 0x041
    PRODUCT_REPAIR = 0x042
    RECONCILE_REQUEST = 0x050
    REPORT = 0x060
    TELECOMMAND = 0x061
    RECONCILE_ANSWER = 0x062


class TimeBase(IntEnum):
    """Whose clock a packet's time is of; times of two bases cannot be compared."""

    MISSION = 0
    GROUND = 1


UPLINK_APIDS = frozenset({Apid.REPORT, Apid.TELECOMMAND, Apid.RECONCILE_ANSWER})

APID_MAX = 0x7FF
SEQ_COUNT_MODULO = 1 << 14
_HEADER = struct.Struct(">HHHQ")
PRIMARY_HEADER_BYTES = 6
SECONDARY_HEADER_BYTES = 8
HEADER_BYTES = PRIMARY_HEADER_BYTES + SECONDARY_HEADER_BYTES
DATA_BYTES_MAX = 65_536 - SECONDARY_HEADER_BYTES
TIME_BITS = 60
TIME_NS_MAX = (1 << TIME_BITS) - 1
"""36 years; the four bits above say of which clock, and how far UTC is to be trusted."""
_QUALITY_BITS = 2
_QUALITY_MASK = (1 << _QUALITY_BITS) - 1
_TYPE_TELECOMMAND = 0x1000
_SECONDARY_HEADER_FLAG = 0x0800
_VERSION_MASK = 0xE000
_UNSEGMENTED = 0xC000

assert _HEADER.size == HEADER_BYTES
_BASES = {int(base): base for base in TimeBase}
_QUALITIES = tuple(UtcQuality)


class SpacePacket(msgspec.Struct, frozen=True, gc=False):
    """One packet as received.

    Attributes:
        apid: 0..0x7FF, see `Apid`.
        seq_count: 0..16383, counted per APID by the sender.
        time_ns: when the sender made it, on the clock that `time_base` names.
        data: user data after the secondary header; may be empty.
        telecommand: packet type bit; set on everything that goes up.
        utc_quality: how far the sender trusted its correlation to UTC.
    """

    apid: int
    seq_count: int
    time_ns: int
    data: bytes
    telecommand: bool = False
    time_base: TimeBase = TimeBase.MISSION
    utc_quality: UtcQuality = UtcQuality.UNSET


class SequenceCounts:
    """The sender's 14-bit packet sequence counts, one per APID (CCSDS 133.0-B-2, 4.1.3.4.3).

    Attributes:
        utc_quality: how far the sender trusts its correlation to UTC, for its packets.
    """

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        self.utc_quality = UtcQuality.UNSET

    def take(self, apid: int) -> int:
        """The count for the next packet of this APID; wraps from 16383 to 0."""
        count = self._next.get(apid, 0)
        self._next[apid] = (count + 1) % SEQ_COUNT_MODULO
        return count

    def packet(self, apid: int, data: bytes, time_ns: int) -> bytes:
        """The next packet of this APID, of mission time `time_ns`; raises as `encode` does."""
        return encode(apid, self.take(apid), data, time_ns=time_ns, utc_quality=self.utc_quality)


def encode(  # noqa: PLR0913  the fields of the header
    apid: int,
    seq_count: int,
    data: bytes,
    *,
    time_ns: int,
    telecommand: bool = False,
    utc_quality: UtcQuality = UtcQuality.UNSET,
) -> bytes:
    """One packet as bytes: 6 + 8 octets of header, then the data.

    A telecommand's time is the ground's, any other packet's is mission time.

    Raises:
        WireError: TOO_LONG above `DATA_BYTES_MAX`, BAD_VALUE for a field out of range.
    """
    if len(data) > DATA_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"{len(data)} octets in one packet")
    if not (
        0 <= apid <= APID_MAX and 0 <= seq_count < SEQ_COUNT_MODULO and 0 <= time_ns <= TIME_NS_MAX
    ):
        raise WireError(WireReason.BAD_VALUE, f"apid {apid} count {seq_count} time {time_ns}")
    first = apid | _SECONDARY_HEADER_FLAG | (_TYPE_TELECOMMAND if telecommand else 0)
    length = SECONDARY_HEADER_BYTES + len(data) - 1
    base = TimeBase.GROUND if telecommand else TimeBase.MISSION
    code = (base << _QUALITY_BITS | utc_quality) << TIME_BITS | time_ns
    return _HEADER.pack(first, _UNSEGMENTED | seq_count, length, code) + data


def packet_bytes(data_bytes: int) -> int:
    """Octets that a packet with this much user data takes in a frame."""
    return HEADER_BYTES + data_bytes


def _decode_one(buf: bytes, at: int) -> tuple[SpacePacket, int]:
    if len(buf) - at < HEADER_BYTES:
        raise WireError(WireReason.TRUNCATED, f"{len(buf) - at} octets left")
    first, second, length, code = _HEADER.unpack_from(buf, at)
    if first & _VERSION_MASK:
        raise WireError(WireReason.BAD_VERSION, f"packet version {first >> 13}")
    if not first & _SECONDARY_HEADER_FLAG or second & _UNSEGMENTED != _UNSEGMENTED:
        raise WireError(WireReason.BAD_TYPE, "segmented, or without a secondary header")
    end = at + PRIMARY_HEADER_BYTES + length + 1
    if end < at + HEADER_BYTES:
        raise WireError(WireReason.BAD_LENGTH, f"packet data field of {length + 1}")
    if end > len(buf):
        raise WireError(WireReason.TRUNCATED, f"{end - len(buf)} octets missing")
    base = _BASES.get(code >> TIME_BITS + _QUALITY_BITS)
    if base is None:
        raise WireError(WireReason.BAD_TYPE, "a time of no clock that is known")
    packet = SpacePacket(
        first & APID_MAX,
        second & (SEQ_COUNT_MODULO - 1),
        code & TIME_NS_MAX,
        bytes(buf[at + HEADER_BYTES : end]),
        bool(first & _TYPE_TELECOMMAND),
        base,
        _QUALITIES[code >> TIME_BITS & _QUALITY_MASK],
    )
    return packet, end


def decode_all(buf: bytes) -> list[SpacePacket]:
    """Every packet of a buffer of whole packets, in order; an empty buffer has none.

    Raises:
        WireError: at the first octet that breaks the format; nothing is delivered of such a buffer.
    """
    packets: list[SpacePacket] = []
    at = 0
    while at < len(buf):
        packet, at = _decode_one(buf, at)
        packets.append(packet)
    return packets
