"""PDUs in packets, against spacepackets."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacket, SpacePacketHeader

from flight.wire.errors import WireError, WireReason
from hil.cfdp.pdu_packet import CFDP_APID, from_packet, to_packet

PDUS = st.binary(min_size=1, max_size=1_500)


@given(st.integers(0, 0x7FE), st.integers(0, 100_000), PDUS)
def test_spacepackets_reads_what_we_send(apid, count, pdu):
    packet = to_packet(apid, count, pdu)
    header = SpacePacketHeader.unpack(packet)
    assert (header.apid, header.seq_count) == (apid, count % 16_384)
    assert header.packet_type == PacketType.TM
    assert not header.sec_header_flag
    assert header.seq_flags == SequenceFlags.UNSEGMENTED
    assert header.packet_len == len(packet)
    assert packet[6:] == pdu


@given(st.sampled_from(PacketType), st.integers(0, 16_383), PDUS)
def test_we_read_what_spacepackets_sends_as_command_or_telemetry(kind, count, pdu):
    header = SpacePacketHeader(
        packet_type=kind, apid=CFDP_APID, seq_count=count, data_len=len(pdu) - 1
    )
    assert from_packet(CFDP_APID, bytes(SpacePacket(header, None, pdu).pack())) == pdu


def test_a_length_that_was_not_filled_in_is_the_datagrams():
    assert from_packet(CFDP_APID, b"\x17\xfd\xc0\x00\x00\x00abc") == b"abc"


@given(st.binary(max_size=40))
def test_no_octets_raise_anything_but_the_named_error(octets):
    with contextlib.suppress(WireError):
        from_packet(CFDP_APID, octets)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"\x07\xfd\xc0\x00\x00", WireReason.TRUNCATED),
        (b"\x27\xfd\xc0\x00\x00\x00a", WireReason.BAD_VERSION),
        (b"\x0f\xfd\xc0\x00\x00\x00a", WireReason.BAD_TYPE),
        (b"\x07\xfd\x40\x00\x00\x00a", WireReason.BAD_TYPE),
        (b"\x07\xfc\xc0\x00\x00\x00a", WireReason.BAD_VALUE),
        (b"\x07\xfd\xc0\x00\x00\x01a", WireReason.BAD_LENGTH),
        (b"\x07\xfd\xc0\x00\x00\x01abc", WireReason.BAD_LENGTH),
    ],
)
def test_another_packet_is_refused_with_its_reason(packet, reason):
    with pytest.raises(WireError) as error:
        from_packet(CFDP_APID, packet)
    assert error.value.reason is reason
