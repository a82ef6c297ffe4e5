"""Between a tile and a network's tensors: how it wants to be fed, and where its answer lies. Pure.

A manifest says it; so a network that somebody else trained flies without a line of code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flight.inference.job import BANDS
from flight.inference.model_manifest import (
    PER_TILE,
    PIXEL_ROWS,
    InputLayout,
    Manifest,
    ModelError,
    OutputLayout,
    layout_fault,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

FIRST_OUTPUT = OutputLayout()


class NetworkInterface:
    """Feeds one network tiles of ``tile_bands`` and reads its answer as (H, W) probabilities."""

    def __init__(
        self,
        given: InputLayout,
        taken: OutputLayout = FIRST_OUTPUT,
        *,
        tile_bands: Sequence[str] = BANDS,
    ) -> None:
        self.taken = taken
        self._rows = given.layout == PIXEL_ROWS
        order = [list(tile_bands).index(band) for band in given.bands]
        self._order = None if order == list(range(len(tile_bands))) else order
        self._bands = len(tile_bands)
        self._gain = np.float32(1.0 / given.scale)

    def feed(self, pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Return the input tensor of a tile (H, W, bands): (1, C, H, W), or (H * W, C)."""
        if pixels.ndim != 3 or pixels.shape[2] != self._bands:
            raise ModelError(f"tile shape {pixels.shape} is not (H, W, {self._bands})")
        chosen = pixels if self._order is None else pixels[..., self._order]
        if self._rows:
            rows = chosen.reshape(-1, chosen.shape[2]).astype(np.float32)
            rows *= self._gain
            return rows
        planes = np.ascontiguousarray(chosen.transpose(2, 0, 1), dtype=np.float32)
        planes *= self._gain
        return planes[None]

    def read(
        self, output: npt.NDArray[np.generic], shape: tuple[int, int]
    ) -> npt.NDArray[np.float32]:
        """Return the probability (H, W) in a network's output; raises ``ModelError``.

        What is said of a whole tile is one value seen as (H, W), with strides of nothing.
        """
        values = np.asarray(output, dtype=np.float32)
        height, width = shape
        if self.taken.per == PER_TILE:
            whole = values.shape[:1] == (1,) and (*values.shape, 1)[1] == values.size
            planes = values.reshape(-1, 1, 1) if whole else None
        elif self._rows:
            classes = values.reshape(height * width, -1) if values.size % (height * width) == 0 \
                else None  # fmt: skip
            planes = None if classes is None else classes.T.reshape(-1, height, width)
        else:
            whole = values.ndim == 4 and values.shape[0] == 1 and values.shape[2:] == shape
            planes = values[0] if whole else None
        if planes is None or planes.shape[0] <= self.taken.channel:
            raise ModelError(f"network answered shape {values.shape}")
        return _spread(_activated(planes, self.taken), shape)


def interface_of(manifest: Manifest, tile_bands: Sequence[str] = BANDS) -> NetworkInterface:
    """The interface that a manifest describes; raises ``ModelError`` for what cannot be fed."""
    fault = layout_fault(manifest, tile_bands)
    if fault:
        raise ModelError(fault)
    return NetworkInterface(manifest.input, manifest.output, tile_bands=tile_bands)


def _spread(plane: npt.NDArray[np.float32], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(plane) if plane.shape == shape else np.broadcast_to(plane, shape)


def _activated(planes: npt.NDArray[np.float32], taken: OutputLayout) -> npt.NDArray[np.float32]:
    chosen: npt.NDArray[np.float32] = planes[taken.channel]
    if taken.activation == "sigmoid":
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + np.exp(-chosen)), dtype=np.float32)
    if taken.activation == "softmax":
        raised = np.exp(planes - planes.max(axis=0))
        return np.asarray(raised[taken.channel] / raised.sum(axis=0), dtype=np.float32)
    return chosen
