"""Product packets: round trip, refusal, and names that cannot leave their folder."""

from __future__ import annotations

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire import product_packet as codec
from flight.wire.errors import WireError
from flight.wire.product_packet import (
    Freed,
    Manifest,
    ProductClass,
    SegmentData,
    Withdrawn,
    value_after,
)

U32 = st.integers(0, (1 << 32) - 1)
IDS = st.integers(0, (1 << 48) - 1)
U64 = st.integers(0, (1 << 64) - 1)
I63 = st.integers(0, (1 << 63) - 1)
MANIFESTS = st.builds(
    Manifest,
    product_id=IDS,
    klass=st.sampled_from(ProductClass),
    size_bytes=st.integers(1, (1 << 40) - 1),
    crc32c=U32,
    value_millis=I63,
    deadline_ns=st.none() | I63,
    created_ns=I63,
    name=st.from_regex(r"[a-z][a-z0-9._-]{0,40}", fullmatch=True),
    depends_on=st.none() | U64,
)


@settings(deadline=None, max_examples=examples(150))
@given(MANIFESTS)
def test_a_manifest_survives_the_channel(manifest):
    wire = codec.encode_manifest(manifest)
    assert codec.decode_manifest_packet(wire) == manifest
    assert len(wire) == codec.manifest_bytes(manifest.name) <= codec.MANIFEST_BYTES_MAX


@settings(deadline=None, max_examples=examples(150))
@given(IDS, st.integers(0, 1 << 39), st.binary(min_size=1, max_size=200), st.integers(0, 1 << 38))
def test_a_segment_survives_the_channel(product_id, offset, data, behind):
    total = offset + len(data) + behind
    wire = codec.encode_segment(product_id, offset, total, data)
    assert len(wire) == codec.SEGMENT_HEADER_BYTES + len(data)
    assert codec.decode_segment(wire) == SegmentData(product_id, offset, total, data)
    with pytest.raises(WireError):
        codec.encode_segment(product_id, offset + behind + 1, total, data)


def test_segments_and_manifests_are_these_octets():
    last = codec.encode_segment(0x0102_0304_0506, (1 << 40) - 3, (1 << 40) - 1, b"ab")
    assert last.hex() == "010203040506fffffffffdffffffffff6162"
    six_gb = codec.encode_segment(7, 0x01_2345_6789, 6_000_000_000, b"x")
    assert six_gb.hex() == "00000000000701234567890165a0bc0078"
    manifest = Manifest(7, ProductClass.RAW, 6_000_000_000, 0xE306_9283, 5, 9, 8, "a.raw", 6)
    assert codec.encode_manifest(manifest).hex() == (
        "04" "03" "05" "0000000000000007" "0165a0bc00" "e3069283" "0000000000000005"
        "0000000000000009" "0000000000000008" "0000000000000006" "05" "612e726177"
    )  # fmt: skip


def test_a_manifest_of_a_store_filled_before_sizes_had_40_bits_is_still_read():
    narrow = bytes.fromhex(
        "01" "01" "03" "0000000000000007" "00001000" "e3069283" "0000000000000005"
        "0000000000000009" "0000000000000008" "0000000000000000" "05" "612e726177"
    )  # fmt: skip
    expected = Manifest(7, ProductClass.MASK, 4096, 0xE306_9283, 5, 9, 8, "a.raw")
    assert codec.decode_manifest_packet(narrow) == expected


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(U64, max_size=codec.LIST_MAX).map(tuple), st.sampled_from([Freed, Withdrawn]))
def test_a_list_survives_the_channel(product_ids, kind):
    assert codec.decode_manifest_packet(codec.encode_list(kind(product_ids))) == kind(product_ids)


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=90), st.integers(0, 4))
def test_garbage_raises_a_wire_error_and_nothing_else(noise, kind):
    for decode in (codec.decode_segment, codec.decode_manifest_packet):
        for wire in (noise, bytes((kind,)) + noise):
            try:
                decode(wire)
            except WireError:
                continue


@pytest.mark.parametrize("name", ["", "../etc", "/etc/x", ".hidden", "a/b", "a\n", "é", "x" * 97])
def test_a_name_that_could_leave_its_folder_does_not_travel(name):
    good = Manifest(1, ProductClass.RAW, 1, 0, 0, None, 0, "a")
    assert not codec.valid_name(name)
    with pytest.raises(WireError):
        codec.encode_manifest(
            Manifest(1, ProductClass.RAW, 1, 0, 0, None, 0, name),
        )
    raw = name.encode()[:255]
    wire = codec.encode_manifest(good)[:-2] + bytes((len(raw),)) + raw
    with pytest.raises(WireError):
        codec.decode_manifest_packet(wire)


def test_too_many_or_too_large_identities_are_refused():
    with pytest.raises(WireError):
        codec.encode_list(Freed(tuple(range(codec.LIST_MAX + 1))))
    with pytest.raises(WireError):
        codec.encode_list(Freed((1 << 64,)))
    with pytest.raises(WireError):
        codec.encode_segment(1 << 48, 0, 1, b"x")
    with pytest.raises(WireError):
        codec.encode_segment(1, (1 << 40) - 1, 1 << 40, b"x")
    with pytest.raises(WireError):
        codec.encode_manifest(Manifest(1 << 48, ProductClass.RAW, 1, 0, 0, None, 0, "a"))
    with pytest.raises(WireError):
        codec.encode_manifest(Manifest(1, ProductClass.RAW, 1 << 40, 0, 0, None, 0, "a"))


def test_value_halves_with_every_half_life_and_never_rises():
    worth = [value_after(8_000, age, 10) for age in (-5, 0, 5, 10, 15, 20, 30, 40)]
    assert worth == [8_000, 8_000, 6_000, 4_000, 3_000, 2_000, 1_000, 500]
    assert value_after(8_000, 10**18, 1) == 0
    assert value_after(8_000, 10**18, None) == 8_000


@given(
    st.integers(0, 1 << 62),
    st.integers(0, 1 << 62),
    st.integers(0, 1 << 62),
    st.integers(1, 10**18),
)
def test_value_falls_with_age_and_stays_whole(value, age_ns, later_ns, half_life_ns):
    now, then = (value_after(value, each, half_life_ns) for each in (age_ns, age_ns + later_ns))
    assert value >= now >= then >= 0
    assert isinstance(now, int)
