"""The values of the image flow: ``Tile`` -> ``Job`` -> ``Result`` (hop "typed" of image → ground).

Pure values and the one protocol between the inference service and whatever runs the network.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

BANDS = ("B2", "B3", "B4", "B8", "B11", "B12")
"""Sentinel-2 band names of the last axis: blue, green, red, NIR, SWIR 1.6 um, SWIR 2.2 um."""
REFLECTANCE_SCALE = 10_000
"""Digital numbers per unit of top-of-atmosphere reflectance (Sentinel-2 L1C convention)."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One captured image tile.

    ``pixels`` is (H, W, 6) uint16, reflectance x 10 000, bands in the order of ``BANDS``;
    ``sha256`` is the digest of its little-endian bytes; ``origin`` names scene, row and column.
    """

    tile_id: int
    captured_ns: int
    pixels: npt.NDArray[np.uint16]
    sha256: bytes
    origin: str
    sunlit: bool = True
    land: bool = True
    synthetic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One admitted piece of work: run ``model_name``/``variant`` on ``tile`` by ``deadline_ns``."""

    job_id: int
    tile: Tile
    model_name: str
    variant: str
    deadline_ns: int | None = None
    value_hint_millis: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What came out: ``cloud_probability`` (H, W) float32 in 0..1, and what it cost.

    ``energy_mj`` is millijoules or None where nothing measures or models it; ``modelled`` says that
    the duration is the board profile's and not this machine's.
    """

    job_id: int
    cloud_probability: npt.NDArray[np.float32]
    model_hash: str
    started_ns: int
    finished_ns: int
    energy_mj: int | None
    duration_ms: float
    modelled: bool = field(default=False)


class InferenceFailure(Enum):
    """Why a job gave no result; each has its own counter in the engine."""

    TIMEOUT = "timeout"
    WORKER_DIED = "worker_died"
    MODEL_ERROR = "model_error"
    CORRUPT_RESULT = "corrupt_result"
    TILE_TOO_LARGE = "tile_too_large"
    UNKNOWN_MODEL = "unknown_model"
    CLOSED = "closed"


class InferenceError(Exception):
    """A job failed; ``kind`` says how, the message says it in one line."""

    def __init__(self, kind: InferenceFailure, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class InferenceEngine(Protocol):
    """Runs one job at a time. Raises ``InferenceError`` only; ``close`` may be called twice."""

    async def run(self, job: Job) -> Result:
        """Return the result of ``job`` or raise ``InferenceError``."""
        ...

    def close(self) -> None:
        """Release what the engine holds; later runs fail with ``CLOSED``."""
        ...


def pixel_digest(pixels: npt.NDArray[np.uint16]) -> bytes:
    """Return the SHA-256 of the tile's little-endian bytes, the same on every machine."""
    return hashlib.sha256(np.ascontiguousarray(pixels, dtype="<u2").tobytes()).digest()
