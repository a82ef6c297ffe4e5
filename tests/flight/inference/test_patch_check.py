"""A corner computed again tells of a fault in the run before it, and of nothing else."""

import numpy as np
import pytest

from flight.inference.guarded_ort import plain_layout, plain_session
from flight.inference.integrity import golden_tile
from flight.inference.job import BANDS
from flight.inference.model_manifest import ModelError
from flight.inference.model_registry import ModelRegistry
from flight.inference.patch_check import (
    CORNERS,
    SIDES_PX,
    TILE_SHARE,
    PatchCheck,
    difference,
    mixed_corner,
    patch_check,
)
from flight.inference.weight_bank import WeightBank

MODEL = ModelRegistry().load("cloud_unet", "fp32")
REACH_PX = 3


def network():
    """The flown network, and its live weights."""
    data = plain_layout(MODEL.data)
    bank = WeightBank(data)
    return plain_session(data, bank, manifest=MODEL.manifest).run, bank


def blurred(pixels):
    """A network that sees so many pixels far: the mean of a square, nothing beyond the edge."""
    plane = np.pad(pixels[..., 0].astype(np.float64) / 20_000.0, REACH_PX)
    size = 2 * REACH_PX + 1
    windows = np.lib.stride_tricks.sliding_window_view(plane, (size, size))
    return windows.mean(axis=(2, 3)).astype(np.float32)


def check_of(run, multiple_px=4):
    return patch_check(run, bands=BANDS, multiple_px=multiple_px)


def test_how_far_a_network_sees_is_found_out():
    assert check_of(blurred).margin_px == REACH_PX
    assert 20 <= check_of(network()[0]).margin_px <= 24


def test_on_a_sound_network_every_corner_agrees():
    run, _ = network()
    check = check_of(run)
    for pattern in range(4):
        tile = golden_tile(192, pattern)
        answer = run(tile)
        for corner in CORNERS:
            found = difference(run, tile, answer, 48, corner)
            valid = 48 - check.margin_px
            assert found[:valid, :valid].max() <= check.tolerance


@pytest.mark.parametrize("at", [3, 4003, 20_003, 100_003])
def test_a_weight_that_was_another_during_the_run_is_seen_where_cloud_and_clear_meet(at):
    run, bank = network()
    check, tile = check_of(run), golden_tile(256, 0)
    live, where = bank.octets(at)
    live[where] ^= 0x40
    answer = run(tile)
    live[where] ^= 0x40
    clean = run(tile)
    if np.mean((answer >= 0.5) != (clean >= 0.5)) > 0.01:
        assert check.apart(run, tile, answer) > check.tolerance


def test_an_answer_that_is_no_number_in_the_corner_is_as_bad_as_can_be():
    check, tile = check_of(blurred), golden_tile(256, 0)
    answer = blurred(tile)
    answer[:3], answer[-3:] = np.nan, np.nan  # in every corner
    assert check.apart(blurred, tile, answer) == float("inf")


def test_the_corner_with_both_cloud_and_clear_is_taken():
    answer = np.ones((128, 128), np.float32)
    answer[:64, 64:] = 0.0
    answer[-16:, :32] = 0.0
    assert mixed_corner(answer, 32) == (True, False)


@pytest.mark.parametrize("shape", [(32, 32), (64, 4096), (128, 128), (256, 256), (512, 512)])
def test_a_patch_is_a_small_part_of_the_tile_or_none(shape):
    side = PatchCheck(8, 1e-5, 4).side_px(shape)
    assert side in {0, *SIDES_PX}
    assert side * side * TILE_SHARE <= shape[0] * shape[1]
    assert bool(side) == (shape != (32, 32))


def test_a_large_tile_has_a_patch_of_which_enough_is_compared_and_no_larger_one():
    assert PatchCheck(22, 1e-5, 4).side_px((256, 256)) == 48
    assert PatchCheck(22, 1e-5, 4).side_px((128, 128)) == 32
    assert PatchCheck(4, 1e-5, 4).side_px((512, 512)) == 32


def test_a_tile_too_small_for_a_patch_is_not_run_again():
    def never(_pixels):
        raise AssertionError

    tile = golden_tile(64, 0)
    assert check_of(blurred).apart(never, tile, blurred(tile)) == 0.0


def refusing(pixels):
    """A network of a fixed size."""
    if pixels.shape[0] != 128:
        raise ModelError("network answered shape")
    return blurred(pixels)


def whole(pixels):
    """A network that answers for the whole tile."""
    return np.broadcast_to(np.float32([[0.5]]), pixels.shape[:2])


def seeing_all(pixels):
    """A network whose every pixel hangs on all others."""
    return np.full(pixels.shape[:2], pixels.mean() / 20_000.0, np.float32)


@pytest.mark.parametrize("run", [refusing, whole, seeing_all])
def test_where_a_patch_says_nothing_of_the_tile_there_is_no_check(run):
    assert check_of(run) is None


def test_sides_that_no_patch_has_make_no_check():
    assert check_of(blurred, multiple_px=224) is None


def test_what_was_proved_to_be_no_fault_is_borne_from_then_on_within_bounds():
    check = PatchCheck(3, 1e-5, 4)
    check.excuse(1e-3)
    assert check.tolerance == 2e-3
    check.excuse(0.5)
    assert check.tolerance == 0.05
