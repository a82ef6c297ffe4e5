"""Memory that a second process can look into: the arena of a device, the page of a guard.

A memory file without a name (memfd_create(2)): it is gone with its last holder, however that ends.
"""

from __future__ import annotations

import mmap
import os

from hal.native_library import ffi

# Pages nobody touches cost nothing, and C does not care what they held before.
_new_memory = ffi.new_allocator(should_clear_after_alloc=False)


class PrivateMemory:
    """`size_bytes` of this process alone, of any content.

    Attributes:
        fd: none, -1.
        pointer: where it lies, as C's `uint8_t *`.
    """

    fd = -1

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.pointer = _new_memory("uint8_t[]", size_bytes)

    def close(self) -> None:
        """It goes with its last reference."""


class SharedMemory:
    """`size_bytes` of zeroes, mapped here and by whoever is given the descriptor.

    Attributes:
        fd: its descriptor, closed on exec: whoever starts a process hands it over on purpose.
        pointer: where it lies in this process, as C's `uint8_t *`.

    Raises `OSError` when there is no descriptor or no memory left.
    """

    def __init__(self, name: str, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.fd = os.memfd_create(name)
        try:
            os.ftruncate(self.fd, size_bytes)
            self._view = mmap.mmap(self.fd, size_bytes)
        except OSError:
            os.close(self.fd)
            raise
        self.pointer = ffi.from_buffer("uint8_t[]", self._view, require_writable=True)
        self._open = True

    def close(self) -> None:
        """Gives memory and descriptor back; nobody may use `pointer` any more. Twice is allowed."""
        if self._open:
            self._open = False
            ffi.release(self.pointer)
            self._view.close()
            os.close(self.fd)
