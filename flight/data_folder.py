"""The data folder of a board: claimed by one process, of a layout this software knows.

Before anything in it is opened. What a later version wrote is refused, never guessed at; what an
earlier one wrote is brought forward step by step. `data-folder.json` says which layout it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from flight import __version__
from flight.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from flight.link_config import StoreConfig

SCHEMA = 1
"""1: `segments/` with records of version 1 and a reserve, `index.sqlite` with user_version 1."""
SCHEMA_FILE = "data-folder.json"
SEGMENTS = "segments"
INDEX = "index.sqlite"
STORE_SPARE = 4
"""Segments may take so many times the payload cap: one goes only when everything in it is dead."""
INDEX_BYTES = 16_000_000
"""Index and its journal, roughly, at the default cap."""


class FolderSchema(msgspec.Struct, frozen=True):
    """Content of the schema file; `software` is who wrote it, for people."""

    schema: int
    software: str = ""


@dataclass(frozen=True, slots=True)
class FolderUsage:
    """What the folder takes now, may take at most, and what its file system has left, in bytes."""

    used_bytes: int
    cap_bytes: int
    free_bytes: int

    @property
    def fits(self) -> bool:
        """Whether the file system has room for all that the folder may still take."""
        return self.cap_bytes - self.used_bytes <= self.free_bytes


def _adopt(_folder: Path) -> None:
    """0 to 1: the layout is the same; folders of the first version had no schema file."""


MIGRATIONS: Mapping[int, Callable[[Path], None]] = {0: _adopt}
"""From which schema, to the next one. A step that was cut short must be safe to repeat."""


def claim_folder(
    folder: Path,
    *,
    schema: int = SCHEMA,
    migrations: Mapping[int, Callable[[Path], None]] = MIGRATIONS,
) -> int:
    """Makes the folder and takes it for this process; the descriptor holds the claim.

    Two flights on one store would destroy it. The claim dies with the process, however it dies.

    Raises:
        ConfigError: it cannot be made, another process has it, or its layout is not known here.
    """
    claim = hold_folder(folder)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, claim)
        try:
            _bring_forward(folder, schema, migrations)
        except OSError as error:
            raise _refusal(folder, str(error.strerror)) from None
        undo.pop_all()
    return claim


def hold_folder(folder: Path) -> int:
    """The claim alone, for who needs no store: nothing in the folder is looked at or brought on.

    Raises:
        ConfigError: the folder cannot be made, or another process has it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        claim = os.open(folder / "claim", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise _refusal(folder, str(error.strerror)) from None
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(claim)
        raise _refusal(folder, "another flight process has it") from None
    return claim


def schema_of(folder: Path) -> int | None:
    """The layout of a folder; 0 for one from before the schema file, None for a fresh one.

    Raises:
        ConfigError: the file is there and does not say it.
        OSError: the folder cannot be read.
    """
    path = folder / SCHEMA_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=FolderSchema).schema
    except FileNotFoundError:
        return 0 if (folder / INDEX).exists() or (folder / SEGMENTS).exists() else None
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"{path}: not readable ({error}): bring the file back, or move the folder away"
        ) from None


def folder_cap_bytes(store: StoreConfig) -> int:
    """What the folder may take with this configuration: segments, reserve, index."""
    return STORE_SPARE * store.cap_bytes + store.segment_bytes + INDEX_BYTES


def usage_of(folder: Path, store: StoreConfig) -> FolderUsage:
    """Looks at a folder that need not be there yet; raises OSError."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.is_dir())
    files = [*folder.glob("*"), *(folder / SEGMENTS).glob("*")]
    used = sum(path.stat().st_size for path in files if path.is_file())
    return FolderUsage(used, folder_cap_bytes(store), shutil.disk_usage(there).free)


def _bring_forward(
    folder: Path, schema: int, migrations: Mapping[int, Callable[[Path], None]]
) -> None:
    found = schema_of(folder)
    if found == schema:
        return
    if found is not None and (found > schema or found not in migrations):
        raise _refusal(
            folder,
            f"its layout is {found}, this software ({__version__}) knows up to {schema}: "
            "fly it with the software that wrote it, or choose another folder",
        )
    step = schema if found is None else found
    while step < schema:
        migrations[step](folder)
        step += 1
        _write_schema(folder, step)
    if found is None:
        _write_schema(folder, schema)


def _write_schema(folder: Path, schema: int) -> None:
    """Whole or not at all, and durable."""
    new = folder / (SCHEMA_FILE + ".new")
    content = msgspec.json.encode(FolderSchema(schema, __version__)) + b"\n"
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / SCHEMA_FILE)
    directory = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _refusal(folder: Path, reason: str) -> ConfigError:
    return ConfigError(f"board.data = {str(folder)!r}: {reason}")
