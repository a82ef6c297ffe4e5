import dataclasses

import numpy as np

from flight.inference.model_registry import ModelRegistry
from hil.training.augment import Scene, crop_batch, dihedral, jitter, magnify
from hil.training.layers import BANDS, GRID_PX, cloud_unet, parameter_count
from hil.training.recipe import Recipe

CALM = Recipe(image_gain=0.0, band_gain=0.0, offset=0.0, noise=0.0, zoom_max=1.0, crop_px=16)


def scene_of(seed=1, side=40):
    rng = np.random.default_rng(seed)
    reflectance = rng.random((6, side, side), dtype=np.float32)
    return Scene("test", reflectance, reflectance[0] > 0.5)


def test_the_eight_turns_are_different_and_keep_every_value():
    square = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    turned = [dihedral(square, which) for which in range(8)]
    assert len({t.tobytes() for t in map(np.ascontiguousarray, turned)}) == 8
    assert all(sorted(t.ravel()) == sorted(square.ravel()) for t in turned)


def test_magnifying_by_one_changes_nothing_and_a_ramp_stays_a_ramp():
    ramp = np.tile(np.arange(8, dtype=np.float32), (1, 8, 1))
    assert np.array_equal(magnify(ramp, 8), ramp)
    large = magnify(ramp, 16)
    # Bilinear at half-pixel centres: steps of one half away from the border.
    assert np.allclose(np.diff(large[0, 5, 1:-1]), 0.5)
    assert (large.min(), large.max()) == (0.0, 7.0)


def test_without_jitter_a_crop_is_a_piece_of_the_scene_with_its_own_mask():
    inputs, targets = crop_batch([scene_of()], CALM, np.random.default_rng(3))
    assert inputs.shape == (CALM.batch, 6, 16, 16)
    assert np.array_equal(targets[:, 0] == 1.0, inputs[:, 0] > 0.5)


def test_jitter_stays_reflectance_and_within_its_bounds():
    grey = np.full((6, 32, 32), 0.4, np.float32)
    recipe = dataclasses.replace(CALM, image_gain=0.2, band_gain=0.1, offset=0.05)
    for seed in range(50):
        bands = jitter(grey, recipe, np.random.default_rng(seed))[:, 0, 0]
        assert (bands >= 0.4 * np.exp(-0.3) - 0.05 - 1e-6).all()
        assert (bands <= 0.4 * np.exp(0.3) + 0.05 + 1e-6).all()
    bright = jitter(np.full((6, 4, 4), 0.99, np.float32), recipe, np.random.default_rng(1))
    assert bright.max() <= 1.0


def test_the_same_seed_draws_the_same_batch():
    recipe = dataclasses.replace(Recipe(), crop_px=16)
    first, again = (
        crop_batch([scene_of(), scene_of(2)], recipe, np.random.default_rng(5)) for _ in range(2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_the_layer_table_is_the_network_that_ships():
    layers = cloud_unet()
    shipped = ModelRegistry().manifest("cloud_unet")
    assert parameter_count(layers) == shipped.training["parameters"]
    assert shipped.training["recipe"] == dataclasses.asdict(Recipe())
    assert shipped.threshold == Recipe().threshold
    assert shipped.input.bands == BANDS
    assert shipped.input.multiple_px == GRID_PX
    outputs = {layer.name: layer.outputs for layer in layers}
    by_name = {layer.name: layer.inputs for layer in layers}
    assert by_name["dec2a"] == outputs["enc3b"] + outputs["enc2b"]
    assert by_name["dec1a"] == outputs["dec2b"] + outputs["enc1b"]
