"""64 bytes that survive torn writes and flipped bits, or say that they did not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.boot_record import (
    LOOP_STARTS,
    SLOT_BYTES,
    BootRecord,
    Ended,
    beaten,
    decode,
    encode,
    ending,
    following,
    forgiven,
    newest,
    slot_of,
)
from flight.telemetry.definitions import Mode

U32 = st.integers(0, 2**32 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
RECORDS = st.builds(
    BootRecord, sequence=U32, boots=U32, unplanned=st.integers(0, 255),
    ended=st.sampled_from(Ended), mode=st.sampled_from(Mode), mission_ns=I64, offset_ns=I64,
    utc_ns=I64, utc_trusted=st.booleans(), watched=st.booleans(),
    power_up=st.binary(min_size=8, max_size=8),
)  # fmt: skip
FIRST = following(None, power_up=b"power-up", watched=False)


def run(before, power_up=b"power-up"):
    return following(before, power_up=power_up, watched=False)


@given(RECORDS)
def test_a_record_comes_back_from_its_slot(record):
    slot = encode(record)
    assert len(slot) == SLOT_BYTES
    assert decode(slot) == record


@given(st.binary(max_size=SLOT_BYTES + 1))
def test_no_bytes_are_more_than_no_record(slot):
    assert decode(slot) is None or encode(decode(slot)) == slot


@given(RECORDS, st.integers(0, SLOT_BYTES * 8 - 1))
def test_one_flipped_bit_is_a_damaged_slot_never_another_count(record, bit):
    slot = bytearray(encode(record))
    slot[bit // 8] ^= 1 << bit % 8
    assert decode(bytes(slot)) is None
    assert newest([bytes(slot), b""]).damaged == 1


@pytest.mark.parametrize(("start", "size"), [(8, 4), (16, 1)])
def test_a_count_and_its_complement_that_disagree_are_no_count_even_under_a_right_crc(start, size):
    from flight.wire.crc import crc32c  # noqa: PLC0415

    body = bytearray(encode(replace(FIRST, boots=7, unplanned=3))[:-4])
    body[start : start + size] = bytes(size)
    assert decode(bytes(body) + crc32c(bytes(body)).to_bytes(4, "little")) is None


@given(RECORDS, RECORDS, st.integers(0, SLOT_BYTES))
def test_a_write_that_is_torn_anywhere_leaves_the_record_before(old, new, torn_at):
    new = replace(new, sequence=(old.sequence + 1) % 2**32)
    slots = [b"", b""]
    slots[slot_of(old)] = encode(old)
    assert slot_of(new) != slot_of(old), "it never goes where its predecessor lies"
    slots[slot_of(new)] = encode(new)[:torn_at]
    found = newest(slots)
    assert found.record == (new if torn_at == SLOT_BYTES else old)


def test_the_newer_of_two_counts_over_the_end_of_the_numbers():
    last, first = replace(FIRST, sequence=2**32 - 1), replace(FIRST, sequence=0, boots=9)
    assert newest([encode(first), encode(last)]).record == first
    assert newest([encode(last), encode(first)]).record == first


def test_empty_slots_are_no_damage():
    assert newest([b"", bytes(SLOT_BYTES)]) == newest([b"", b""])
    assert newest([b"", b""]).damaged == 0


def test_each_unplanned_start_counts_until_it_is_a_loop():
    record = FIRST
    for starts in range(LOOP_STARTS):
        assert (record.unplanned, record.looping) == (starts, False)
        record = run(record)
    assert record.looping
    assert record.boots == LOOP_STARTS + 1


@pytest.mark.parametrize("ended", [Ended.ORDERED, Ended.COMMANDED])
def test_a_planned_end_ends_the_row(ended):
    assert run(ending(replace(FIRST, unplanned=9), ended)).unplanned == 0


def test_a_fatal_end_does_not():
    assert run(ending(FIRST, Ended.FATAL)).unplanned == 1


def test_a_good_flight_ends_it_too():
    assert run(forgiven(replace(FIRST, unplanned=9))).unplanned == 1


def test_the_counts_stop_at_their_ends_and_do_not_begin_anew():
    record = run(replace(FIRST, boots=2**32 - 1, unplanned=255))
    assert (record.boots, record.unplanned) == (2**32 - 1, 255)


def test_a_beat_changes_nothing_but_time_and_mode():
    record = replace(FIRST, unplanned=2)
    beat = beaten(record, mode=Mode.SAFE, mission_ns=5, offset_ns=6, utc_ns=7, utc_trusted=True)
    assert beat == replace(
        record, sequence=2, mode=Mode.SAFE, mission_ns=5, offset_ns=6, utc_ns=7, utc_trusted=True
    )
