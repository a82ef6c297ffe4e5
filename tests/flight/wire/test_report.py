"""The report codec: what goes in comes out, and no bytes raise anything but WireError."""

from __future__ import annotations

import pytest
from fuzz_times import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire import report as codec
from flight.wire import varint
from flight.wire.errors import WireError, WireReason
from flight.wire.report import Report

U64 = st.integers(0, varint.U64_MAX)


@st.composite
def reports(draw):
    floor = draw(st.integers(0, 1 << 40))
    cuts = draw(st.lists(st.integers(1, 300), max_size=60))
    at, ranges = floor, []
    for index in range(0, len(cuts) - 1, 2):
        low = at + cuts[index]
        high = low + cuts[index + 1] - 1
        ranges.append((low, high))
        at = high + 1
    horizon = at + draw(st.integers(0, 500))
    return Report(
        epoch=draw(st.integers(0, 1 << 32)),
        seq=draw(U64),
        vcid=draw(st.integers(0, 63)),
        horizon=horizon,
        floor=floor,
        ranges=tuple(reversed(ranges)),
        completed=tuple(draw(st.lists(U64, max_size=40))),
    )


@settings(deadline=None, max_examples=examples(150))
@given(reports())
def test_a_report_survives_the_channel(report):
    wire = codec.encode(report)
    assert codec.decode(wire) == report
    body = 0
    above = report.horizon + 1
    for low, high in report.ranges:
        body += codec.range_bytes(above, low, high)
        above = low
    previous = 0
    for product_id in report.completed:
        body += codec.completed_bytes(previous, product_id)
        previous = product_id
    assert body <= len(wire) <= body + codec.header_bytes_max()


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=80), st.booleans())
def test_garbage_raises_a_wire_error_and_nothing_else(noise, looks_right):
    wire = bytes((codec.VERSION, 2)) + noise if looks_right else noise
    try:
        report = codec.decode(wire)
    except WireError:
        return
    assert codec.encode(report) == wire


@settings(deadline=None, max_examples=examples(100))
@given(reports(), st.data())
def test_a_cut_report_is_refused(report, data):
    wire = codec.encode(report)
    cut = data.draw(st.integers(0, len(wire) - 1))
    with pytest.raises(WireError):
        codec.decode(wire[:cut])
    with pytest.raises(WireError):
        codec.decode(wire + b"\0")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"vcid": 64}, WireReason.BAD_VALUE),
        ({"floor": 11}, WireReason.BAD_VALUE),
        ({"horizon": 1 << 48}, WireReason.BAD_VALUE),
        ({"ranges": ((5, 11),)}, WireReason.BAD_VALUE),
        ({"ranges": ((5, 6), (4, 4))}, WireReason.BAD_VALUE),
        ({"ranges": ((2, 3), (7, 8))}, WireReason.BAD_VALUE),
        ({"completed": tuple(1 << 60 for _ in range(1100))}, WireReason.TOO_LONG),
        ({"seq": 1 << 64}, WireReason.BAD_VALUE),
    ],
)
def test_a_report_that_would_lie_is_never_sent(fields, reason):
    good = {"epoch": 1, "seq": 1, "vcid": 2, "horizon": 10, "floor": 0, "ranges": ()}
    with pytest.raises(WireError) as caught:
        codec.encode(Report(**(good | fields)))
    assert caught.value.reason is reason
