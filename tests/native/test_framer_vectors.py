"""The C framer against bytes and check values that codecs of other authors wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fastcrc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacepackets.uslp.frame import (
    FrameType,
    TfdzConstructionRules,
    TransferFrame,
    TransferFrameDataField,
    UslpProtocolIdentifier,
    VarFrameProperties,
)
from spacepackets.uslp.header import (
    BypassSequenceControlFlag,
    PrimaryHeader,
    ProtocolCommandFlag,
    SourceOrDestField,
)

from flight.wire.crc import crc16_ccitt, crc32c
from hal.native_library import ffi, lib

VECTORS = json.loads(
    (Path(__file__).resolve().parents[1] / "vectors" / "framer.json").read_text(encoding="utf-8")
)
SECURITY_BYTES = 14  # SPI and IV: to a codec without SDLS they look like an insert zone
MAC_BYTES = 16
FIELDS = ("scid", "vcid", "map_id", "destination", "bypass", "command", "vc_count")


def ours(v: dict[str, Any]) -> bytes:
    """The frame as the C framer builds and seals it."""
    packets, mac = bytes.fromhex(v["packets"]), bytes.fromhex(v["mac"])
    spec = ffi.new("struct framer_spec *")
    for field in FIELDS:
        setattr(spec.header, field, v[field])
    spec.header.vc_count_bytes = lib.FRAMER_COUNT_BYTES
    spec.spi = v["spi"]
    spec.iv = bytes.fromhex(v["iv"])
    frame = bytearray(len(packets) + lib.FRAMER_OVERHEAD_BYTES)
    area = ffi.from_buffer("uint8_t[]", frame, require_writable=True)
    layout = ffi.new("struct framer_layout *")
    assert lib.framer_build(spec, len(packets), area, len(frame), layout) == len(frame)
    frame[layout.packets_at : layout.mac_at] = packets
    frame[layout.mac_at : layout.fecf_at] = mac
    assert lib.framer_seal(area, len(frame)) == lib.FRAMER_OK
    return bytes(frame)


def theirs(v: dict[str, Any]) -> bytes:
    """The same frame by spacepackets."""
    header = PrimaryHeader(
        scid=v["scid"],
        src_dest=SourceOrDestField(v["destination"]),
        vcid=v["vcid"],
        map_id=v["map_id"],
        frame_len=0,
        bypass_seq_ctrl_flag=BypassSequenceControlFlag(v["bypass"]),
        prot_ctrl_cmd_flag=ProtocolCommandFlag(v["command"]),
        vcf_count_len=6,
        vcf_count=v["vc_count"],
    )
    data = TransferFrameDataField(
        TfdzConstructionRules.VpNoSegmentation,
        UslpProtocolIdentifier.SPACE_PACKETS_ENCAPSULATION_PACKETS,
        bytes.fromhex(v["packets"]) + bytes.fromhex(v["mac"]),
    )
    security = v["spi"].to_bytes(2, "big") + bytes.fromhex(v["iv"])
    frame = TransferFrame(header, data, insert_zone=security, has_fecf=True)
    frame.set_frame_len_in_header()
    return bytes(frame.pack(frame_type=FrameType.VARIABLE))


def octets(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).map(bytes.hex)


FRAMES = st.fixed_dictionaries(
    {
        "scid": st.integers(0, 0xFFFF),
        "vcid": st.integers(0, 63),
        "map_id": st.integers(0, 15),
        "destination": st.integers(0, 1),
        "bypass": st.integers(0, 1),
        "command": st.integers(0, 1),
        "vc_count": st.integers(0, 2**48 - 1),
        "spi": st.integers(0, 0xFFFF),
        "iv": octets(12),
        "packets": st.binary(min_size=1, max_size=400).map(bytes.hex),
        "mac": octets(MAC_BYTES),
    }
)


@pytest.mark.parametrize("v", VECTORS["frames"], ids=lambda v: v["name"])
def test_the_committed_frames_are_what_both_codecs_build(v: dict[str, Any]) -> None:
    assert ours(v).hex() == v["frame"]
    assert theirs(v).hex() == v["frame"]


@pytest.mark.parametrize("v", VECTORS["rejected"], ids=lambda v: v["name"])
def test_each_committed_bad_frame_has_its_verdict(v: dict[str, Any]) -> None:
    frame = bytes.fromhex(v["frame"])
    code = lib.framer_check(frame, len(frame), ffi.NULL)
    assert ffi.string(lib.framer_strerror(code)).decode() == v["code"]


@settings(deadline=None, max_examples=200)
@given(v=FRAMES)
def test_any_frame_we_build_is_the_one_spacepackets_builds(v: dict[str, Any]) -> None:
    assert ours(v) == theirs(v)


@settings(deadline=None, max_examples=100)
@given(v=FRAMES)
def test_spacepackets_reads_what_we_build(v: dict[str, Any]) -> None:
    read = TransferFrame.unpack(
        ours(v),
        FrameType.VARIABLE,
        VarFrameProperties(
            has_insert_zone=True,
            has_fecf=True,
            truncated_frame_len=0,
            insert_zone_len=SECURITY_BYTES,
        ),
    )
    assert isinstance(read.header, PrimaryHeader)
    assert (read.header.scid, read.header.vcid, read.header.map_id) == (
        (v["scid"], v["vcid"], v["map_id"])
    )
    assert (read.header.src_dest, read.header.vcf_count) == (v["destination"], v["vc_count"])
    assert read.insert_zone == v["spi"].to_bytes(2, "big") + bytes.fromhex(v["iv"])
    assert read.tfdf.tfdz.hex() == v["packets"] + v["mac"]


@settings(deadline=None, max_examples=100)
@given(v=FRAMES)
def test_we_read_what_spacepackets_builds(v: dict[str, Any]) -> None:
    frame = theirs(v)
    layout = ffi.new("struct framer_layout *")
    assert lib.framer_check(frame, len(frame), layout) == lib.FRAMER_OK
    for field in FIELDS:
        assert getattr(layout.header, field) == v[field]
    assert (layout.header.frame_bytes, layout.spi) == (len(frame), v["spi"])
    assert bytes(layout.iv).hex() == v["iv"]
    assert frame[layout.packets_at : layout.mac_at].hex() == v["packets"]
    assert frame[layout.mac_at : layout.fecf_at].hex() == v["mac"]


@settings(deadline=None, max_examples=200)
@given(count_bytes=st.integers(0, 7), data=st.data())
def test_headers_of_every_count_length_agree_both_ways(
    count_bytes: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, 256**count_bytes - 1))
    length = data.draw(st.integers(1, 65536))
    their_header = PrimaryHeader(
        scid=data.draw(st.integers(0, 0xFFFF)),
        src_dest=data.draw(st.sampled_from(SourceOrDestField)),
        vcid=data.draw(st.integers(0, 63)),
        map_id=data.draw(st.integers(0, 15)),
        frame_len=length - 1,
        op_ctrl_flag=data.draw(st.booleans()),
        vcf_count_len=count_bytes,
        vcf_count=count,
    )
    wire = bytes(their_header.pack())
    header = ffi.new("struct framer_header *")
    assert lib.framer_read_primary(wire, len(wire), header) == len(wire)
    assert (header.vc_count, header.frame_bytes, header.ocf) == (
        (count, length, their_header.op_ctrl_flag)
    )
    back = bytearray(14)
    area = ffi.from_buffer("uint8_t[]", back, require_writable=True)
    assert lib.framer_write_primary(header, area, len(back)) == len(wire)
    assert bytes(back[: len(wire)]) == wire


@settings(deadline=None, max_examples=300)
@given(frame=st.binary(max_size=200), claim_ours=st.booleans())
def test_any_bytes_get_a_verdict_and_nothing_worse(frame: bytes, claim_ours: bool) -> None:
    if claim_ours and len(frame) > 6:
        frame = b"\xc0" + frame[1:3] + bytes([frame[3] & 0xFE]) + frame[4:]
    code = lib.framer_check(frame, len(frame), ffi.NULL)
    assert ffi.string(lib.framer_strerror(code)) != b"FRAMER_E_UNKNOWN"


@pytest.mark.parametrize("v", VECTORS["crcs"], ids=lambda v: v["name"])
def test_the_committed_check_values_hold(v: dict[str, Any]) -> None:
    data = bytes.fromhex(v["data"])
    assert (crc16_ccitt(data), crc32c(data)) == (v["crc16"], v["crc32c"])


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=300))
def test_check_values_equal_those_of_another_author(data: bytes) -> None:
    assert crc16_ccitt(data) == fastcrc.crc16.ibm_3740(data)
    assert crc32c(data) == fastcrc.crc32.iscsi(data)
