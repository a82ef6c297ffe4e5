import pytest
import spacepackets.uslp as oracle
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire.crc import crc16_ccitt
from flight.wire.errors import WireError, WireReason
from flight.wire.transfer_frame import (
    BATCH_MAX,
    COUNT_MAX,
    FECF_BYTES,
    FRAME_OVERHEAD_BYTES,
    IV,
    MAC_BYTES,
    Direction,
    FrameBuilder,
    read_frame,
)

SCID, SPI = 0x1234, 3

fields = st.fixed_dictionaries(
    {
        "scid": st.integers(0, 0xFFFF),
        "direction": st.sampled_from(Direction),
        "spi": st.integers(0, 0xFFFF),
        "vcid": st.integers(0, 62),
        "count": st.integers(0, COUNT_MAX),
        "counter": st.integers(0, 2**64 - 1),
        "body": st.binary(min_size=1, max_size=300),
    }
)


def build(scid, direction, spi, vcid, count, counter, body) -> bytes:
    builder = FrameBuilder(scid=scid, direction=direction, spi=spi)
    batch = builder.build(vcid=vcid, count=count, counter=counter, packets_bytes=[len(body)])
    ((iv, clear, rest),) = batch.parts()
    assert iv == IV.pack(spi, scid, counter)
    rest[:] = body + bytes(MAC_BYTES)
    (frame,) = map(bytes, batch.finish())
    assert frame.startswith(bytes(clear))
    return frame


def good_frame() -> bytes:
    return build(SCID, Direction.DOWNLINK, SPI, 2, 7, 9, b"packets")


def repaired(frame: bytearray) -> bytes:
    """The frame with a fitting FECF, so that the fault behind it shows."""
    frame[-2:] = crc16_ccitt(bytes(frame[:-2])).to_bytes(2, "big")
    return bytes(frame)


@settings(deadline=None, max_examples=examples(150))
@given(fields)
def test_headers_are_read_as_they_were_written(spec):
    view = read_frame(build(**spec))
    assert (view.scid, view.direction, view.vcid, view.count, view.spi, view.map_id) == (
        spec["scid"],
        spec["direction"],
        spec["vcid"],
        spec["count"],
        spec["spi"],
        0,
    )
    assert IV.unpack(view.iv) == (spec["spi"], spec["scid"], spec["counter"])


@settings(deadline=None, max_examples=examples(150))
@given(fields)
def test_an_independent_reader_reads_our_headers(spec):
    frame = build(**spec)
    header = oracle.PrimaryHeader.unpack(frame)
    assert header.scid == spec["scid"]
    assert header.src_dest == spec["direction"]
    assert header.vcid == spec["vcid"]
    assert header.vcf_count_len == 6
    assert header.vcf_count == spec["count"]
    assert header.frame_len + 1 == len(frame) == FRAME_OVERHEAD_BYTES + len(spec["body"])
    assert header.bypass_seq_ctrl_flag == oracle.BypassSequenceControlFlag.EXPEDITED_QOS
    assert header.prot_ctrl_cmd_flag == oracle.ProtocolCommandFlag.USER_DATA
    assert not header.op_ctrl_flag


@settings(deadline=None, max_examples=examples(100))
@given(fields)
def test_an_independent_reader_finds_our_packets_behind_the_security_header(spec):
    security_bytes = 14
    properties = oracle.frame.VarFrameProperties(
        truncated_frame_len=0,
        has_insert_zone=True,
        insert_zone_len=security_bytes,
        has_fecf=True,
    )
    frame = oracle.TransferFrame.unpack(build(**spec), oracle.frame.FrameType.VARIABLE, properties)
    assert frame.tfdf.tfdz_contr_rules == oracle.TfdzConstructionRules.VpNoSegmentation
    assert (
        frame.tfdf.uslp_ident == oracle.UslpProtocolIdentifier.SPACE_PACKETS_ENCAPSULATION_PACKETS
    )
    assert bytes(frame.tfdf.tfdz) == spec["body"] + bytes(MAC_BYTES)


@settings(deadline=None, max_examples=examples(100))
@given(fields)
def test_we_read_the_frames_of_an_independent_writer(spec):
    header = oracle.PrimaryHeader(
        scid=spec["scid"],
        src_dest=oracle.SourceOrDestField(int(spec["direction"])),
        vcid=spec["vcid"],
        map_id=0,
        frame_len=0,
        bypass_seq_ctrl_flag=oracle.BypassSequenceControlFlag.EXPEDITED_QOS,
        vcf_count_len=6,
        vcf_count=spec["count"],
    )
    iv = IV.pack(spec["spi"], spec["scid"], spec["counter"])
    field = oracle.TransferFrameDataField(
        tfdz_cnstr_rules=oracle.TfdzConstructionRules.VpNoSegmentation,
        uslp_ident=oracle.UslpProtocolIdentifier.SPACE_PACKETS_ENCAPSULATION_PACKETS,
        tfdz=spec["body"] + bytes(MAC_BYTES),
    )
    theirs = oracle.TransferFrame(header, field, insert_zone=spec["spi"].to_bytes(2, "big") + iv)
    theirs.set_frame_len_in_header()
    raw = bytes(theirs.pack(frame_type=oracle.frame.FrameType.VARIABLE))
    assert raw == build(**spec)
    assert read_frame(raw).count == spec["count"]


@settings(deadline=None, max_examples=examples(400))
@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_the_wire_error(raw):
    with pytest.raises(WireError):
        read_frame(raw)
    with pytest.raises(WireError):
        read_frame(repaired(bytearray(raw + b"\0\0")))


@pytest.mark.parametrize(
    ("at", "mask", "reason"),
    [
        (0, 0x80, WireReason.BAD_VERSION),
        (3, 0x01, WireReason.BAD_TYPE),
        (5, 0x01, WireReason.BAD_LENGTH),
        (6, 0x80, WireReason.BAD_TYPE),
        (6, 0x40, WireReason.BAD_TYPE),
        (6, 0x20, WireReason.BAD_VALUE),
        (6, 0x08, WireReason.BAD_TYPE),
        (6, 0x04, WireReason.BAD_TYPE),
        (27, 0x20, WireReason.BAD_TYPE),
        (27, 0x01, WireReason.BAD_TYPE),
    ],
)
def test_each_fault_of_form_has_its_reason(at, mask, reason):
    frame = bytearray(good_frame())
    frame[at] ^= mask
    with pytest.raises(WireError) as caught:
        read_frame(repaired(frame))
    assert caught.value.reason is reason


@settings(deadline=None, max_examples=examples(200))
@given(st.data())
def test_no_single_bit_flips_unnoticed(data):
    frame = bytearray(good_frame())
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError) as caught:
        read_frame(bytes(frame))
    assert caught.value.reason is WireReason.BAD_CRC


def test_the_largest_frame_is_built_and_one_octet_more_is_not():
    body = bytes(65_536 - FRAME_OVERHEAD_BYTES)
    assert len(build(SCID, Direction.DOWNLINK, SPI, 1, 1, 1, body)) == 65_536
    with pytest.raises(WireError) as caught:
        build(SCID, Direction.DOWNLINK, SPI, 1, 1, 1, body + b"x")
    assert caught.value.reason is WireReason.TOO_LONG


@pytest.mark.parametrize(("vcid", "count"), [(63, 1), (-1, 1), (1, -1), (1, COUNT_MAX + 1)])
def test_a_field_that_does_not_fit_is_refused(vcid, count):
    with pytest.raises(WireError):
        build(SCID, Direction.UPLINK, SPI, vcid, count, 1, b"x")


@pytest.mark.parametrize("frames", [0, BATCH_MAX + 1])
def test_a_batch_of_no_frames_or_too_many_is_refused(frames):
    builder = FrameBuilder(scid=SCID, direction=Direction.DOWNLINK, spi=SPI)
    with pytest.raises(WireError) as caught:
        builder.build(vcid=1, count=1, counter=1, packets_bytes=[1] * frames)
    assert caught.value.reason is WireReason.TOO_LONG


def test_no_frame_of_a_batch_runs_past_the_last_frame_number():
    builder = FrameBuilder(scid=SCID, direction=Direction.DOWNLINK, spi=SPI)
    batch = builder.build(vcid=1, count=COUNT_MAX - 1, counter=1, packets_bytes=[1, 1])
    assert [read_frame(bytes(frame)).count for frame in batch.finish()] == [
        COUNT_MAX - 1,
        COUNT_MAX,
    ]
    with pytest.raises(WireError):
        builder.build(vcid=1, count=COUNT_MAX, counter=1, packets_bytes=[1, 1])


def test_the_overhead_is_46_octets_as_the_layout_says():
    assert FRAME_OVERHEAD_BYTES == 13 + 14 + 1 + MAC_BYTES + FECF_BYTES == 46
