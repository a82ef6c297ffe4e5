"""Repair packets: what is written is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.wire.errors import WireError
from flight.wire.repair_packet import (
    REPAIR_ROOM_BYTES,
    REPAIRS_MAX,
    SOURCES_MAX,
    RepairSymbol,
    decode_repair,
    encode_repair,
    packets_of,
    source_symbol,
)
from flight.wire.space_packet import Apid, encode

repairs = st.builds(
    RepairSymbol,
    first_frame=st.integers(0, 2**48 - 1 - 255 * 200),
    stride=st.integers(1, 255),
    sources=st.integers(1, SOURCES_MAX),
    repair=st.integers(0, REPAIRS_MAX - 1),
    symbol=st.binary(min_size=3, max_size=100),
)


@given(repairs)
def test_a_repair_packet_is_read_as_it_was_written(repair):
    assert decode_repair(encode_repair(repair)) == repair


@given(st.binary(max_size=60))
def test_arbitrary_octets_raise_nothing_but_the_wire_error(octets):
    try:
        repair = decode_repair(octets)
    except WireError:
        return
    assert encode_repair(repair) == octets


@pytest.mark.parametrize(
    "wrong",
    [
        {"stride": 0},
        {"sources": 0},
        {"sources": SOURCES_MAX + 1},
        {"repair": REPAIRS_MAX},
        {"first_frame": 2**48 - 1},
        {"symbol": b"xx"},
    ],
)
def test_a_field_out_of_its_range_is_refused(wrong):
    good = {"first_frame": 7, "stride": 3, "sources": 5, "repair": 1, "symbol": b"sum"}
    encode_repair(RepairSymbol(**good))
    with pytest.raises(WireError):
        encode_repair(RepairSymbol(**{**good, **wrong}))


@given(st.binary(min_size=1, max_size=200), st.integers(0, 50))
def test_packets_come_out_of_a_symbol_without_the_zeros_behind_them(packets, zeros):
    assert packets_of(source_symbol(packets) + bytes(zeros)) == packets


@pytest.mark.parametrize("symbol", [b"", b"\0\0rest", b"\0\5four"])
def test_a_symbol_whose_length_makes_no_sense_is_refused(symbol):
    with pytest.raises(WireError):
        packets_of(symbol)


def test_a_symbol_over_frames_that_leave_the_room_fits_a_frame_of_its_own():
    room = 2_048
    symbol = source_symbol(bytes(room - REPAIR_ROOM_BYTES))
    data = encode_repair(RepairSymbol(1, 1, 1, 0, symbol))
    assert len(encode(Apid.PRODUCT_REPAIR, 0, data, time_ns=0)) == room
