"""What is said of a network: its manifest as values, and its verified bytes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

MODEL_BYTES_MAX = 256 * 1024 * 1024
MULTIPLE_PX_MAX = 256
PLANES, PIXEL_ROWS = "NCHW float32", "pixels float32"


class ModelError(Exception):
    """A model is missing, corrupt or not understood; the message is one line naming the file."""


class Golden(msgspec.Struct, frozen=True):
    """Expected answer of one variant to the built-in golden tile.

    ``expected_b64`` is base64 of little-endian float32 probabilities, row by row.
    """

    side_px: int
    atol: float
    expected_b64: str


class Variant(msgspec.Struct, frozen=True):
    """One file of a model: name in its folder, digest, size and golden answer.

    ``multiple_px`` is what the tile's sides must be multiples of, 0 where the model's own holds.
    """

    file: str
    sha256: str
    size_bytes: int
    golden: Golden
    multiple_px: int = 0


class InputLayout(msgspec.Struct, frozen=True):
    """What a network wants to be fed: reflectance = digital number / scale, as float32.

    ``layout`` is `PLANES`, (1, bands, H, W), or `PIXEL_ROWS`, (H * W, bands).
    """

    layout: str
    bands: tuple[str, ...]
    scale: int
    multiple_px: int


class OutputLayout(msgspec.Struct, frozen=True):
    """Where the cloud probability lies in what a network answers.

    ``name`` is the output's, the first one if empty; ``channel`` its plane or column;
    ``activation`` what is still to be done: "none", "sigmoid", or "softmax" over the channels.
    """

    name: str = ""
    channel: int = 0
    activation: str = "none"


class Manifest(msgspec.Struct, frozen=True):
    """The manifest beside the network files: identity, interface, provenance, figures."""

    format: int
    name: str
    version: str
    input: InputLayout
    threshold: float
    classes: tuple[str, ...]
    variants: dict[str, Variant]
    metrics: dict[str, Any]
    training: dict[str, Any]
    data_sources: list[dict[str, Any]]
    licence: str
    protection: dict[str, Any] = {}
    output: OutputLayout = OutputLayout()


@dataclass(frozen=True, slots=True)
class ModelBytes:
    """Verified bytes of one variant; ``sha256`` is the hex digest that they were held against."""

    name: str
    variant: str
    sha256: str
    data: bytes
    manifest: Manifest
