"""Coded frames against codecs of other authors; the vectors are those of libfec."""

import json
from functools import reduce
from pathlib import Path

import pytest
import reedsolo
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire.channel_coding import (
    CODED_FRAME_BYTES,
    CODED_LINE_BYTES,
    DEPTH,
    ChannelCoder,
    CodingVerdict,
)
from hal.native_library import ffi, lib

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "vectors" / "rs_dual_basis.json").read_text()
)
COLUMNS = (0x7B, 0xAF, 0x99, 0xFA, 0x86, 0xEC, 0xEF, 0x8D)
"""Conventional to dual basis, CCSDS 131.0-B-4 annex F, from the least significant bit on."""
TO_DUAL = bytes(
    reduce(int.__xor__, (COLUMNS[bit] for bit in range(8) if symbol >> bit & 1), 0)
    for symbol in range(256)
)
FROM_DUAL = bytes(TO_DUAL.index(symbol) for symbol in range(256))
A_TO_THE_11 = 0xAD
ORACLE = reedsolo.RSCodec(32, fcr=112, prim=0x187, generator=A_TO_THE_11)


def parity(data):
    """Check symbols by the C side."""
    out = bytearray(32)
    lib.rs_encode(data, ffi.from_buffer("uint8_t[]", out), 1)
    return bytes(out)


def randomised(data):
    """One randomised copy; the register is shifted bit by bit."""
    register, octets = [1] * 8, bytearray()
    for octet in data:
        key = 0
        for _ in range(8):
            key = key << 1 | register[0]
            register = [*register[1:], register[0] ^ register[3] ^ register[5] ^ register[7]]
        octets.append(octet ^ key)
    return bytes(octets)


def test_the_base_of_the_oracle_is_the_eleventh_power_of_the_root_of_the_field():
    power = 1
    for _ in range(11):
        power = power << 1 ^ (0x187 if power & 0x80 else 0)
    assert power == A_TO_THE_11


@pytest.mark.parametrize("vector", VECTORS, ids=["zeros", "ramp", "one", "random"])
def test_check_symbols_are_those_of_the_encoder_most_ground_stations_use(vector):
    assert parity(bytes.fromhex(vector["data"])).hex() == vector["parity"]


@settings(deadline=None, max_examples=examples(100))
@given(st.binary(min_size=223, max_size=223))
def test_check_symbols_are_those_of_another_authors_code_in_the_other_basis(data):
    conventional = ORACLE.encode(data.translate(FROM_DUAL))
    assert parity(data) == bytes(conventional[223:]).translate(TO_DUAL)


def test_a_coded_frame_is_marker_and_randomised_interleaved_codewords():
    frame = bytes(range(256)) * 6 + bytes(200)
    coded = ChannelCoder().encode(frame)
    block = randomised(coded[4:])
    data, checks = block[: 223 * DEPTH], block[223 * DEPTH :]
    assert coded[:4].hex() == "1acffc1d"
    assert data == frame + bytes(223 * DEPTH - len(frame))
    for i in range(DEPTH):
        assert checks[i::DEPTH] == parity(data[i::DEPTH])


def a_frame(octets):
    """Octets with a length field, so that the fill can be told apart."""
    return octets[:4] + (len(octets) - 1).to_bytes(2, "big") + octets[6:]


frames = st.binary(min_size=6, max_size=CODED_FRAME_BYTES).map(a_frame)


@settings(deadline=None, max_examples=examples(100))
@given(frames, st.data())
def test_a_frame_with_up_to_sixteen_wrong_octets_a_codeword_comes_out_as_it_went_in(frame, data):
    coder, ground = ChannelCoder(), ChannelCoder()
    coded = bytearray(coder.encode(frame))
    assert len(coded) == CODED_LINE_BYTES
    places = data.draw(st.lists(st.integers(0, 254), max_size=16, unique=True))
    for i in range(DEPTH):
        for place in places:
            coded[4 + DEPTH * place + i] ^= data.draw(st.integers(1, 255))
    assert ground.decode(bytes(coded)) == frame
    assert ground.counts.symbols_righted == DEPTH * len(places)


@settings(deadline=None, max_examples=examples(200))
@given(st.binary(max_size=100) | st.binary(min_size=CODED_LINE_BYTES, max_size=CODED_LINE_BYTES))
def test_any_octets_are_decoded_or_have_a_verdict(octets):
    coder = ChannelCoder()
    assert isinstance(coder.decode(octets), CodingVerdict)
    assert coder.counts.frames == 0


def test_each_way_to_lose_a_coded_frame_has_its_verdict():
    coder = ChannelCoder()
    coded = bytearray(coder.encode(a_frame(bytes(500))))
    assert coder.decode(bytes(coded[:-1])) is CodingVerdict.BAD_LENGTH
    no_marker = bytes(4) + bytes(coded[4:])
    assert coder.decode(no_marker) is CodingVerdict.NO_MARKER
    coded[4 : 4 + 17 * DEPTH] = bytes(17 * DEPTH)
    assert coder.decode(bytes(coded)) is CodingVerdict.UNCORRECTABLE


@pytest.mark.parametrize("size", [0, CODED_FRAME_BYTES + 1])
def test_a_frame_that_does_not_fit_is_never_coded(size):
    with pytest.raises(ValueError, match=f"{size} octets"):
        ChannelCoder().encode(bytes(size))
