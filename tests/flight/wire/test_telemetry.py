import math
import struct

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.dictionary import CHANNELS, DICTIONARY_HASH, EVENTS, GROUPS, Kind, Severity
from flight.wire.errors import WireError, WireReason
from flight.wire.telemetry import (
    EVENT_ARGS_MAX,
    EVENT_BYTES_MAX,
    GROUP_NAMES,
    decode_event,
    decode_housekeeping,
    encode_event,
    encode_housekeeping,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
values = {
    Kind.FLOAT: finite,
    Kind.COUNTER: st.integers(0, 2**53).map(float),
    Kind.ENUM: st.integers(0, 255).map(float),
    Kind.FLAG: st.integers(0, 1).map(float),
}
rows = st.tuples(*(st.one_of(st.just(math.nan), values[c.kind]) for c in CHANNELS))


def same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


@settings(deadline=None, max_examples=examples(50))
@given(rows)
def test_every_channel_arrives_exactly_and_an_invalid_one_arrives_as_invalid(row):
    arrived = [None] * len(CHANNELS)
    for group in GROUP_NAMES:
        decoded = decode_housekeeping(encode_housekeeping(group, row))
        assert (decoded.group, decoded.channels) == (group, GROUPS[group])
        for channel, value in zip(decoded.channels, decoded.values, strict=True):
            arrived[channel] = value
    assert all(same(a, b) for a, b in zip(arrived, row, strict=True))


def test_the_packet_is_laid_out_as_the_manual_says():
    group = "power"
    row = [math.nan] * len(CHANNELS)
    first, flag = GROUPS[group][0], GROUPS[group][-1]
    assert (CHANNELS[first].kind, CHANNELS[flag].kind) == (Kind.FLOAT, Kind.FLAG)
    row[first], row[flag] = 12.5, 1.0
    data = encode_housekeeping(group, row)
    bitmap_bytes = -(-len(GROUPS[group]) // 8)
    assert data[:4].hex() == DICTIONARY_HASH[:8]
    assert data[4] == GROUP_NAMES.index(group)
    valid = int.from_bytes(data[5 : 5 + bitmap_bytes], "little")
    assert valid == 1 | 1 << len(GROUPS[group]) - 1
    assert struct.unpack_from(">d", data, 5 + bitmap_bytes) == (12.5,)
    assert data[-1] == 1


def test_no_housekeeping_packet_outgrows_the_smallest_frame():
    row = [0.0] * len(CHANNELS)
    assert max(len(encode_housekeeping(group, row)) for group in GROUP_NAMES) < 2_048 - 60


def test_an_infinity_travels_as_invalid():
    row = [math.inf] * len(CHANNELS)
    decoded = decode_housekeeping(encode_housekeeping("power", row))
    assert all(math.isnan(value) for value in decoded.values)


@pytest.mark.parametrize("value", [-1.0, 256.0, 0.5])
def test_an_enumeration_that_is_no_octet_is_refused_at_the_source(value):
    row = [0.0] * len(CHANNELS)
    row[GROUPS["mode"][0]] = value
    with pytest.raises(WireError) as caught:
        encode_housekeeping("mode", row)
    assert caught.value.reason is WireReason.BAD_VALUE


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda d: d[:4], WireReason.TRUNCATED),
        (lambda d: bytes([d[0] ^ 1]) + d[1:], WireReason.BAD_VERSION),
        (lambda d: d[:4] + bytes([len(GROUP_NAMES)]) + d[5:], WireReason.BAD_TYPE),
        (lambda d: d[:-1], WireReason.BAD_LENGTH),
        (lambda d: d + b"\0", WireReason.BAD_LENGTH),
        (lambda d: d[:5] + b"\xff" + d[6:], WireReason.BAD_VALUE),
        (lambda d: d[:5] + b"\x00" + d[6:], WireReason.BAD_VALUE),
    ],
)
def test_each_fault_of_a_housekeeping_packet_has_its_reason(damage, reason):
    assert len(GROUPS["time"]) < 8  # the bitmap has a bit that names no channel
    good = encode_housekeeping("time", [1.0] * len(CHANNELS))
    with pytest.raises(WireError) as caught:
        decode_housekeeping(damage(good))
    assert caught.value.reason is reason


@settings(deadline=None, max_examples=examples(200))
@given(st.binary(max_size=60), st.sampled_from(GROUP_NAMES), st.data())
def test_garbage_housekeeping_raises_nothing_but_the_wire_error(garbage, group, data):
    good = bytearray(encode_housekeeping(group, [1.0] * len(CHANNELS)))
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    good[bit // 8] ^= 1 << bit % 8
    for raw in (garbage, bytes.fromhex(DICTIONARY_HASH[:8]) + garbage, bytes(good)):
        try:
            decoded = decode_housekeeping(raw)
        except WireError:
            continue
        assert all(math.isnan(value) or math.isfinite(value) for value in decoded.values)


arguments = st.dictionaries(
    st.text(max_size=6),
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), finite, st.text(max_size=20)
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=examples(200))
@given(st.integers(0, 0xFFFF), st.sampled_from(Severity), arguments)
def test_events_arrive_as_they_were_told(event_id, severity, args):
    record = decode_event(encode_event(event_id, severity, args))
    assert (record.event_id, record.severity, dict(record.args)) == (event_id, severity, args)


@settings(deadline=None, max_examples=examples(100))
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.binary()), max_size=30))
def test_whatever_an_event_is_told_with_it_fits_its_packet(args):
    huge = {f"{n}{name}": value for n, (name, value) in enumerate(args.items())}
    huge |= {f"long {n}" + "é" * 100: "é\ud800" * 10_000 for n in range(20)}
    data = encode_event(EVENTS[0].event_id, EVENTS[0].severity, huge)
    assert len(data) <= EVENT_BYTES_MAX
    assert len(decode_event(data).args) <= EVENT_ARGS_MAX


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=60))
def test_garbage_events_raise_nothing_but_the_wire_error(garbage):
    for raw in (garbage, b"\x00\x01\x02" + garbage, b"\x00\x01\x02" + b"\x91" * 1_500):
        try:
            decode_event(raw)
        except WireError:
            continue


def test_an_event_longer_than_any_we_make_is_refused():
    with pytest.raises(WireError) as caught:
        decode_event(bytes(EVENT_BYTES_MAX + 1))
    assert caught.value.reason is WireReason.TOO_LONG


def test_an_event_number_that_does_not_fit_is_refused():
    with pytest.raises(WireError):
        encode_event(0x1_0000, Severity.INFO, {})
