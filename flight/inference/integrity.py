"""Is this answer worth sending? Plausibility of an output and the golden-tile self-test. Pure.

Together with the digests of the registry these catch most weight faults that change a mask; a
golden tile alone was measured to catch three quarters of them, so it never stands alone.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.job import BANDS, Plausibility

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from flight.inference.model_manifest import Golden

PATTERNS = (0, 1, 2, 3)
"""Of golden tiles."""
_LAND, _WATER = (900, 1000, 1100, 2600, 2300, 1400), (1000, 800, 500, 300, 150, 100)
_CLOUD = (5200, 5000, 5100, 5600, 3900, 3000)
_DESERT, _HAZE = (1900, 2600, 3300, 3900, 4600, 4200), (2900, 2900, 3000, 3300, 2600, 2100)
_SPECTRA = (
    (_LAND, _WATER, _CLOUD),
    (_WATER, _WATER, (8200, 8100, 8000, 8100, 4200, 3000)),
    (_DESERT, _LAND, _HAZE),
    tuple(tuple(value // 6 for value in each) for each in (_LAND, _WATER, _CLOUD)),
)
"""Land, water and cloud of each pattern, in digital numbers of the six bands."""
_CLOUDS = (1, 3, 1, 2)
"""How many clouds stand side by side in each pattern."""
_WATER_FROM = (2, 1, 2, 1)
"""Water begins at so many thirds of the tile's width."""
SOUND = frozenset({Plausibility.PLAUSIBLE, Plausibility.CONSTANT})
"""What a sound network may answer to a golden tile, of which it may see nothing."""
CONSTANT_SPREAD = 1e-7
"""An output whose values span less than this came from a dead network, not from a picture."""


def judge_output(probability: npt.NDArray[np.float32], shape: tuple[int, int]) -> Plausibility:
    """Judge one output (H, W) of a tile of ``shape``.

    One value seen as (H, W), with strides of nothing, is what a network said of the whole tile.
    """
    if probability.shape != shape or probability.size == 0:
        return Plausibility.WRONG_SHAPE
    # Both are what is no number as soon as one value is, and infinite ones are outermost.
    low, high = float(probability.min()), float(probability.max())
    if not math.isfinite(low) or not math.isfinite(high):
        return Plausibility.NOT_FINITE
    if low < 0.0 or high > 1.0:
        return Plausibility.OUT_OF_RANGE
    if high - low < CONSTANT_SPREAD and any(probability.strides):
        return Plausibility.CONSTANT
    return Plausibility.PLAUSIBLE


def golden_tile(
    side_px: int, pattern: int = 0, *, bands: Sequence[str] = BANDS
) -> npt.NDArray[np.uint16]:
    """Return a built-in test tile (side, side, bands) uint16: integer arithmetic, equal everywhere.

    Pattern 0, the manifest's, has a bright round cloud over textured land and dark water; 1 broken
    clouds over the sea, 2 bright desert and thin haze, 3 the first one at dusk: between them they
    drive channels that one picture leaves at rest. What a band shows goes by its name and not by
    its place, so that a network is fed the same whatever else a camera sees.
    """
    land, water, cloud = _SPECTRA[pattern]
    row, col = np.mgrid[0:side_px, 0:side_px].astype(np.int64)
    ground = np.where((3 * col > _WATER_FROM[pattern] * side_px)[..., None], water, land)
    texture = ((row * 7919 + col * 104_729 + row * col * 31) % 257) - 128
    ground = ground + (ground * texture[..., None]) // 1024
    size_px = max(1, side_px // _CLOUDS[pattern])
    reach = (2 * (row % size_px) - size_px) ** 2 + (2 * (col % size_px) - size_px) ** 2
    share = np.clip(1024 - (reach * 1024) // (size_px * size_px // 2 or 1), 0, 1024)[..., None]
    mixed = (ground * (1024 - share) + cloud * share) // 1024
    chosen = mixed[..., [_shown(band) for band in bands]]
    return np.asarray(np.clip(chosen, 0, 65_535), dtype=np.uint16)


def _shown(band: str) -> int:
    """Which of the six spectra's values stands for a band; of an unknown name any, but the same."""
    return BANDS.index(band) if band in BANDS else zlib.crc32(band.encode()) % len(BANDS)


def encode_expected(probability: npt.NDArray[np.float32]) -> str:
    """Return the manifest's form of an expected answer."""
    return base64.b64encode(np.ascontiguousarray(probability, dtype="<f4").tobytes()).decode()


def golden_deviation(golden: Golden, probability: npt.NDArray[np.float32]) -> float:
    """Return the largest absolute deviation from the manifest's expected answer.

    Infinite if the expectation is unreadable or the answer has another shape or is not finite.
    """
    try:
        raw = base64.b64decode(golden.expected_b64, validate=True)
    except (binascii.Error, ValueError):
        return float("inf")
    shape = (golden.side_px, golden.side_px)
    if len(raw) != 4 * shape[0] * shape[1] or probability.shape != shape:
        return float("inf")
    expected = np.frombuffer(raw, dtype="<f4").reshape(shape)
    deviation = float(np.abs(probability.astype(np.float64) - expected).max())
    return deviation if np.isfinite(deviation) else float("inf")


def golden_passes(golden: Golden, probability: npt.NDArray[np.float32]) -> bool:
    """Say whether the answer to ``golden_tile(golden.side_px)`` is within the tolerance."""
    return golden_deviation(golden, probability) <= golden.atol
