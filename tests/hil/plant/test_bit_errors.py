"""Wrong bits as often as the channel says, the same ones in every run."""

import numpy as np
import pytest

from hil.plant.bit_errors import BitErrors

FRAME = bytes(2_000)


def seeds():
    return np.random.SeedSequence(7, spawn_key=(3,))


def wrong_bits(octets):
    return sum(octet.bit_count() for octet in octets)


def test_bits_are_wrong_at_the_rate_that_was_asked_for():
    errors = BitErrors(1e-3, seeds())
    wrong = sum(wrong_bits(errors.spoil(FRAME)) for _ in range(500))
    assert wrong == errors.bits_wrong
    assert wrong == pytest.approx(8 * len(FRAME) * 500 * 1e-3, rel=0.05)


def test_without_errors_a_frame_is_the_very_same_one():
    errors = BitErrors(0.0, seeds())
    assert errors.spoil(FRAME) is FRAME
    assert errors.bits_wrong == 0


def test_the_same_seed_spoils_the_same_bits_and_another_one_others():
    first, again = BitErrors(1e-3, seeds()), BitErrors(1e-3, seeds())
    other = BitErrors(1e-3, np.random.SeedSequence(8))
    assert [first.spoil(FRAME) for _ in range(5)] == [again.spoil(FRAME) for _ in range(5)]
    assert first.spoil(FRAME) != other.spoil(FRAME)


def test_the_stream_of_the_link_itself_is_not_drawn_from():
    link = seeds()
    BitErrors(1e-3, link).spoil(FRAME)
    assert link.generate_state(4).tolist() == seeds().generate_state(4).tolist()
    assert link.n_children_spawned == 0
