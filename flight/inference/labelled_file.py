"""Labelled tile files: the one reader of (``img``, ``msk``) npz files, for evaluation and training.

Layout: ``img`` (H, W, 6) float32 reflectance 0..1, ``msk`` (H, W, 1) uint8 with classes 0 shadow,
4 cloud, any other clear (the layout of the public ukis-csmask test tiles, DLR, Apache-2.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from flight.inference.job import BANDS, REFLECTANCE_SCALE
from flight.inference.npz_arrays import read_npz
from flight.inference.npz_members import NpzError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

CLOUD_CLASS = 4
REFLECTANCE_MIN, REFLECTANCE_MAX = -0.5, 5.0
"""Outside of these the array is not a reflectance on the 0..1 scale (bright ice reaches 1.5)."""
FILE_BYTES_MAX = 2 * 1024**3


class LabelledFileError(Exception):
    """The file is not a labelled tile; the message is one line naming file and fault."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledTile:
    """``reflectance`` (H, W, 6) float32 finite, ``classes`` (H, W) uint8."""

    name: str
    reflectance: npt.NDArray[np.float32]
    classes: npt.NDArray[np.uint8]

    @property
    def cloud(self) -> npt.NDArray[np.bool_]:
        """The expert's cloud mask (H, W)."""
        return np.asarray(self.classes == CLOUD_CLASS)

    @property
    def pixels(self) -> npt.NDArray[np.uint16]:
        """The tile as flown: reflectance x 10 000, rounded and clipped to uint16."""
        scaled = np.rint(self.reflectance.astype(np.float64) * REFLECTANCE_SCALE)
        return np.clip(scaled, 0, 65_535).astype(np.uint16)


def read_labelled_file(path: Path) -> LabelledTile:
    """Read and check one labelled tile; raises ``LabelledFileError`` only."""
    arrays = _arrays(path)
    for key in ("img", "msk"):
        if key not in arrays:
            raise LabelledFileError(f"{path}: no array {key!r}; a labelled tile has img and msk")
    image, mask = arrays["img"], arrays["msk"]
    if image.ndim != 3 or image.shape[2] != len(BANDS) or 0 in image.shape:
        raise LabelledFileError(f"{path}: img has shape {image.shape}, wanted (H, W, {len(BANDS)})")
    if mask.shape != (*image.shape[:2], 1):
        raise LabelledFileError(
            f"{path}: msk has shape {mask.shape}, wanted {(*image.shape[:2], 1)} to match img"
        )
    if image.dtype != np.float32 or mask.dtype != np.uint8:
        raise LabelledFileError(
            f"{path}: img is {image.dtype} and msk {mask.dtype}, wanted float32 and uint8"
        )
    if not bool(np.isfinite(image).all()):
        raise LabelledFileError(f"{path}: img has values that are not finite")
    if float(image.min()) < REFLECTANCE_MIN or float(image.max()) > REFLECTANCE_MAX:
        raise LabelledFileError(
            f"{path}: img spans {image.min():.3g}..{image.max():.3g}, wanted reflectance 0..1"
        )
    return LabelledTile(path.stem, image, np.ascontiguousarray(mask[..., 0]))


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return img and msk of an npz file, as far as they are there."""
    try:
        with path.open("rb") as file:
            return read_npz(file, ("img", "msk"), FILE_BYTES_MAX)
    except OSError as error:
        raise LabelledFileError(f"{path}: not readable: {error.strerror or error}") from error
    except NpzError as error:
        raise LabelledFileError(f"{path}: not a labelled tile: {error}") from error
