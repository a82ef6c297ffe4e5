import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.inference.model_registry import ModelRegistry
from flight.inference.weight_bank import PIECE_BYTES, WeightBank

MODEL = ModelRegistry().load("cloud_unet", "fp32").data


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_every_flipped_bit_is_found_and_put_right(data):
    bank = WeightBank(MODEL)
    clean = {name: array.copy() for name, array in bank.arrays.items()}
    at, bit = data.draw(st.integers(0, bank.size_bytes - 1)), data.draw(st.integers(0, 7))
    live, where = bank.octets(at)
    live[where] ^= 1 << bit
    found = bank.scrub_whole()
    assert (found.damaged, found.repaired, found.whole) == (1, 1, True)
    assert all(np.array_equal(bank.arrays[name], clean[name]) for name in clean)
    assert bank.scrub_whole().damaged == 0


def test_one_look_is_bounded_and_looks_in_turn_cover_everything():
    bank = WeightBank(MODEL)
    seen = looks = 0
    while True:
        found = bank.scrub(4096)
        assert found.checked_bytes <= 4096 + PIECE_BYTES
        seen, looks = seen + found.checked_bytes, looks + 1
        if found.whole:
            break
    assert seen == bank.size_bytes
    assert looks > 5


def test_a_fault_is_found_by_the_slice_it_lies_in():
    bank = WeightBank(MODEL)
    live, where = bank.octets(bank.size_bytes - 1)
    live[where] ^= 1
    looks = [bank.scrub(1) for _ in range(1000)]
    first = next(n for n, found in enumerate(looks) if found.damaged)
    assert looks[first].repaired == 1
    assert sum(found.damaged for found in looks) == 1


def test_a_stored_copy_that_is_damaged_repairs_nothing():
    bank = WeightBank(bytearray(MODEL))
    piece = max(bank._pieces, key=lambda each: each.live.size)
    piece.live[0] ^= 1
    piece.stored[0] ^= 2
    found = bank.scrub_whole()
    assert (found.damaged, found.repaired) == (1, 0)


def test_a_place_beyond_the_end_is_none():
    bank = WeightBank(MODEL)
    with pytest.raises(IndexError):
        bank.octets(bank.size_bytes)


def test_a_network_without_weights_has_nothing_to_look_over():
    assert WeightBank(b"").scrub(100).checked_bytes == 0


def test_weights_begin_where_vectors_are_loaded_fastest():
    arrays = WeightBank(MODEL).arrays.values()
    assert {array.__array_interface__["data"][0] % 64 for array in arrays} == {0}
