"""How good a mask is: IoU, F1 and accuracy of a cloud mask against a reference mask. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Figures of one comparison, each 0..1; two empty masks agree perfectly."""

    iou: float
    f1: float
    accuracy: float


def accuracy_of(mask: npt.NDArray[np.bool_], reference: npt.NDArray[np.bool_]) -> Accuracy:
    """Compare two boolean masks of equal shape (Jaccard index, Dice/F1, share of equal pixels)."""
    if mask.shape != reference.shape:
        raise ValueError(f"mask shape {mask.shape} is not the reference's {reference.shape}")
    both = int(np.count_nonzero(mask & reference))
    either = int(np.count_nonzero(mask | reference))
    if either == 0:
        return Accuracy(1.0, 1.0, 1.0)
    return Accuracy(
        iou=both / either,
        f1=2 * both / (either + both),
        accuracy=int(np.count_nonzero(mask == reference)) / mask.size,
    )
