"""Check values of any bytes-like object, in one go or in parts."""

from __future__ import annotations

import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.wire.crc import CRC16_START, crc16_ccitt, crc32c

CHECK_STRING = b"123456789"


def test_the_check_string_gives_the_published_values() -> None:
    assert crc16_ccitt(CHECK_STRING) == 0x29B1
    assert crc32c(CHECK_STRING) == 0xE3069283


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_kind_of_bytes_gives_the_same_value(kind: type) -> None:
    assert crc16_ccitt(kind(CHECK_STRING)) == 0x29B1
    assert crc32c(kind(CHECK_STRING)) == 0xE3069283


def test_a_slice_of_mapped_memory_can_be_checked() -> None:
    with mmap.mmap(-1, 4096) as mapped:
        mapped[100:109] = CHECK_STRING
        with memoryview(mapped) as whole, whole[100:109] as part:
            assert crc32c(part) == 0xE3069283


def test_nothing_leaves_the_start_value() -> None:
    assert crc16_ccitt(b"") == CRC16_START
    assert crc32c(b"", 7) == 7
    assert crc32c(bytearray()) == 0


@given(data=st.binary(max_size=100), cut=st.integers(0, 100))
def test_two_parts_in_a_row_equal_the_whole(data: bytes, cut: int) -> None:
    first, rest = data[:cut], data[cut:]
    assert crc16_ccitt(rest, crc16_ccitt(first)) == crc16_ccitt(data)
    assert crc32c(rest, crc32c(first)) == crc32c(data)


@given(data=st.binary(min_size=1, max_size=60), at=st.integers(0, 479))
def test_one_changed_bit_never_goes_unseen(data: bytes, at: int) -> None:
    changed = bytearray(data)
    changed[at // 8 % len(data)] ^= 1 << at % 8
    assert crc16_ccitt(changed) != crc16_ccitt(data)
    assert crc32c(changed) != crc32c(data)
