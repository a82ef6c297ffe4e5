"""Is this answer worth sending? Plausibility of an output and the golden-tile self-test. Pure.

Together with the digests of the registry these catch most weight faults that change a mask; a
golden tile alone was measured to catch three quarters of them, so it never stands alone.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.job import BANDS, Plausibility

if TYPE_CHECKING:
    import numpy.typing as npt

    from flight.inference.model_registry import Golden

CONSTANT_SPREAD = 1e-7
"""An output whose values span less than this came from a dead network, not from a picture."""


def judge_output(
    probability: npt.NDArray[np.float32], shape: tuple[int, int], *, uniform_input: bool = False
) -> Plausibility:
    """Judge one output (H, W) of a tile of ``shape``.

    ``uniform_input`` says that the tile itself is constant, so that a constant answer is right.
    """
    if probability.shape != shape or probability.size == 0:
        return Plausibility.WRONG_SHAPE
    if not bool(np.isfinite(probability).all()):
        return Plausibility.NOT_FINITE
    low, high = float(probability.min()), float(probability.max())
    if low < 0.0 or high > 1.0:
        return Plausibility.OUT_OF_RANGE
    if high - low < CONSTANT_SPREAD and not uniform_input:
        return Plausibility.CONSTANT
    return Plausibility.PLAUSIBLE


def golden_tile(side_px: int) -> npt.NDArray[np.uint16]:
    """Return the built-in test tile (side, side, 6) uint16: integer arithmetic, equal everywhere.

    A bright round cloud over a textured land and dark water spectrum, so that every band and both
    answers are exercised.
    """
    land = np.array([900, 1000, 1100, 2600, 2300, 1400], dtype=np.int64)
    water = np.array([1000, 800, 500, 300, 150, 100], dtype=np.int64)
    cloud = np.array([5200, 5000, 5100, 5600, 3900, 3000], dtype=np.int64)
    row, col = np.mgrid[0:side_px, 0:side_px].astype(np.int64)
    ground = np.where((3 * col > 2 * side_px)[..., None], water, land)
    texture = ((row * 7919 + col * 104_729 + row * col * 31) % 257) - 128
    ground = ground + (ground * texture[..., None]) // 1024
    reach = (2 * row - side_px) ** 2 + (2 * col - side_px) ** 2
    share = np.clip(1024 - (reach * 1024) // (side_px * side_px // 2), 0, 1024)[..., None]
    mixed = (ground * (1024 - share) + cloud * share) // 1024
    assert mixed.shape[2] == len(BANDS)
    return np.asarray(np.clip(mixed, 0, 65_535), dtype=np.uint16)


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
