"""A result's file: refused before a flight of minutes, not after it, and written in one piece."""

from __future__ import annotations

import errno
import io
import os
from typing import IO, TYPE_CHECKING

from flight.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def check_out(path: Path) -> None:
    """ConfigError where no file can be written; touches nothing, for it may be a pipe."""
    try:
        wrong = _wrong(path)
    except OSError as error:  # the name itself: too long, or through a file
        wrong = error.strerror
    if wrong is not None:
        raise ConfigError(f"{path}: not writable: {wrong}")


def _wrong(path: Path) -> str | None:
    there = path.exists()
    if there and path.is_dir():
        return os.strerror(errno.EISDIR)
    if not there and not path.parent.is_dir():
        return os.strerror(errno.ENOENT)
    allowed = os.access(path if there else path.parent, os.W_OK)
    return None if allowed else os.strerror(errno.EACCES)


def write_out(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """The file with what `write` makes of it; an interrupt before its end leaves the old one."""
    made = io.BytesIO()
    write(made)
    try:
        path.write_bytes(made.getbuffer())
    except OSError as error:
        raise ConfigError(f"{path}: not writable: {error.strerror}") from None
