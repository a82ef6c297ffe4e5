"""From a network's output to bytes: judged, cut, packed, drawn. Hop "screened" of image → ground.

Pure. Done where the network runs: in the worker process of a board, in the engine of the bench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from flight.inference.integrity import judge_output
from flight.inference.job import BANDS, Plausibility, Screening
from flight.inference.mask_product import cloud_permille, mask_bits
from flight.inference.png_image import encode
from flight.inference.tile_pixels import pixels_of, quicklook

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from flight.inference.job import Job


class Session(Protocol):
    """A network ready to run: (H, W, 6) uint16 in, (H, W) float32 probability out."""

    def run(self, pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
        """Return the cloud probability; raises ``ModelError``."""
        ...


class ScreeningSession:
    """A network and the screening of what it says."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def screen(self, job: Job) -> Screening:
        """Run the network on the job's tile and screen its output; raises ``ModelError``."""
        pixels = pixels_of(job.tile)
        probability = self._session.run(pixels)
        return screen(
            pixels, probability, job.threshold, job.quicklook_cloud_permille_max, job.tile.bands
        )


def screen(
    pixels: npt.NDArray[np.uint16],
    probability: npt.NDArray[np.float32],
    threshold: float,
    quicklook_cloud_permille_max: int,
    bands: Sequence[str] = BANDS,
) -> Screening:
    """Return what the flight process needs of one output, for a tile (H, W, bands).

    Cloud is ``probability`` (H, W) at or above ``threshold``.
    """
    height, width = pixels.shape[:2]
    verdict = judge_output(probability, (height, width))
    if verdict is not Plausibility.PLAUSIBLE:
        return Screening(verdict)
    cloud = np.asarray(probability >= np.float32(threshold))
    permille = cloud_permille(cloud)
    seen = permille <= quicklook_cloud_permille_max
    picture = encode(quicklook(pixels, bands)) if seen else None
    return Screening(verdict, permille, mask_bits(cloud), picture)
