"""The few file operations durable state is built from, so that power cuts can be injected.

Image -> ground, hop "durable before it counts". Two implementations: `FolderStore` here, on a real
file system, and `MemoryFileStore` beside it, which forgets what was not synced. Both pass the same
contract test. All errors are OSError, as the operating system gives them.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

_ZERO_CHUNK = bytes(1 << 20)


class FileStore(Protocol):
    """Files of one folder. Handles are small integers, valid until closed."""

    def names(self) -> list[str]:
        """Names of all files, sorted."""

    def open(self, name: str, *, create: bool = False) -> int:
        """A handle for reading and writing. With `create` the file must not exist yet."""

    def preallocate(self, handle: int, size_bytes: int) -> None:
        """Gives the file its final size, filled with zeros and durable as such; ENOSPC if full.

        Zeros are really written: the first write into an unwritten extent would cost a journal
        commit, which made batches of small records 13 times slower.
        """

    def size_bytes(self, handle: int) -> int:
        """Present size."""

    def pwrite(self, handle: int, data: bytes, offset: int) -> None:
        """Writes all of `data`; not durable before the next `fdatasync`."""

    def pread(self, handle: int, length: int, offset: int) -> bytes:
        """Reads up to `length` bytes; shorter only at the end of the file."""

    def fdatasync(self, handle: int) -> None:
        """Returns when everything written is durable; a failure must never be retried."""

    def fsync_dir(self) -> None:
        """Returns when created and unlinked names are durable."""

    def unlink(self, name: str) -> None:
        """Removes a file; handles stay valid."""

    def close(self, handle: int) -> None:
        """Gives a handle back."""


class FolderStore:
    """Files of a real folder, made when it does not exist.

    Args:
        folder: where the files are.
        device_sync: False stops every sync at the operating system. For simulated nodes only,
            whose power cuts are not the host's: a simulated cut loses what was not written.

    Raises:
        OSError: the folder cannot be used.
    """

    def __init__(self, folder: Path, *, device_sync: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._device_sync = device_sync

    def names(self) -> list[str]:
        """See `FileStore`."""
        return sorted(path.name for path in self._folder.iterdir() if path.is_file())

    def open(self, name: str, *, create: bool = False) -> int:
        """See `FileStore`."""
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if create else 0)
        return os.open(self._folder / name, flags, 0o640)

    def preallocate(self, handle: int, size_bytes: int) -> None:
        """See `FileStore`."""
        os.posix_fallocate(handle, 0, size_bytes)
        for offset in range(0, size_bytes, len(_ZERO_CHUNK)):
            self.pwrite(handle, _ZERO_CHUNK[: size_bytes - offset], offset)
        if self._device_sync:
            os.fsync(handle)

    def size_bytes(self, handle: int) -> int:
        """See `FileStore`."""
        return os.fstat(handle).st_size

    def pwrite(self, handle: int, data: bytes, offset: int) -> None:
        """See `FileStore`."""
        written = os.pwrite(handle, data, offset)
        view = memoryview(data)[written:]
        while view:
            offset += written
            written = os.pwrite(handle, view, offset)
            view = view[written:]

    def pread(self, handle: int, length: int, offset: int) -> bytes:
        """See `FileStore`."""
        return os.pread(handle, length, offset)

    def fdatasync(self, handle: int) -> None:
        """See `FileStore`."""
        if self._device_sync:
            os.fdatasync(handle)

    def fsync_dir(self) -> None:
        """See `FileStore`."""
        if not self._device_sync:
            return
        handle = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def unlink(self, name: str) -> None:
        """See `FileStore`."""
        (self._folder / name).unlink()

    def close(self, handle: int) -> None:
        """See `FileStore`."""
        with contextlib.suppress(OSError):  # everything that counts was synced before
            os.close(handle)
