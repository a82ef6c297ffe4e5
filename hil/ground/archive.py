"""The ground's archive: rebuilt products as files, each written once and whole.

Last hop of image -> ground. A product becomes `NAME` (its bytes) and `NAME.json` (its manifest);
the second is renamed into place last, so a product exists exactly when its metadata does. A second
delivery of the same product changes nothing and is reported as a duplicate.
"""

from __future__ import annotations

import json
import os
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from flight.wire.product_packet import Manifest, valid_name

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX = ".json"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


class Filed(Enum):
    """What became of a product handed to the archive."""

    NEW = "new"
    DUPLICATE = "duplicate"


class Archive:
    """A folder of products, opened with whatever an earlier session left in it.

    Args:
        folder: made when it does not exist.
        sync: make every product durable before `file` returns; a bench may do without.

    Raises:
        OSError: the folder cannot be used.
    """

    def __init__(self, folder: Path, *, sync: bool = True) -> None:
        self._folder = folder
        self._sync = sync
        self._digests: dict[int, int] = {}
        self._ages_ns: dict[int, int] = {}
        self._names: set[str] = set()
        self.unreadable_metadata = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob(f"*{_SUFFIX}")):
            self._read_metadata(path)

    def __len__(self) -> int:
        return len(self._digests)

    def digest(self, product_id: int) -> int | None:
        """CRC-32C of a product that is archived, or None."""
        return self._digests.get(product_id)

    def age_ns(self, product_id: int) -> int:
        """How old a product was when it was received; 0 for an unknown one."""
        return self._ages_ns.get(product_id, 0)

    def file(self, manifest: Manifest, payload: bytes, received_ns: int) -> Filed:
        """Writes a verified product; idempotent by identity.

        Raises:
            OSError: nothing was filed; the product may be handed over again.
        """
        if manifest.product_id in self._digests:
            return Filed.DUPLICATE
        assert valid_name(manifest.name), "names are checked when manifests are decoded"
        name = manifest.name
        if name in self._names or f"{name}{_SUFFIX}" in self._names:
            name = f"{manifest.product_id}-{name}"
        metadata = msgspec.to_builtins(manifest) | {
            "class": manifest.klass.name,
            "file": name,
            "received_ns": received_ns,
        }
        text = msgspec.json.format(msgspec.json.encode(metadata, order="sorted"), indent=1) + b"\n"
        self._write(name, payload)
        self._publish(f"{name}{_SUFFIX}", text)
        self._note(manifest.product_id, manifest.crc32c, name)
        self._ages_ns[manifest.product_id] = received_ns - manifest.created_ns
        return Filed.NEW

    def _note(self, product_id: int, digest: int, name: str) -> None:
        self._digests[product_id] = digest
        self._names.update((name, f"{name}{_SUFFIX}"))

    def _write(self, name: str, content: bytes) -> None:
        """One file under its name; without its metadata it is not yet a product."""
        file = os.open(f"{self._folder}/{name}", _NEW_FILE, 0o644)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
            if self._sync:
                os.fsync(file)
        finally:
            os.close(file)

    def _publish(self, name: str, metadata: bytes) -> None:
        """The metadata appears whole or not at all, and with it the product."""
        partial = f".{name}.part"
        self._write(partial, metadata)
        (self._folder / partial).replace(self._folder / name)
        if self._sync:
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _read_metadata(self, path: Path) -> None:
        try:
            metadata = json.loads(path.read_bytes())
            product_id = metadata["product_id"]
            self._note(product_id, metadata["crc32c"], metadata["file"])
            self._ages_ns[product_id] = int(metadata["received_ns"] - metadata["created_ns"])
        except (ValueError, TypeError, KeyError):
            # A product whose own name ends in .json is no metadata; anything else is worth a look.
            if not path.with_name(path.name + _SUFFIX).exists():
                self.unreadable_metadata += 1
