import hashlib

import numpy as np
import pytest

from flight.inference.integrity import (
    encode_expected,
    golden_deviation,
    golden_passes,
    golden_tile,
    judge_output,
)
from flight.inference.job import BANDS, Plausibility
from flight.inference.model_manifest import Golden

RAMP = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)


def spoiled(value):
    bad = RAMP.copy()
    bad[3, 3] = value
    return bad


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        (RAMP, Plausibility.PLAUSIBLE),
        (RAMP[:, :7], Plausibility.WRONG_SHAPE),
        (spoiled(np.nan), Plausibility.NOT_FINITE),
        (spoiled(np.inf), Plausibility.NOT_FINITE),
        (spoiled(1.001), Plausibility.OUT_OF_RANGE),
        (spoiled(-0.001), Plausibility.OUT_OF_RANGE),
        (np.full((8, 8), 0.5, np.float32), Plausibility.CONSTANT),
    ],
)
def test_each_broken_output_is_told_apart(output, verdict):
    assert judge_output(output, (8, 8)) is verdict


def test_what_is_said_of_a_whole_tile_is_one_value_and_no_dead_network():
    flat = np.full((8, 8), 0.01, np.float32)
    assert judge_output(flat, (8, 8)) is Plausibility.CONSTANT
    said_of_the_tile = np.broadcast_to(flat[0, 0], (8, 8))
    assert judge_output(said_of_the_tile, (8, 8)) is Plausibility.PLAUSIBLE


def test_the_golden_tile_is_the_same_on_every_machine():
    digest = hashlib.sha256(golden_tile(32).astype("<u2").tobytes()).hexdigest()
    assert digest == "5933a24853ab4f1ed87bcc085df3d7c1747fbdfb4074e45a42d0f91f374ed04e"


def test_a_golden_tile_shows_a_band_by_its_name_wherever_it_stands():
    narrow, wide = golden_tile(32), golden_tile(32, bands=("B1", "B12", *BANDS[:5], "haze"))
    assert np.array_equal(wide[..., 2:7], narrow[..., :5])
    assert np.array_equal(wide[..., 1], narrow[..., 5])
    assert np.array_equal(golden_tile(32, bands=("haze", "B1"))[..., 0], wide[..., 7])


def test_golden_answers_pass_within_tolerance_and_fail_beyond():
    golden = Golden(8, 1e-4, encode_expected(RAMP))
    assert golden_passes(golden, RAMP)
    assert golden_passes(golden, RAMP + np.float32(0.9e-4))
    assert not golden_passes(golden, spoiled(0.9))
    assert not golden_passes(golden, spoiled(np.nan))
    assert not golden_passes(golden, RAMP[:4])


@pytest.mark.parametrize("text", ["", "!!!", "AAAA"])
def test_an_unreadable_expectation_never_passes(text):
    assert golden_deviation(Golden(8, 1e-4, text), RAMP) == float("inf")
