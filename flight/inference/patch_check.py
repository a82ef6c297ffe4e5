"""A corner of the tile computed again: whether the run before it was sound. Pure.

A fault that is gone before anybody looks leaves weights and golden tiles as they were; only a
second run can see it. A convolution uses each weight for every pixel, so a small part of the tile
tells of the whole: a patch in a corner has two edges in common with the tile, and as far from its
other two as the network sees, its answer is the tile's. How far that is and how closely the two
agree is measured when the network is loaded, on golden tiles. Of the four corners it is the one
whose answer is nearest to half cloud, half clear: there most of the network has something to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.integrity import PATTERNS, golden_tile
from flight.inference.model_manifest import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Run = Callable[[npt.NDArray[np.uint16]], npt.NDArray[np.float32]]

SIDES_PX = (32, 48, 64)
TILE_SHARE = 16
"""A patch has at most this part of the tile's pixels: about 7 per cent of a run's time."""
VALID_PX_MIN, VALID_PX_WANTED = 8, 24
"""The side of what is compared, at least, and where the tile is large enough."""
MARGIN_PX_MAX = 32
"""Of a network that sees farther most of a patch would be computed and not compared."""
TRIAL_SIDE_PX = 128
ALIKE = 1e-6
"""Beyond the network's sight the answers differ by rounding alone, if at all."""
TOLERANCE_MIN, TOLERANCE_MAX, SAFETY = 1e-5, 0.05, 4.0
CORNERS = ((False, False), (True, True), (False, True), (True, False))
"""(at the lower edge, at the right edge)."""


@dataclass(slots=True)
class PatchCheck:
    """How a network's patches are held against its tiles.

    Attributes:
        margin_px: how far from an edge of the patch that is none of the tile its answer differs.
        tolerance: of a probability.
        multiple_px: what sides are multiples of.
    """

    margin_px: int
    tolerance: float
    multiple_px: int

    def side_px(self, shape: tuple[int, int]) -> int:
        """Of the patch of a tile (H, W); 0 where there is none that is small and wide enough."""
        found = 0
        for side in SIDES_PX:
            fits = side * side * TILE_SHARE <= shape[0] * shape[1] and side <= min(shape)
            if fits and not side % self.multiple_px and side - self.margin_px >= VALID_PX_MIN:
                found = side
                if side - self.margin_px >= VALID_PX_WANTED:
                    break
        return found

    def apart(
        self, run: Run, pixels: npt.NDArray[np.uint16], answer: npt.NDArray[np.float32]
    ) -> float:
        """By how much a corner's answer is another than the tile's; beyond `tolerance` is a fault.

        0 for a tile that has no patch; raises ``ModelError``.
        """
        side = self.side_px(answer.shape[:2])
        if not side:
            return 0.0
        found = difference(run, pixels, answer, side, mixed_corner(answer, side))
        return _worst(found[: side - self.margin_px, : side - self.margin_px])

    def excuse(self, apart: float) -> None:
        """This much was proved to be no fault."""
        self.tolerance = min(TOLERANCE_MAX, max(self.tolerance, 2.0 * apart))


def patch_check(run: Run, *, bands: Sequence[str], multiple_px: int) -> PatchCheck | None:
    """What holds for a fresh network; None where a patch says nothing of the tile.

    That is a network that answers for the whole tile, one of a fixed size, and one that sees so far
    that no patch is wide enough.
    """
    trial_px = -(-TRIAL_SIDE_PX // multiple_px) * multiple_px
    patch_px = max((side for side in SIDES_PX if not side % multiple_px), default=0)
    if not patch_px or 2 * patch_px > trial_px:
        return None
    found = []
    try:
        for pattern in PATTERNS:
            tile = golden_tile(trial_px, pattern, bands=bands)
            answer = run(tile)
            if not all(answer.strides):
                return None
            found += [difference(run, tile, answer, patch_px, corner) for corner in CORNERS]
    except ModelError:
        return None
    worst = np.max(found, axis=0)
    sees_px = next((r for r in range(patch_px) if _worst(worst[: patch_px - r, : patch_px - r])
                    <= ALIKE), patch_px)  # fmt: skip
    if sees_px > MARGIN_PX_MAX or patch_px - sees_px < VALID_PX_MIN:
        return None
    inside = _worst(worst[: patch_px - sees_px, : patch_px - sees_px])
    return PatchCheck(sees_px, max(TOLERANCE_MIN, SAFETY * inside), multiple_px)


def difference(
    run: Run,
    pixels: npt.NDArray[np.uint16],
    answer: npt.NDArray[np.float32],
    side: int,
    corner: tuple[bool, bool],
) -> npt.NDArray[np.float32]:
    """|patch - tile| (side, side), turned so that the corner of the tile comes first."""
    low, right = corner
    where = _at(corner, side)
    found = np.abs(run(np.ascontiguousarray(pixels[where])) - answer[where])
    return np.asarray(found[:: -1 if low else 1, :: -1 if right else 1], dtype=np.float32)


def mixed_corner(answer: npt.NDArray[np.float32], side: int) -> tuple[bool, bool]:
    """The corner whose mean is nearest to a half; the first of equal ones."""
    return min(CORNERS, key=lambda corner: abs(float(answer[_at(corner, side)].mean()) - 0.5))


def _at(corner: tuple[bool, bool], side: int) -> tuple[slice, slice]:
    low, right = corner
    rows = slice(-side, None) if low else slice(side)
    return rows, slice(-side, None) if right else slice(side)


def _worst(found: npt.NDArray[np.float32]) -> float:
    """The largest; what is no number is as bad as can be."""
    worst = float(found.max())
    return worst if worst == worst else float("inf")  # noqa: PLR0124  NaN
