"""The model registry: networks leave it only as bytes whose SHA-256 the manifest confirms.

Loading from verified bytes, never from a path, leaves no moment between check and use.
Does not import ONNX Runtime.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flight.inference.model_manifest import (
    MODEL_BYTES_MAX,
    NAME_BYTES_MAX,
    Manifest,
    ModelBytes,
    ModelError,
    decode_manifest,
)

if TYPE_CHECKING:
    from flight.config import InferenceConfig

DEFAULT_ROOT = Path(__file__).parent / "models"
MANIFEST_NAME = "manifest.json"
AUTO = "auto"
AUTO_VARIANTS = ("fp32", "int8")
"""Of equal worth, so that the faster one of a board may fly."""
SCREEN_VARIANT = "small"
"""The cheap network that looks first."""


class DamagedModelError(ModelError):
    """A model that is there and known cannot be used: unreadable, or not what its digest says."""


class ModelRegistry:
    """The models below one folder: ``<root>/<name>/manifest.json`` and the files it names."""

    def __init__(self, root: Path = DEFAULT_ROOT) -> None:
        self._root = root

    def names(self) -> tuple[str, ...]:
        """Return the names of all models that have a manifest, sorted."""
        return tuple(sorted(path.parent.name for path in self._root.glob(f"*/{MANIFEST_NAME}")))

    def manifest(self, name: str) -> Manifest:
        """Return the typed manifest of ``name``, by which it goes; raises ``ModelError``."""
        path = self._root / name / MANIFEST_NAME
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise ModelError(f"{path}: no such model (known: {known})")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DamagedModelError(f"{path}: manifest not readable: {error}") from error
        try:
            manifest = decode_manifest(data)
        except ModelError as error:
            raise DamagedModelError(f"{path}: {error}") from error
        if not manifest.variants:
            raise DamagedModelError(f"{path}: no variants")
        # A model has one name: two would make two models of one file and its stored copies.
        return msgspec.structs.replace(manifest, name=name)

    def crew(self, name: str, variant: str, *, screened: bool) -> tuple[ModelBytes, ...]:
        """Return every network that a node has to hold, the one that flies first of all.

        ``variant`` may be `AUTO`: of several then the fastest flies. Raises ``ModelError``.
        """
        wanted = [variant]
        if variant == AUTO:
            known = self.manifest(name).variants
            wanted = [each for each in AUTO_VARIANTS if each in known] or sorted(known)[:1]
        if screened and SCREEN_VARIANT not in wanted:
            wanted.append(SCREEN_VARIANT)
        return tuple(self.load(name, each) for each in wanted)

    def load(self, name: str, variant: str) -> ModelBytes:
        """Return the bytes of one variant, verified; raises ``ModelError``."""
        manifest = self.manifest(name)
        if variant not in manifest.variants:
            known = ", ".join(sorted(manifest.variants))
            raise ModelError(f"model {name}: no variant {variant!r} (known: {known})")
        if len(variant.encode()) > NAME_BYTES_MAX:
            raise ModelError(
                f"model {name}: variant {variant!r}; allowed: up to {NAME_BYTES_MAX} octets"
            )
        entry = manifest.variants[variant]
        if "\0" in entry.file:
            raise DamagedModelError(f"model {name}: file = {entry.file!r} is no name of a file")
        path = self._root / name / Path(entry.file).name
        try:
            with path.open("rb") as file:
                data = file.read(MODEL_BYTES_MAX + 1)
        except OSError as error:
            raise DamagedModelError(f"{path}: not readable: {error.strerror}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != entry.sha256:
            raise DamagedModelError(f"{path}: SHA-256 expected {entry.sha256}, found {found}")
        return ModelBytes(name, variant, found, data, manifest)


def registry_of(inference: InferenceConfig) -> ModelRegistry:
    """The registry that a configuration names."""
    return ModelRegistry(Path(inference.models).expanduser() if inference.models else DEFAULT_ROOT)


def crew_of(inference: InferenceConfig) -> tuple[ModelBytes, ...]:
    """Every network that a configuration has a node hold; raises ``ModelError``."""
    registry = registry_of(inference)
    return registry.crew(inference.model, inference.variant, screened=inference.cascade)


def read_again(inference: InferenceConfig, model: ModelBytes) -> ModelBytes | None:
    """The stored copy of a model, read and verified once more; None if it is no good either."""
    try:
        return registry_of(inference).load(model.name, model.variant)
    except ModelError:
        return None
