"""What the node tells of itself arrives as it was, and nothing else is believed."""

from __future__ import annotations

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.base.clock import LoopClock
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import CHANNELS, EVENT_BY_NAME, Kind
from flight.telemetry.event_log import Event
from flight.telemetry.umbilical_service import RECORD_BYTES_MAX, UmbilicalService
from flight.telemetry.umbilical_service import Umbilical as NodesEnd
from flight.wire.space_packet import TIME_NS_MAX, Apid, encode
from flight.wire.telemetry import encode_housekeeping
from hil.simloop import SimLoop
from hil.umbilical import OtherDictionaryError, Umbilical

S = 1_000_000_000


def pair():
    events, records = [], []
    bench = Umbilical(events.append)

    def tell(record):
        records.append(record)
        bench.take(record)
        return True

    return NodesEnd(tell), bench, events, records


def value_of(channel):
    if channel.kind in (Kind.ENUM, Kind.FLAG):
        return st.integers(0, 255).map(float) | st.just(nan)
    return st.floats(allow_nan=True, allow_infinity=False)


@given(values=st.tuples(*map(value_of, CHANNELS)), t_ns=st.integers(0, TIME_NS_MAX))
def test_every_channel_arrives_as_it_was(values, t_ns):
    node, bench, _, records = pair()
    node.tell_row(list(values), t_ns)
    assert bench.row_t_ns == t_ns
    for told, value in zip(bench.row, values, strict=True):
        assert told == value or (isnan(told) and isnan(value))
    assert all(len(record) <= RECORD_BYTES_MAX for record in records)
    assert (bench.rows, bench.refused) == (1, 0)


def test_an_event_arrives_with_time_and_arguments():
    node, bench, events, _ = pair()
    args = {"peer": "calern", "seconds": 17.25}
    event = Event(EVENT_BY_NAME["LINK_ACQUIRED"].event_id, 5 * S + 3, args)
    node(event)
    assert events == [event]
    assert bench.refused == 0


def test_a_row_is_told_each_second_behind_the_cycle():
    node, bench, _, _ = pair()
    loop = SimLoop()
    channels = ChannelValues()
    at = channels.index("power.soc_estimate")
    service = UmbilicalService(node, LoopClock(loop), channels)
    loop.create_task(service.serve())
    seen = []
    for second in range(3):
        loop.call_at_ns(second * S, channels.values.__setitem__, at, 0.1 * second)
        loop.run_until_ns(second * S + S // 2)
        seen.append((bench.row_t_ns, bench.value("power.soc_estimate")))
    assert seen == [(k * S + 1_000_000, pytest.approx(0.1 * k)) for k in range(3)]
    loop.cancel_all()


def test_a_record_without_room_is_lost_and_counted():
    node = NodesEnd(lambda _record: False)
    node.tell_row(ChannelValues().values, 0)
    assert node.lost == 1


def test_a_node_that_is_off_tells_nothing():
    node, bench, _, _ = pair()
    node.tell_row([0.0] * len(CHANNELS), 7)
    bench.forget()
    assert bench.row_t_ns is None
    assert all(isnan(value) for value in bench.row)


def test_another_dictionary_is_refused_as_a_whole():
    _, bench, _, _ = pair()
    data = bytearray(encode_housekeeping("power", [0.0] * len(CHANNELS)))
    data[0] ^= 0xFF
    with pytest.raises(OtherDictionaryError):
        bench.take(encode(Apid.HOUSEKEEPING, 0, bytes(data), time_ns=0))


@given(record=st.binary(max_size=200))
def test_whatever_comes_is_counted_or_read_and_never_worse(record):
    _, bench, events, _ = pair()
    try:
        bench.take(record)
    except OtherDictionaryError:
        return
    assert bench.refused <= 1 or events == []
