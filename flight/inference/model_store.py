"""Models in the data folder: two copies of each, and the record of which one flies.

A copy that is damaged is written again from the other one; where the medium takes nothing the good
copy serves alone. Files are replaced whole and durably; a power cut leaves the one before or the
one after, and never a record that names a slot which is being written.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from flight.inference.model_manifest import (
    ModelBytes,
    ModelError,
    bundle_of,
    manifest_json,
    unpack_bundle,
)
from flight.inference.model_slots import (
    FACTORY,
    ModelSlots,
    decode_slots,
    encode_slots,
    start_over,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
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
        self._factory_kept = self._keep_factory()

    def write_record(self, slots: ModelSlots) -> None:
        """Make a new record durable, then let it count; raises ``OSError``.

        Then the one before is in force on the medium as well, as far as that takes anything.
        """
        names = [_record(copy) for copy in COPIES]
        try:
            self._replace(names, encode_slots(slots))
        except OSError:
            with contextlib.suppress(OSError):
                self._replace(names, encode_slots(self.slots))
            raise
        self.slots = slots

    def write(self, slot: str, bundle: bytes, vacated: ModelSlots | None = None) -> None:
        """Put a bundle into a slot, both copies; raises ``OSError``.

        ``vacated`` is a record that does not name the slot: it is in force before anything of the
        slot changes, so that no cut leaves one that names what was never tried.
        """
        names = [_file(slot, copy) for copy in COPIES]
        try:
            self._lay_ready(names, bundle)
            if vacated is not None and vacated != self.slots:
                self.write_record(vacated)
        except OSError:
            for name in names:
                self._new(name).unlink(missing_ok=True)
            raise
        self._put_in_place(names)

    def load(self, slot: str) -> ModelBytes:
        """Return the model in a slot from the better copy, mending the other one.

        Raises ``ModelError``: no copy is good.
        """
        return unpack_bundle(self.bundle(slot)).model

    def bundle(self, slot: str) -> bytes:
        """Return the bundle in a slot, octet by octet as it came up; raises ``ModelError``."""
        if slot == FACTORY and self._factory is not None and not self._factory_kept:
            return bundle_of(self._factory)
        found = [self._copy(slot, copy) for copy in COPIES]
        good = next((each for each in found if isinstance(each, bytes)), None)
        if good is None:
            if slot == FACTORY and self._factory is not None:
                return bundle_of(self._factory)
            raise ModelError(f"slot {slot}: {'; '.join(str(each) for each in found)}")
        for copy, each in zip(COPIES, found, strict=True):
            if not isinstance(each, bytes):
                self._mend(_file(slot, copy), good, str(each))
        return good

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
        wanted = (model.variant, model.sha256, manifest_json(model))
        for slot in (FACTORY, "a", "b"):
            second = self._copy(slot, COPIES[1])
            kept = unpack_bundle(second).model if isinstance(second, bytes) else None
            if kept is not None and (kept.variant, kept.sha256, manifest_json(kept)) == wanted:
                return kept
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

    def _keep_factory(self) -> bool:
        """Both copies of the factory's model are this software's; an older one's are replaced.

        False where the medium takes none: the software's own file flies then.
        """
        if self._factory is None:
            return True
        wanted = bundle_of(self._factory)
        if all(self._copy(FACTORY, copy) == wanted for copy in COPIES):
            return True
        try:
            self.write(FACTORY, wanted)
        except OSError as error:
            self.mended.append(f"{FACTORY}: in vain: {error.strerror}")
            return False
        return True

    def _read_record(self) -> ModelSlots:
        """The newer good copy of the record; without one the factory's model flies.

        A copy that is damaged, missing or older is written again.
        """
        found: dict[str, ModelSlots] = {}
        bad: dict[str, str] = {}
        for name in map(_record, COPIES):
            try:
                slots = decode_slots((self._folder / name).read_bytes())
            except OSError as error:
                bad[name] = f"{name}: {error.strerror}"
                continue
            if slots is None:
                bad[name] = f"{name}: fails its CRC"
            else:
                found[name] = slots
        newest = max(found.values(), key=lambda slots: slots.count, default=ModelSlots())
        for name, slots in found.items():
            if slots != newest:
                bad[name] = f"{name}: older than the other one"
        if found or any((self._folder / name).exists() for name in bad):
            for name, why in bad.items():
                self._mend(name, encode_slots(newest), why)
        return newest

    def _mend(self, name: str, data: bytes, why: str) -> None:
        """One copy written again, or told that the medium does not take it."""
        try:
            self._replace([name], data)
        except OSError as error:
            why = f"{why}; in vain: {error.strerror}"
        self.mended.append(why)

    def _replace(self, names: Iterable[str], data: bytes) -> None:
        for name in names:
            self._lay_ready([name], data)
            self._new(name).replace(self._folder / name)
        self._sync_folder()

    def _lay_ready(self, names: Iterable[str], data: bytes) -> None:
        for name in names:
            with self._new(name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

    def _put_in_place(self, names: Iterable[str]) -> None:
        for name in names:
            self._new(name).replace(self._folder / name)
        self._sync_folder()

    def _new(self, name: str) -> Path:
        return self._folder / (name + ".new")

    def _sync_folder(self) -> None:
        directory = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _record(copy: int) -> str:
    return f"{RECORD}-{copy}"


def _file(slot: str, copy: int) -> str:
    return f"{slot}-{copy}{SUFFIX}"
