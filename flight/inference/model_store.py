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
    start_over,
)
from flight.inference.model_manifest import ModelBytes, ModelError, bundle_of, unpack_bundle

if TYPE_CHECKING:
    from pathlib import Path

COPIES = (1, 2)
RECORD, SUFFIX = "slots", ".lmdl"
FOLDER = "models"


class ModelStore:
    """The folder.

    Args:
        factory: the model that came with the software; kept here as well, so that it has two
            copies like any other. None where it is damaged: then what is kept here stands in.

    Attributes:
        slots: the record in force.
        mended: copies written again since the last time somebody asked, "file: why".
    """

    def __init__(self, folder: Path, factory: ModelBytes | None) -> None:
        """Open or make the folder; raises ``OSError``."""
        self._folder = folder
        self._factory = factory
        folder.mkdir(parents=True, exist_ok=True)
        self.mended: list[str] = []
        self.slots = self._read_record()
        self._keep_factory()

    def write_record(self, slots: ModelSlots) -> None:
        """Make a new record durable, then let it count; raises ``OSError``."""
        self._write_both(RECORD, "", encode_slots(slots))
        self.slots = slots

    def write(self, slot: str, bundle: bytes) -> None:
        """Put a bundle into a slot, both copies; raises ``OSError``."""
        self._write_both(slot, SUFFIX, bundle)

    def load(self, slot: str) -> ModelBytes:
        """Return the model in a slot from the better copy, mending the other one.

        Raises ``ModelError``: no copy is good.
        """
        found = [self._copy(slot, copy) for copy in COPIES]
        good = next((each for each in found if isinstance(each, bytes)), None)
        if good is None:
            if slot == FACTORY and self._factory is not None:
                return self._factory
            raise ModelError(f"slot {slot}: {'; '.join(str(each) for each in found)}")
        for copy, each in zip(COPIES, found, strict=True):
            if not isinstance(each, bytes):
                self._mend(_file(slot, copy), good, str(each))
        return unpack_bundle(good).model

    def bundle(self, slot: str) -> bytes:
        """Return the bundle in a slot; raises ``ModelError``."""
        return bundle_of(self.load(slot))

    def start_over(self) -> None:
        """The factory's model flies, whatever flew; for a start that must not trust the last."""
        slots = start_over(self.slots)
        try:
            self.write_record(slots)
        except OSError:
            self.slots = slots  # for this run; the next one starts from what is on the medium

    def survivor(self) -> ModelBytes | None:
        """Return the first model that can be read: the active one, the former, the factory's."""
        for slot in (self.slots.active, self.slots.former, FACTORY):
            try:
                return self.load(slot)
            except (ModelError, OSError):
                continue
        return None

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
        if self._factory is None:
            return
        wanted = bundle_of(self._factory)
        if any(self._copy(FACTORY, copy) != wanted for copy in COPIES):
            self.write(FACTORY, wanted)

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
        self._sync_folder()
        self.mended.append(why)

    def _write_both(self, stem: str, suffix: str, data: bytes) -> None:
        for copy in COPIES:
            self._write(f"{stem}-{copy}{suffix}", data)
        self._sync_folder()

    def _write(self, name: str, data: bytes) -> None:
        new = self._folder / (name + ".new")
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._folder / name)

    def _sync_folder(self) -> None:
        directory = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _file(slot: str, copy: int) -> str:
    return f"{slot}-{copy}{SUFFIX}"
