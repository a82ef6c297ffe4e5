"""The bench's codec says what the header says, octet for octet, and no garbage confuses it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire.crc import crc32c
from hil.bench_link import layout
from hil.bench_link.bit_test import bit_errors, prbs15
from hil.bench_link.codec import Decoder, Message, cobs_decode, cobs_encode, encode
from hil.bench_link.layout import (
    CHANNEL_OF,
    SCHEMA_CRC32C,
    SCHEMA_TEXT,
    WIRE_BYTES_MAX,
    Channel,
    MessageType,
    Mode,
    Refusal,
    Role,
    pack,
    unpack,
)

ROOT = Path(__file__).resolve().parents[3]
HEADER = (ROOT / "native" / "include" / "bench_link.h").read_text("ascii")
VECTORS = json.loads((ROOT / "tests" / "vectors" / "bench_link.json").read_text("ascii"))


def header_enum(prefix: str) -> dict[str, int]:
    """NAME -> number of the constants LINK_<prefix>NAME of the header."""
    pattern = rf"\bLINK_{prefix}([A-Z_0-9]+)\s*=\s*(\d+)"
    return {name: int(number) for name, number in re.findall(pattern, HEADER)}


def header_number(name: str) -> int:
    found = re.search(rf"#define LINK_{name}\s+(\d+)", HEADER)
    assert found, name
    return int(found.group(1))


@pytest.mark.parametrize(
    ("prefix", "ours"),
    [
        ("CHANNEL_", Channel),
        ("ROLE_", Role),
        ("MODE_", Mode),
        ("REFUSED_", Refusal),
    ],
)
def test_every_number_is_the_headers(prefix: str, ours: type) -> None:
    assert header_enum(prefix) == {each.name: each.value for each in ours}


def test_every_type_is_the_headers() -> None:
    types = header_enum(r"(?!CHANNEL_|ROLE_|MODE_|REFUSED_)")
    assert types == {each.name: each.value for each in MessageType}
    assert header_number("TYPE_MAX") == max(MessageType)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("PROTOCOL_VERSION", layout.PROTOCOL_VERSION),
        ("HEADER_BYTES", layout.HEADER_BYTES),
        ("CRC_BYTES", layout.CRC_BYTES),
        ("PAYLOAD_BYTES_MAX", layout.PAYLOAD_BYTES_MAX),
        ("MESSAGE_BYTES_MAX", layout.MESSAGE_BYTES_MAX),
        ("WIRE_BYTES_MAX", layout.WIRE_BYTES_MAX),
        ("HEARTBEAT_NS", layout.HEARTBEAT_NS),
        ("HEARTBEATS_LOST", layout.HEARTBEATS_LOST),
        ("ACTUATORS_RETRY_NS", layout.ACTUATORS_RETRY_NS),
        ("HELLO_RETRY_NS", layout.HELLO_RETRY_NS),
        ("GRANT_RETRY_NS", layout.GRANT_RETRY_NS),
        ("LOCK_STEP_SILENCE_NS", layout.LOCK_STEP_SILENCE_NS),
    ],
)
def test_every_bound_is_the_headers(name: str, ours: int) -> None:
    assert header_number(name) == ours


def test_the_schema_is_the_headers_text_and_its_digest_the_vectors() -> None:
    told = HEADER.split("#define LINK_SCHEMA_TEXT")[1].split("\n\n")[0]
    assert "".join(re.findall(r'"([^"]*)"', told)) == SCHEMA_TEXT == VECTORS["schema"]
    assert VECTORS["schema_crc32c"] == SCHEMA_CRC32C


@pytest.mark.parametrize("v", VECTORS["messages"], ids=lambda v: v["name"])
def test_each_vector_is_read_and_written_to_the_octet(v: dict) -> None:
    kind = MessageType[v["type"]]
    wire = bytes.fromhex(v["wire"])
    (message,) = Decoder().feed(wire)
    assert (message.version, message.kind, message.session) == (v["version"], kind, v["session"])
    assert message.t_ns == v["t_ns"]
    if v["version"] != layout.PROTOCOL_VERSION:
        assert message.value is None, "another version's layout is not known"
        return
    fields = list(v["fields"].values())
    tail = bytes.fromhex(v["tail"])
    assert message.seq == v["seq"]
    value = message.value
    assert value is not None
    ends_open = isinstance(value[-1], bytes)
    assert list(value) == [*fields, tail] if ends_open else list(value) == fields
    again = encode(kind, pack(kind, value), seq=v["seq"], session=v["session"], t_ns=v["t_ns"])
    assert again == wire


@pytest.mark.parametrize("v", VECTORS["rejected"], ids=lambda v: v["name"])
def test_each_damaged_vector_is_counted_once_and_gives_nothing(v: dict) -> None:
    decoder = Decoder()
    assert decoder.feed(bytes.fromhex(v["wire"])) == []
    assert decoder.corrupt == 1


@pytest.mark.parametrize("v", VECTORS["cobs"], ids=lambda v: v["name"])
def test_each_code_is_the_vectors(v: dict) -> None:
    plain, coded = bytes.fromhex(v["plain"]), bytes.fromhex(v["coded"])
    assert cobs_encode(plain) == coded
    assert cobs_decode(coded) == plain


def test_the_bit_test_sequence_is_the_vectors() -> None:
    told = bytes.fromhex(VECTORS["prbs15"])
    assert prbs15(len(told)) == told


def test_a_flipped_bit_is_one_bit_error() -> None:
    octets = bytearray(prbs15(100))
    octets[37] ^= 0x10
    assert bit_errors(bytes(octets)) == 1
    assert bit_errors(prbs15(4096)) == 0


BLOCKY = st.lists(st.binary(max_size=600) | st.just(b"\0") | st.just(b"\1" * 254)).map(b"".join)


@settings(deadline=None, max_examples=200)
@given(plain=BLOCKY)
def test_stuffing_is_that_of_another_author_and_comes_back(plain: bytes) -> None:
    coded = cobs_encode(plain)
    assert coded == cobs.encode(plain)
    assert b"\0" not in coded
    assert cobs_decode(coded) == plain


@settings(deadline=None, max_examples=200)
@given(coded=st.binary(max_size=600))
def test_unstuffing_agrees_with_another_author_on_whatever_comes(coded: bytes) -> None:
    try:
        expected = cobs.decode(coded)
    except cobs.DecodeError:
        expected = None
    assert cobs_decode(coded) == expected


KINDS = st.sampled_from([k for k in MessageType if k is not MessageType.REG_VALUES])


@st.composite
def wires(draw: st.DrawFn) -> tuple[MessageType, bytes, Message]:
    """A message of any kind and what it is on the wire."""
    kind = draw(KINDS)
    size = len(pack_zero(kind))
    ends_open = unpack(kind, b"\1" * (size + 1)) is not None
    extra = draw(st.integers(1, 4096 - size)) if ends_open else 0
    payload = draw(st.binary(min_size=size + extra, max_size=size + extra))
    seq, session = draw(st.integers(0, 65535)), draw(st.integers(0, 2**32 - 1))
    t_ns = draw(st.integers(0, 2**64 - 1))
    wire = encode(kind, payload, seq=seq, session=session, t_ns=t_ns)
    value = unpack(kind, payload)
    assert value is not None
    return kind, wire, Message(1, kind, seq, session, t_ns, value)


def pack_zero(kind: MessageType) -> bytes:
    """The shortest payload of a kind, its open end left out."""
    return bytes(layout._LAYOUTS[kind].fixed.size)


@settings(deadline=None, max_examples=150)
@given(drawn=wires())
def test_every_message_comes_back_as_it_was(drawn: tuple[MessageType, bytes, Message]) -> None:
    _, wire, message = drawn
    assert len(wire) <= WIRE_BYTES_MAX
    assert wire.count(b"\0") == 1
    assert Decoder().feed(wire) == [message]


@settings(deadline=None, max_examples=100)
@given(sent=st.lists(wires(), min_size=1, max_size=5), data=st.data())
def test_pieces_of_any_size_make_the_same_messages(sent: list, data: st.DataObject) -> None:
    stream = b"".join(wire for _, wire, _ in sent)
    decoder, got, at = Decoder(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 700))
        got += decoder.feed(stream[at : at + size])
        at += size
    assert got == [message for _, _, message in sent]
    assert decoder.corrupt == 0


@settings(deadline=None, max_examples=150)
@given(
    before=wires(),
    after=wires(),
    garbage=st.binary(max_size=9000) | st.just(b"\1" * 9000),
)
def test_after_any_garbage_the_next_message_but_one_at_most_is_whole_again(
    before: tuple, after: tuple, garbage: bytes
) -> None:
    decoder = Decoder()
    hit = encode(MessageType.TIME_REQUEST, b"\1\2\3\4", seq=9, session=9, t_ns=9)
    got = decoder.feed(before[1] + garbage)
    assert decoder.held_bytes < WIRE_BYTES_MAX
    got += decoder.feed(hit + after[1])
    assert got[0] == before[2]
    assert got[-1] == after[2], "what follows the damaged message is not lost"


@settings(deadline=None, max_examples=150)
@given(drawn=wires(), place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_damaged_octet_is_never_taken_for_a_message(
    drawn: tuple, place: float, flip: int
) -> None:
    wire = bytearray(drawn[1])
    wire[int(place * (len(wire) - 1))] ^= flip
    decoder = Decoder()
    assert drawn[2] not in decoder.feed(bytes(wire) + b"\0")
    assert decoder.corrupt >= 1


def test_the_longest_message_fits_the_bound_exactly() -> None:
    wire = encode(MessageType.ECHO, b"\1" * 4096, seq=0x101, session=0x1010101, t_ns=2**63 + 5)
    assert len(wire) <= WIRE_BYTES_MAX
    with pytest.raises(ValueError, match="4097 octets"):
        encode(MessageType.ECHO, bytes(4097), seq=0, session=0, t_ns=0)


def test_the_channel_of_every_type_is_the_vectors() -> None:
    for v in VECTORS["messages"]:
        assert bytes.fromhex(v["message"])[2] == CHANNEL_OF[MessageType[v["type"]]]


def test_the_check_value_is_the_fields_own() -> None:
    assert crc32c(b"123456789") == 0xE3069283
