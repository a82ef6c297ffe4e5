"""A PDU in a space packet (CCSDS 133.0-B-2), as ground systems expect it: no secondary header."""

from __future__ import annotations

import struct

from flight.wire.errors import WireError, WireReason
from flight.wire.space_packet import APID_MAX, PRIMARY_HEADER_BYTES, SEQ_COUNT_MODULO

CFDP_APID = 0x7FD
"""Reserved for CFDP (SANA registry "Space Packet Protocol Reserved APID")."""
PACKET_DATA_BYTES_MAX = 65_536
_HEADER = struct.Struct(">HHH")
_UNSEGMENTED = 0xC000
_SECONDARY_HEADER = 0x0800
_VERSION_MASK = 0xE000


def to_packet(apid: int, seq_count: int, pdu: bytes) -> bytes:
    """A telemetry packet with a PDU of 1 to 65,536 octets; the count is taken modulo 2^14."""
    assert 0 <= apid <= APID_MAX, "checked with the arguments"
    assert 1 <= len(pdu) <= PACKET_DATA_BYTES_MAX, "a PDU is bounded by its segment"
    return _HEADER.pack(apid, _UNSEGMENTED | seq_count % SEQ_COUNT_MODULO, len(pdu) - 1) + pdu


def from_packet(apid: int, packet: bytes) -> bytes:
    """The PDU in a packet, of whichever type, for this APID.

    A length of zero is one that nobody filled in: a datagram has its own, and so has a PDU.

    Raises:
        WireError: for anything else; nothing else is ever raised.
    """
    if len(packet) <= PRIMARY_HEADER_BYTES:
        raise WireError(WireReason.TRUNCATED, f"packet of {len(packet)} octets")
    first, second, length = _HEADER.unpack_from(packet)
    if first & _VERSION_MASK:
        raise WireError(WireReason.BAD_VERSION, f"packet version {first >> 13}")
    if first & _SECONDARY_HEADER or second & _UNSEGMENTED != _UNSEGMENTED:
        raise WireError(WireReason.BAD_TYPE, "segmented, or with a secondary header")
    if first & APID_MAX != apid:
        raise WireError(WireReason.BAD_VALUE, f"APID {first & APID_MAX}")
    if length and len(packet) != PRIMARY_HEADER_BYTES + length + 1:
        raise WireError(WireReason.BAD_LENGTH, f"{len(packet)} octets")
    return packet[PRIMARY_HEADER_BYTES:]
