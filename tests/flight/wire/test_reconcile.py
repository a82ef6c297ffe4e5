"""The reconcile codecs: nothing changes on the way, nothing is claimed too much."""

from __future__ import annotations

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire import reconcile as codec
from flight.wire.errors import WireError
from flight.wire.ranges import RangeSet
from flight.wire.reconcile import Answered, Asked, Held, ReconcileAnswer

U32 = st.integers(0, (1 << 32) - 1)
U40 = st.integers(0, (1 << 40) - 1)
U64 = st.integers(0, (1 << 64) - 1)
SPAN = st.tuples(st.integers(0, 1 << 39), st.integers(1, 1 << 20))


def ranges_of(spans):
    return tuple(RangeSet((start, start + length) for start, length in spans))


ITEMS = st.one_of(
    st.builds(Answered, U64, st.sampled_from([Held.UNKNOWN, Held.COMPLETE])),
    st.builds(Answered, U64, st.just(Held.PARTIAL), st.lists(SPAN, max_size=8).map(ranges_of)),
)


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.builds(Asked, U64, U40, U32), max_size=codec.ITEMS_MAX).map(tuple))
def test_a_request_survives_the_channel(items):
    wire = codec.encode_request(items)
    assert len(wire) <= codec.PACKET_BYTES_MAX
    assert codec.decode_request(wire) == items


@settings(deadline=None, max_examples=examples(100))
@given(U32, st.lists(ITEMS, max_size=9).map(tuple))
def test_an_answer_survives_the_channel(epoch, items):
    answer = ReconcileAnswer(epoch, items)
    assert codec.decode_answer(codec.encode_answer(answer)) == answer


def test_an_answer_that_is_too_long_names_fewer_ranges_never_others():
    ranges = tuple((i * 1000, i * 1000 + 400) for i in range(2000))
    items = tuple(Answered(i, Held.PARTIAL, ranges) for i in range(codec.ITEMS_MAX))
    wire = codec.encode_answer(ReconcileAnswer(3, items))
    assert len(wire) <= codec.PACKET_BYTES_MAX
    decoded = codec.decode_answer(wire)
    assert [item.product_id for item in decoded.items] == [item.product_id for item in items]
    assert sum(len(item.ranges) for item in decoded.items) > 100
    assert all(set(item.ranges) <= set(ranges) for item in decoded.items)


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=60), st.booleans())
def test_garbage_raises_a_wire_error_and_nothing_else(noise, looks_right):
    wire = bytes((codec.VERSION,)) + noise if looks_right else noise
    for decode, encode in (
        (codec.decode_answer, codec.encode_answer),
        (codec.decode_request, codec.encode_request),
    ):
        try:
            value = decode(wire)
        except WireError:
            continue
        assert encode(value) == wire


def test_a_request_or_answer_that_cannot_travel_is_refused():
    with pytest.raises(WireError):
        codec.encode_request(tuple(Asked(i, 1, 1) for i in range(codec.ITEMS_MAX + 1)))
    with pytest.raises(WireError):
        codec.encode_request((Asked(1, 1 << 40, 0),))
    with pytest.raises(WireError):
        codec.encode_answer(ReconcileAnswer(0, (Answered(1, Held.PARTIAL, ((5, 4),)),)))
    with pytest.raises(WireError):
        codec.encode_answer(
            ReconcileAnswer(0, tuple(Answered((1 << 64) - 1, Held.UNKNOWN) for _ in range(200)))
        )


def test_a_request_is_these_octets():
    wire = codec.encode_request((Asked(7, 6_000_000_000, 0xE306_9283),))
    assert wire.hex() == "02000100000000000000070165a0bc00e3069283"
