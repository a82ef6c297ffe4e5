"""Files in memory that forget what was not synced: power cuts for tests, as often as wanted.

Stands beside `FolderStore` and passes the same contract test. `power_cut` gives the files as they
would be found after the power came back; an option lets `fdatasync` lie, which any honest test of
durability has to notice.
"""

from __future__ import annotations

import errno
import os


class _File:
    __slots__ = ("durable", "unsynced", "volatile")

    def __init__(self) -> None:
        self.durable = bytearray()
        self.volatile = bytearray()
        self.unsynced: list[tuple[int, bytes]] = []


class MemoryFileStore:
    """A folder in memory.

    Args:
        capacity_bytes: preallocation beyond it fails with ENOSPC; None: no limit.
        sync_lies: `fdatasync` returns without making anything durable (negative control).

    Attributes:
        sync_fails: when set, the next `fdatasync` raises EIO.
        syncs: how often `fdatasync` was called, the unit durable writes are priced in.
    """

    def __init__(self, capacity_bytes: int | None = None, *, sync_lies: bool = False) -> None:
        self._capacity = capacity_bytes
        self._lies = sync_lies
        self._names: dict[str, _File] = {}
        self._durable_names: dict[str, _File] = {}
        self._handles: dict[int, _File] = {}
        self._next_handle = 1
        self.sync_fails = False
        self.syncs = 0

    def unsynced_bytes(self) -> int:
        """The most that the unsynced writes of one file amount to."""
        files = self._durable_names.values()
        return max((sum(len(data) for _, data in each.unsynced) for each in files), default=0)

    def power_cut(self, torn_bytes: int = 0, lost: range = range(0)) -> MemoryFileStore:
        """The folder after a power cut; this one may be cut again, and not be used otherwise.

        Args:
            torn_bytes: so many bytes of the unsynced writes, in order, had reached the medium.
            lost: but not these of them: a medium does not write in order.
        """
        after = MemoryFileStore(self._capacity, sync_lies=self._lies)
        for name, file in self._durable_names.items():
            kept = _File()
            content = bytearray(file.durable)
            at = 0
            for offset, data in file.unsynced:
                for start, stop in ((at, lost.start), (lost.stop, torn_bytes)):
                    first, last = max(start, at) - at, min(stop, torn_bytes, at + len(data)) - at
                    part = data[first : max(first, last)]
                    content.extend(bytes(max(0, offset + first + len(part) - len(content))))
                    content[offset + first : offset + first + len(part)] = part
                at += len(data)
            kept.durable, kept.volatile = content, bytearray(content)
            after._names[name] = after._durable_names[name] = kept
        return after

    def names(self) -> list[str]:
        """See `FileStore`."""
        return sorted(self._names)

    def open(self, name: str, *, create: bool = False) -> int:
        """See `FileStore`."""
        if create == (name in self._names):
            code = errno.EEXIST if create else errno.ENOENT
            raise OSError(code, os.strerror(code), name)
        file = self._names.setdefault(name, _File())
        handle, self._next_handle = self._next_handle, self._next_handle + 1
        self._handles[handle] = file
        return handle

    def preallocate(self, handle: int, size_bytes: int) -> None:
        """See `FileStore`."""
        used = sum(len(file.volatile) for file in self._names.values())
        if self._capacity is not None and used + size_bytes > self._capacity:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file = self._handles[handle]
        file.volatile = bytearray(size_bytes)
        file.durable = bytearray(size_bytes)

    def size_bytes(self, handle: int) -> int:
        """See `FileStore`."""
        return len(self._handles[handle].volatile)

    def pwrite(self, handle: int, data: bytes, offset: int) -> None:
        """See `FileStore`."""
        file = self._handles[handle]
        file.volatile.extend(bytes(max(0, offset + len(data) - len(file.volatile))))
        file.volatile[offset : offset + len(data)] = data
        file.unsynced.append((offset, bytes(data)))

    def pread(self, handle: int, length: int, offset: int) -> bytes:
        """See `FileStore`."""
        return bytes(self._handles[handle].volatile[offset : offset + length])

    def fdatasync(self, handle: int) -> None:
        """See `FileStore`."""
        self.syncs += 1
        if self.sync_fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self._lies:
            return
        file = self._handles[handle]
        file.durable = bytearray(file.volatile)
        file.unsynced.clear()

    def fsync_dir(self) -> None:
        """See `FileStore`."""
        self._durable_names = dict(self._names)

    def unlink(self, name: str) -> None:
        """See `FileStore`."""
        del self._names[name]

    def close(self, handle: int) -> None:
        """See `FileStore`."""
        self._handles.pop(handle, None)
