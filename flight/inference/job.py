"""The values of the image flow: ``Tile`` -> ``Job`` -> ``Result`` (hop "typed" of image → ground).

Pure values and the one protocol between the inference service and whatever runs the network.
Pixels and masks are bytes here: the flight process carries pictures and looks at none, so the array
library stays with whoever runs the network.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.inference.model_manifest import ModelBytes

BANDS = ("B2", "B3", "B4", "B8", "B11", "B12")
"""Sentinel-2 band names of the last axis: blue, green, red, NIR, SWIR 1.6 um, SWIR 2.2 um."""
REFLECTANCE_SCALE = 10_000
"""Digital numbers per unit of top-of-atmosphere reflectance (Sentinel-2 L1C convention)."""
BAND_BYTES = 2
"""One uint16."""
TILE_BYTES_A_PX = BAND_BYTES * len(BANDS)
"""Of a tile of these bands."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One captured image tile.

    ``pixels`` are the bytes of (H, W, bands) uint16, little-endian, row by row, the bands of a
    pixel together in the order of ``bands``: reflectance x 10 000. ``sha256`` is their digest;
    ``origin`` names scene, row and column.
    """

    tile_id: int
    captured_ns: int
    pixels: bytes
    height_px: int
    width_px: int
    sha256: bytes
    origin: str
    sunlit: bool = True
    land: bool = True
    synthetic: bool = False
    bands: tuple[str, ...] = BANDS
    crc32c: int | None = None
    """Of ``pixels`` as they were taken; the worker computes from no others. None where
    whoever made the tile did not take it."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One admitted piece of work: run ``model_name``/``variant`` on ``tile`` by ``deadline_ns``.

    A pixel is cloud from probability ``threshold`` on; a quick-look is drawn of tiles with at most
    ``quicklook_cloud_permille_max`` thousandths of cloud. ``twice`` has a second session confirm
    the answer: for tiles that are worth it. ``cloud_permille_before`` is what a cheaper network has
    found, None where none has looked.
    """

    job_id: int
    tile: Tile
    model_name: str
    variant: str
    deadline_ns: int | None = None
    value_hint_millis: int = 0
    threshold: float = field(kw_only=True)
    quicklook_cloud_permille_max: int = field(kw_only=True)
    twice: bool = field(default=False, kw_only=True)
    cloud_permille_before: int | None = field(default=None, kw_only=True)


class Plausibility(Enum):
    """Verdict on one output of a network."""

    PLAUSIBLE = "plausible"
    WRONG_SHAPE = "wrong_shape"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Screening:
    """What whoever ran the network made of its output, as bytes that only need a header.

    ``mask_bits`` is the part of the mask product that is the same for every tile with this picture
    (`result_products`); ``quicklook_png`` is None where too little ground is seen. Only a plausible
    output has either.
    """

    verdict: Plausibility
    cloud_permille: int = 0
    mask_bits: bytes = b""
    quicklook_png: bytes | None = None


@dataclass(frozen=True, slots=True)
class Care:
    """What it took to trust an answer.

    Attributes:
        repaired: pieces of weights written again from the stored copy.
        reruns: runs after the first.
        rebuilds: sessions built again.
        confirmed: a second session with weights of its own gave the same answer.
        restarts: worker processes started anew because the last one gave up.
        doubt: why it was looked at twice; "" when nothing was wrong.
    """

    repaired: int = 0
    reruns: int = 0
    rebuilds: int = 0
    confirmed: bool = False
    doubt: str = ""
    restarts: int = 0

    def after(self, before: Care) -> Care:
        """This one and what was found before it and not told yet."""
        doubts = {*self.doubt.split(", "), *before.doubt.split(", ")} - {""}
        return Care(
            self.repaired + before.repaired,
            self.reruns + before.reruns,
            self.rebuilds + before.rebuilds,
            self.confirmed,
            ", ".join(sorted(doubts)),
            self.restarts + before.restarts,
        )


NO_CARE = Care()


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What came out, already screened, and what it cost.

    ``energy_mj`` is millijoules or None where nothing measures or models it; ``modelled`` says that
    the duration is the board profile's and not this machine's, ``energy_modelled`` the same of the
    energy; ``care`` is what it took to trust the answer; ``provider`` is what computed, "" in
    simulation.
    """

    job_id: int
    screening: Screening
    model_hash: str
    started_ns: int
    finished_ns: int
    energy_mj: int | None
    duration_ms: float
    modelled: bool = field(default=False)
    energy_modelled: bool = field(default=False)
    care: Care = NO_CARE
    provider: str = ""


class InferenceFailure(Enum):
    """Why a job gave no result; each has its own counter in the engine."""

    TIMEOUT = "timeout"
    WORKER_DIED = "worker_died"
    MODEL_ERROR = "model_error"
    CORRUPT_RESULT = "corrupt_result"
    TILE_TOO_LARGE = "tile_too_large"
    UNKNOWN_MODEL = "unknown_model"
    UNTRUSTED = "untrusted"
    CLOSED = "closed"


class InferenceError(Exception):
    """A job failed; ``kind`` says how, the message says it in one line."""

    def __init__(self, kind: InferenceFailure, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class InferenceEngine(Protocol):
    """Runs jobs. Raises ``InferenceError`` only; ``close`` may be called twice.

    Attributes:
        depth: jobs that it takes at a time.
    """

    depth: int

    async def run(self, job: Job) -> Result:
        """Return the result of ``job`` or raise ``InferenceError``."""
        ...

    async def trial(self, candidate: ModelBytes) -> str:
        """Say why a model cannot be flown, "" if it can; what flies goes on."""
        ...

    async def adopt(self, models: Sequence[ModelBytes]) -> None:
        """Hold these models from the next job on, and no others."""
        ...

    def close(self) -> None:
        """Release what the engine holds; later runs fail with ``CLOSED``."""
        ...


def pixel_digest(pixels: bytes) -> bytes:
    """Return the SHA-256 of a tile's bytes, the same on every machine."""
    return hashlib.sha256(pixels).digest()
