"""Tiles as arrays, for the network's side, the bench and the ground: not for the flight process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flight.inference.job import BANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from flight.inference.job import Tile

RED_GREEN_BLUE = ("B4", "B3", "B2")
WHITE_DN = 4000
"""Reflectance 0.4 is shown white: land is seldom brighter, clouds may saturate."""


def pixels_of(tile: Tile) -> npt.NDArray[np.uint16]:
    """Return the pixels (H, W, bands) uint16 of a tile; ValueError if it holds another number."""
    return pixel_array(tile.pixels, tile.height_px, tile.width_px, len(tile.bands))


def pixel_array(
    pixels: bytes | memoryview, height_px: int, width_px: int, bands: int = len(BANDS)
) -> npt.NDArray[np.uint16]:
    """Return a tile's bytes as (H, W, bands) uint16, read only; ValueError if they do not fit."""
    return np.frombuffer(pixels, dtype="<u2").reshape(height_px, width_px, bands)


def pixel_bytes(pixels: npt.NDArray[np.uint16]) -> bytes:
    """Return the bytes of ``Tile.pixels`` for an array (H, W, 6)."""
    return np.ascontiguousarray(pixels, dtype="<u2").tobytes()


def quicklook(
    pixels: npt.NDArray[np.uint16], bands: Sequence[str] = BANDS
) -> npt.NDArray[np.uint8]:
    """Return the true-colour picture (H, W, 3) uint8 of a tile (H, W, bands).

    A camera without one of the three colours shows its first band in grey.
    """
    seen = all(name in bands for name in RED_GREEN_BLUE)
    chosen = [bands.index(name) for name in RED_GREEN_BLUE] if seen else [0, 0, 0]
    rgb = pixels[..., chosen].astype(np.uint32)
    return np.minimum(rgb * 255 // WHITE_DN, 255).astype(np.uint8)
