import dataclasses
import json

import numpy as np

from flight.inference.model_registry import ModelRegistry
from hil.training.augment import Scene, crop_batch, dihedral, jitter, magnify, other_land
from hil.training.layers import BANDS, GRID_PX, cloud_unet, parameter_count
from hil.training.recipe import Recipe

CALM = Recipe(
    image_gain=0.0,
    band_gain=0.0,
    offset=0.0,
    noise=0.0,
    zoom_max=1.0,
    land_chance=0.0,
    crop_px=16,
)


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


def test_other_land_leaves_opaque_cloud_alone_and_recolours_bright_ground():
    bright = np.full((6, 4, 4), 0.35, np.float32)
    cloud = np.zeros((4, 4), np.float32)
    cloud[:, :2] = 1.0
    bounds = np.array(CALM.land_gain)
    furthest = np.zeros(6)
    for seed in range(60):
        changed = other_land(bright, cloud, CALM, np.random.default_rng(seed))
        assert np.array_equal(changed[..., :2], bright[..., :2])
        away = np.abs(np.log(changed[:, 0, 3] / 0.35))
        assert (away <= bounds + 1e-5).all()
        furthest = np.maximum(furthest, away)
    assert furthest[5] > 0.5 > furthest[0]


def test_ground_that_shines_through_thin_cloud_changes_less_than_bare_ground():
    thin = np.full((6, 2, 2), 0.2, np.float32)  # half way up the rise: half opaque
    cloud = np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)
    for seed in range(20):
        change = other_land(thin, cloud, CALM, np.random.default_rng(seed)) / thin - 1.0
        assert np.allclose(change[..., 0], change[..., 1] / 2, atol=1e-5)


def test_every_batch_shows_all_scenes_alike():
    dark, bright = (
        Scene(name, np.full((6, 20, 20), level, np.float32), np.zeros((20, 20), np.bool_))
        for name, level in (("dark", 0.1), ("bright", 0.4))
    )
    inputs, _ = crop_batch([dark, bright], CALM, np.random.default_rng(2))
    assert (inputs[:, 0, 0, 0] > 0.2).sum() == CALM.batch // 2


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
    assert shipped.training["recipe"] == json.loads(json.dumps(dataclasses.asdict(Recipe())))
    assert shipped.threshold == Recipe().threshold
    assert shipped.input.bands == BANDS
    assert shipped.input.multiple_px == GRID_PX
    outputs = {layer.name: layer.outputs for layer in layers}
    by_name = {layer.name: layer.inputs for layer in layers}
    assert by_name["dec2a"] == outputs["enc3b"] + outputs["enc2b"]
    assert by_name["dec1a"] == outputs["dec2b"] + outputs["enc1b"]
