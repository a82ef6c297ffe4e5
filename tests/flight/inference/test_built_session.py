"""A session with weights of its own knows its golden tiles' answers to the bit, or is none."""

from functools import partial

import numpy as np
import pytest

from flight.inference.built_session import Built
from flight.inference.guarded_ort import plain_layout, plain_session
from flight.inference.integrity import PATTERNS
from flight.inference.job import BANDS
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import ModelRegistry

MODEL = ModelRegistry().load("cloud_unet", "small")
MAKE = partial(plain_session, manifest=MODEL.manifest)


class Saying:
    """A session that has one answer for everything."""

    def __init__(self, value):
        self.value = value

    def run(self, pixels):
        return np.full(pixels.shape[:2], self.value, np.float32)


def test_two_sessions_of_one_network_answer_alike_from_weights_of_their_own():
    one, other = (Built(MODEL.data, MAKE, plain_layout) for _ in range(2))
    assert one.golden_crcs(32, BANDS) == other.golden_crcs(32, BANDS)
    assert len(one.golden_crcs(32, BANDS)) == len(PATTERNS)
    live, where = one.bank.octets(500)
    live[where] ^= 0x40
    assert one.golden_crcs(32, BANDS) != other.golden_crcs(32, BANDS)


@pytest.mark.parametrize("value", [float("nan"), 2.0])
def test_an_answer_to_a_golden_tile_that_no_picture_gets_is_refused(value):
    built = Built(MODEL.data, lambda _data, _bank: Saying(value), plain_layout)
    with pytest.raises(ModelError, match="golden tile: answer is"):
        built.golden_crcs(32, BANDS)


def test_what_is_no_network_is_refused():
    with pytest.raises(ModelError, match="does not load"):
        Built(b"no network", MAKE, bytes)
