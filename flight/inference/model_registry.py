"""The model registry: networks leave it only as bytes whose SHA-256 the manifest confirms.

Loading from verified bytes, never from a path, leaves no moment between check and use.
Does not import ONNX Runtime.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

DEFAULT_ROOT = Path(__file__).parent / "models"
MANIFEST_NAME = "manifest.json"
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


class ModelRegistry:
    """The models below one folder: ``<root>/<name>/manifest.json`` and the files it names."""

    def __init__(self, root: Path = DEFAULT_ROOT) -> None:
        self._root = root

    def names(self) -> tuple[str, ...]:
        """Return the names of all models that have a manifest, sorted."""
        return tuple(sorted(path.parent.name for path in self._root.glob(f"*/{MANIFEST_NAME}")))

    def manifest(self, name: str) -> Manifest:
        """Return the typed manifest of ``name``; raises ``ModelError``."""
        path = self._root / name / MANIFEST_NAME
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise ModelError(f"{path}: no such model (known: {known})")
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError) as error:
            raise ModelError(f"{path}: manifest not readable: {error}") from error
        if manifest.format != 1:
            raise ModelError(f"{path}: manifest format {manifest.format} is not 1")
        return manifest

    def load(self, name: str, variant: str) -> ModelBytes:
        """Return the bytes of one variant, verified; raises ``ModelError``."""
        manifest = self.manifest(name)
        if variant not in manifest.variants:
            known = ", ".join(sorted(manifest.variants))
            raise ModelError(f"model {name}: no variant {variant!r} (known: {known})")
        entry = manifest.variants[variant]
        path = self._root / name / Path(entry.file).name
        try:
            with path.open("rb") as file:
                data = file.read(MODEL_BYTES_MAX + 1)
        except OSError as error:
            raise ModelError(f"{path}: not readable: {error.strerror}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != entry.sha256:
            raise ModelError(f"{path}: SHA-256 expected {entry.sha256}, found {found}")
        return ModelBytes(name, variant, found, data, manifest)
