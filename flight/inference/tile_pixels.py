"""Tiles as arrays, for the network's side, the bench and the ground: not for the flight process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flight.inference.job import BANDS

if TYPE_CHECKING:
    import numpy.typing as npt

    from flight.inference.job import Tile

RED_GREEN_BLUE = [BANDS.index(name) for name in ("B4", "B3", "B2")]
WHITE_DN = 4000
"""Reflectance 0.4 is shown white: land is seldom brighter, clouds may saturate."""


def pixels_of(tile: Tile) -> npt.NDArray[np.uint16]:
    """Return the pixels (H, W, 6) uint16 of a tile; ValueError if it holds another number."""
    return pixel_array(tile.pixels, tile.height_px, tile.width_px)


def pixel_array(pixels: bytes, height_px: int, width_px: int) -> npt.NDArray[np.uint16]:
    """Return a tile's bytes as (H, W, 6) uint16, read only; ValueError if they do not fit."""
    return np.frombuffer(pixels, dtype="<u2").reshape(height_px, width_px, len(BANDS))


def pixel_bytes(pixels: npt.NDArray[np.uint16]) -> bytes:
    """Return the bytes of ``Tile.pixels`` for an array (H, W, 6)."""
    return np.ascontiguousarray(pixels, dtype="<u2").tobytes()


def quicklook(pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Return the true-colour picture (H, W, 3) uint8 of a tile (H, W, 6)."""
    rgb = pixels[..., RED_GREEN_BLUE].astype(np.uint32)
    return np.minimum(rgb * 255 // WHITE_DN, 255).astype(np.uint8)
