import pytest
import spacepackets.ccsds.spacepacket as oracle
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.clock import UtcQuality
from flight.wire.errors import WireError, WireReason
from flight.wire.space_packet import (
    DATA_BYTES_MAX,
    HEADER_BYTES,
    SEQ_COUNT_MODULO,
    TIME_NS_MAX,
    Apid,
    SequenceCounts,
    SpacePacket,
    TimeBase,
    decode_all,
    encode,
    packet_bytes,
)

packets = st.builds(
    lambda telecommand, **fields: SpacePacket(
        telecommand=telecommand,
        time_base=TimeBase.GROUND if telecommand else TimeBase.MISSION,
        **fields,
    ),
    apid=st.integers(0, 0x7FF),
    seq_count=st.integers(0, SEQ_COUNT_MODULO - 1),
    time_ns=st.integers(0, TIME_NS_MAX),
    data=st.binary(max_size=200),
    telecommand=st.booleans(),
    utc_quality=st.sampled_from(UtcQuality),
)


def time_code(packet: SpacePacket) -> int:
    """Base in the highest two bits, quality in the next two, nanoseconds in the other sixty."""
    return packet.time_base << 62 | packet.utc_quality << 60 | packet.time_ns


def to_bytes(packet: SpacePacket) -> bytes:
    return encode(
        packet.apid,
        packet.seq_count,
        packet.data,
        time_ns=packet.time_ns,
        telecommand=packet.telecommand,
        utc_quality=packet.utc_quality,
    )


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(packets, max_size=6))
def test_what_is_encoded_is_decoded_in_order(sent):
    assert decode_all(b"".join(map(to_bytes, sent))) == sent


@settings(deadline=None, max_examples=examples(200))
@given(packets)
def test_an_independent_reader_reads_our_packets(packet):
    raw = to_bytes(packet)
    header = oracle.SpacePacketHeader.unpack(raw)
    assert header.apid == packet.apid
    assert header.seq_count == packet.seq_count
    assert header.sec_header_flag
    assert header.seq_flags == oracle.SequenceFlags.UNSEGMENTED
    assert (header.packet_type == oracle.PacketType.TC) == packet.telecommand
    assert header.packet_len == len(raw) == packet_bytes(len(packet.data))
    assert int.from_bytes(raw[6:14], "big") == time_code(packet)


@settings(deadline=None, max_examples=examples(200))
@given(packets)
def test_we_read_the_packets_of_an_independent_writer(packet):
    header = oracle.SpacePacketHeader(
        packet_type=oracle.PacketType.TC if packet.telecommand else oracle.PacketType.TM,
        apid=packet.apid,
        seq_count=packet.seq_count,
        data_len=8 + len(packet.data) - 1,
        sec_header_flag=True,
    )
    theirs = oracle.SpacePacket(header, time_code(packet).to_bytes(8, "big"), packet.data)
    assert decode_all(bytes(theirs.pack())) == [packet]


@settings(deadline=None, max_examples=examples(400))
@given(st.binary(max_size=120))
def test_arbitrary_bytes_raise_nothing_but_the_wire_error(raw):
    try:
        decoded = decode_all(raw)
    except WireError:
        return
    assert b"".join(map(to_bytes, decoded)) == raw


@settings(deadline=None, max_examples=examples(200))
@given(packets, st.data())
def test_a_cut_packet_is_refused_as_truncated(packet, data):
    raw = to_bytes(packet)
    cut = data.draw(st.integers(1, len(raw) - 1))
    with pytest.raises(WireError) as caught:
        decode_all(raw[:cut])
    assert caught.value.reason is WireReason.TRUNCATED


@pytest.mark.parametrize(
    ("octet", "mask", "reason"),
    [
        (0, 0x20, WireReason.BAD_VERSION),
        (0, 0x08, WireReason.BAD_TYPE),
        (2, 0x80, WireReason.BAD_TYPE),
    ],
)
def test_each_broken_field_has_its_own_reason(octet, mask, reason):
    raw = bytearray(encode(Apid.EVENT, 1, b"x" * 20, time_ns=5))
    raw[octet] ^= mask
    with pytest.raises(WireError) as caught:
        decode_all(bytes(raw))
    assert caught.value.reason is reason


def test_a_packet_too_short_for_its_secondary_header_is_refused():
    raw = bytearray(encode(Apid.EVENT, 1, b"", time_ns=5))
    raw[5] -= 1
    with pytest.raises(WireError) as caught:
        decode_all(bytes(raw))
    assert caught.value.reason is WireReason.BAD_LENGTH


def test_the_longest_packet_passes_and_one_octet_more_does_not():
    raw = encode(Apid.PRODUCT_SEGMENT, 0, bytes(DATA_BYTES_MAX), time_ns=0)
    assert len(decode_all(raw)[0].data) == DATA_BYTES_MAX == len(raw) - HEADER_BYTES
    with pytest.raises(WireError) as caught:
        encode(Apid.PRODUCT_SEGMENT, 0, bytes(DATA_BYTES_MAX + 1), time_ns=0)
    assert caught.value.reason is WireReason.TOO_LONG


@pytest.mark.parametrize(
    ("apid", "count", "time_ns"),
    [(0x800, 0, 0), (-1, 0, 0), (1, 1 << 14, 0), (1, 0, -1), (1, 0, TIME_NS_MAX + 1)],
)
def test_a_field_out_of_range_is_never_put_on_the_wire(apid, count, time_ns):
    with pytest.raises(WireError) as caught:
        encode(apid, count, b"", time_ns=time_ns)
    assert caught.value.reason is WireReason.BAD_VALUE


def test_sequence_counts_are_kept_per_application_and_wrap_after_14_bits():
    counts = SequenceCounts()
    taken = [counts.take(Apid.EVENT) for _ in range(SEQ_COUNT_MODULO + 2)]
    assert taken[:3] == [0, 1, 2]
    assert taken[-3:] == [SEQ_COUNT_MODULO - 1, 0, 1]
    assert counts.take(Apid.HOUSEKEEPING) == 0


def test_a_time_of_no_clock_that_is_known_is_refused():
    raw = bytearray(encode(Apid.EVENT, 1, b"", time_ns=5))
    raw[6] |= 0x80
    with pytest.raises(WireError) as refused:
        decode_all(bytes(raw))
    assert refused.value.reason is WireReason.BAD_TYPE
