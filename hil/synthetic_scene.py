"""Synthetic labelled tiles: seeded, no network, always labelled as synthetic. Bench only.

Band values are typical top-of-atmosphere spectra of soil, vegetation, water and cloud mixed by
smooth noise fields. They look like a picture to the networks and prove nothing about accuracy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flight.inference.job import Tile, pixel_digest
from flight.inference.tile_pixels import pixel_bytes

if TYPE_CHECKING:
    import numpy.typing as npt

SOIL = np.array([0.11, 0.13, 0.17, 0.25, 0.31, 0.25])
VEGETATION = np.array([0.09, 0.09, 0.07, 0.32, 0.18, 0.09])
WATER = np.array([0.11, 0.08, 0.05, 0.03, 0.02, 0.01])
CLOUD = np.array([0.56, 0.55, 0.56, 0.60, 0.45, 0.36])
CLOUD_SHARE = 0.35
"""Mixing share at and above which a pixel is labelled cloud."""


def smooth_field(
    rng: np.random.Generator, side_px: int, cells: int, octaves: int = 4
) -> npt.NDArray[np.float64]:
    """Return value noise (side, side) in 0..1, ``cells`` lattice cells at its coarsest scale."""
    total, weight_sum, weight = np.zeros((side_px, side_px)), 0.0, 1.0
    for octave in range(octaves):
        count = cells * 2**octave
        lattice = rng.random((count + 1, count + 1))
        at = np.arange(side_px) * (count / side_px)
        low = np.minimum(at.astype(np.intp), count - 1)
        part = at - low
        blend = part * part * (3.0 - 2.0 * part)
        rows = lattice[low] * (1 - blend)[:, None] + lattice[low + 1] * blend[:, None]
        total += weight * (rows[:, low] * (1 - blend) + rows[:, low + 1] * blend)
        weight_sum += weight
        weight *= 0.5
    return np.asarray(total / weight_sum)


def synthetic_labelled_tiles(
    seed: int, n: int, size: int
) -> list[tuple[Tile, npt.NDArray[np.bool_]]]:
    """Return ``n`` tiles of ``size`` px a side, each with its cloud mask (size, size) bool."""
    made = []
    for index in range(n):
        rng = np.random.default_rng([seed, index, 0x53594E])
        green = smooth_field(rng, size, 3)[..., None]
        ground = SOIL * (1 - green) + VEGETATION * green
        water = smooth_field(rng, size, 2) > 0.45 + 0.5 * float(rng.random())
        ground = np.where(water[..., None], WATER, ground)
        ground = ground * (0.85 + 0.3 * smooth_field(rng, size, 8)[..., None])
        cover = 0.35 + 0.35 * float(rng.random())
        share = np.clip((smooth_field(rng, size, 2) - cover) * 6.0, 0.0, 1.0)
        bright = CLOUD * (0.8 + 0.4 * smooth_field(rng, size, 6, 3)[..., None])
        mixed = ground * (1 - share[..., None]) + bright * share[..., None]
        pixels = pixel_bytes(np.clip(np.rint(mixed * 10_000), 0, 65_535).astype(np.uint16))
        tile = Tile(
            tile_id=index,
            captured_ns=0,
            pixels=pixels,
            height_px=size,
            width_px=size,
            sha256=pixel_digest(pixels),
            origin=f"synthetic:{seed}:{index}",
            land=bool(np.count_nonzero(water) * 2 < water.size),
            synthetic=True,
        )
        made.append((tile, np.asarray(share >= CLOUD_SHARE)))
    return made
