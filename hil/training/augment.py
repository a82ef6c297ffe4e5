"""Augmentation of labelled crops, pure numpy: what carries a network from one sensor to another.

Landsat-5, Landsat-7 and Sentinel-2 see the same cloud with different gains, spectral responses
and pixel sizes; the jitter here covers those differences, since two scenes alone do not. Nor do two
scenes show the lands of the Earth: a network trained over grass took bare soil for cloud, so the
ground, not the cloud, is also recoloured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from hil.training.recipe import Recipe


NEAR_INFRARED = 3
HAZE_FLOOR, OPAQUE_RISE = 0.10, 0.20
"""Reflectance of a labelled cloud's darkest visible band at which it hides nothing of the ground,
and the rise above that at which it hides all."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One labelled scene: ``reflectance`` (6, H, W) float32 0..1, ``cloud`` (H, W) bool."""

    name: str
    reflectance: npt.NDArray[np.float32]
    cloud: npt.NDArray[np.bool_]


def dihedral(array: npt.NDArray[np.float32], which: int) -> npt.NDArray[np.float32]:
    """Return one of the eight flips and rotations (``which`` 0..7) of the last two axes."""
    turned = np.rot90(array, which % 4, axes=(-2, -1))
    return np.flip(turned, axis=-1) if which >= 4 else turned


def magnify(array: npt.NDArray[np.float32], side_px: int) -> npt.NDArray[np.float32]:
    """Resample (C, h, h) bilinearly to (C, side_px, side_px), h <= side_px."""
    source_px = array.shape[-1]
    if source_px == side_px:
        return array
    at = (np.arange(side_px, dtype=np.float32) + 0.5) * (source_px / side_px) - 0.5
    at = np.clip(at, 0.0, source_px - 1.0)
    low = np.minimum(at.astype(np.intp), source_px - 2)
    share = (at - low).astype(np.float32)
    rows = array[:, low, :] * (1 - share)[None, :, None] + array[:, low + 1, :] * share[:, None]
    return np.asarray(rows[..., low] * (1 - share) + rows[..., low + 1] * share, dtype=np.float32)


def jitter(
    reflectance: npt.NDArray[np.float32], recipe: Recipe, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Apply radiometric jitter to (C, h, w): common gain, gain by band, offset, noise."""
    bands = reflectance.shape[0]
    gain = np.exp(rng.uniform(-recipe.image_gain, recipe.image_gain))
    by_band = np.exp(rng.uniform(-recipe.band_gain, recipe.band_gain, size=(bands, 1, 1)))
    offset = rng.uniform(-recipe.offset, recipe.offset)
    noise = rng.normal(0.0, recipe.noise, size=reflectance.shape) if recipe.noise > 0 else 0.0
    jittered = reflectance * (gain * by_band) + offset + noise
    return np.asarray(np.clip(jittered, 0.0, 1.0), dtype=np.float32)


def other_land(
    reflectance: npt.NDArray[np.float32],
    cloud: npt.NDArray[np.float32],
    recipe: Recipe,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Give the ground of (C, h, w) another colour; opaque cloud (mask (h, w), 0..1) keeps its own.

    Mixing by opacity is the usual linear model of thin cloud: what shines through changes too.
    """
    bands = reflectance.shape[0]
    direction = np.ones(bands)
    direction[NEAR_INFRARED] = -0.5
    shared, alone = rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0, size=bands)
    mixed = recipe.land_shared * shared * direction + (1.0 - recipe.land_shared) * alone
    gain = np.exp(np.asarray(recipe.land_gain) * mixed)[:, None, None]
    opacity = np.clip((reflectance[:3].min(axis=0) - HAZE_FLOOR) / OPAQUE_RISE, 0.0, 1.0) * cloud
    changed = reflectance * (1.0 + (gain - 1.0) * (1.0 - opacity))
    return np.asarray(np.clip(changed, 0.0, 1.0), dtype=np.float32)


def crop_batch(
    scenes: Sequence[Scene], recipe: Recipe, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Draw one batch: inputs (N, 6, c, c) and targets (N, 1, c, c), float32."""
    inputs: list[npt.NDArray[np.float32]] = []
    targets: list[npt.NDArray[np.float32]] = []
    for index in range(recipe.batch):
        scene = scenes[index % len(scenes)]
        height, width = scene.cloud.shape
        zoom = float(np.exp(rng.uniform(0.0, np.log(recipe.zoom_max))))
        side = round(recipe.crop_px / zoom)
        row, col = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        which = int(rng.integers(8))
        window = np.s_[row : row + side, col : col + side]
        stack = np.concatenate(
            [scene.reflectance[:, *window], scene.cloud[window][None].astype(np.float32)]
        )
        stack = magnify(dihedral(stack, which), recipe.crop_px)
        reflectance = stack[:-1]
        if rng.random() < recipe.land_chance:
            reflectance = other_land(reflectance, stack[-1], recipe, rng)
        inputs.append(jitter(reflectance, recipe, rng))
        targets.append((stack[-1:] >= 0.5).astype(np.float32))
    return np.stack(inputs), np.stack(targets)
