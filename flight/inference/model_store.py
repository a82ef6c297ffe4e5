"""Models in the data folder: two copies of each, and the record of which one flies.

A copy that is damaged is written again from the other one. Files are replaced whole and durably;
a power cut leaves the one before or the one after.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flight.inference.model_deck import (
    FACTORY,
    ModelSlots,
    decode_slots,
    encode_slots,
)
from flight.inference.model_manifest import ModelBytes, ModelError, bundle_of, unpack_bundle

if TYPE_CHECKING:
    from pathlib import Path

COPIES = (1, 2)
RECORD = "slots"
FOLDER = "models"


class ModelStore:
    """The folder.

    Args:
        factory: the model that came with the software; kept here as well, so that it has two
            copies like any other.

    Attributes:
        slots: the record in force.
        mended: copies written again since the last time somebody asked, "file: why".
    """

    def __init__(self, folder: Path, factory: ModelBytes) -> None:
        """Open or make the folder; raises ``OSError``."""
        self._folder = folder
        self._factory = factory
        folder.mkdir(parents=True, exist_ok=True)
        self.mended: list[str] = []
        self.slots = self._read_record()
        self._keep_factory()

    def write_record(self, slots: ModelSlots) -> None:
        """Make a new record durable, then let it count; raises ``OSError``."""
        for copy in COPIES:
            self._write(f"{RECORD}-{copy}", encode_slots(slots))
        self.slots = slots

    def write(self, slot: str, bundle: bytes) -> None:
        """Put a bundle into a slot, both copies; raises ``OSError``."""
        for copy in COPIES:
            self._write(_file(slot, copy), bundle)

    def load(self, slot: str) -> ModelBytes:
        """Return the model in a slot from the better copy, mending the other one.

        Raises ``ModelError``: no copy is good.
        """
        found = [self._copy(slot, copy) for copy in COPIES]
        good = next((each for each in found if isinstance(each, bytes)), None)
        if good is None:
            if slot == FACTORY:
                return self._factory
            raise ModelError(f"slot {slot}: {'; '.join(str(each) for each in found)}")
        for copy, each in zip(COPIES, found, strict=True):
            if not isinstance(each, bytes):
                self._mend(_file(slot, copy), good, str(each))
        return unpack_bundle(good).model

    def bundle(self, slot: str) -> bytes:
        """Return the bundle in a slot; raises ``ModelError``."""
        return bundle_of(self.load(slot))

    def other_copy(self, model: ModelBytes) -> ModelBytes | None:
        """Return the second stored copy of a model that is kept here, or None."""
        for slot in (FACTORY, "a", "b"):
            second = self._copy(slot, COPIES[1])
            if isinstance(second, bytes) and unpack_bundle(second).model.sha256 == model.sha256:
                return unpack_bundle(second).model
        return None

    def _copy(self, slot: str, copy: int) -> bytes | ModelError:
        """One copy if it is good, else what is wrong with it."""
        path = self._folder / _file(slot, copy)
        try:
            data = path.read_bytes()
            unpack_bundle(data)
        except OSError as error:
            return ModelError(f"{path.name}: {error.strerror}")
        except ModelError as error:
            return ModelError(f"{path.name}: {error}")
        return data

    def _keep_factory(self) -> None:
        """Both copies of the factory's model are this software's; an older one's are replaced."""
        wanted = bundle_of(self._factory)
        for copy in COPIES:
            if self._copy(FACTORY, copy) != wanted:
                self._write(_file(FACTORY, copy), wanted)

    def _read_record(self) -> ModelSlots:
        """The newer good copy of the record; without one the factory's model flies."""
        found = []
        for copy in COPIES:
            path = self._folder / f"{RECORD}-{copy}"
            try:
                data = path.read_bytes()
            except OSError:
                continue
            slots = decode_slots(data)
            if slots is None:
                self.mended.append(f"{path.name}: fails its CRC")
            else:
                found.append(slots)
        return max(found, key=lambda slots: slots.count, default=ModelSlots())

    def _mend(self, name: str, data: bytes, why: str) -> None:
        self._write(name, data)
        self.mended.append(why)

    def _write(self, name: str, data: bytes) -> None:
        new = self._folder / (name + ".new")
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._folder / name)
        directory = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _file(slot: str, copy: int) -> str:
    return f"{slot}-{copy}.lmdl"
