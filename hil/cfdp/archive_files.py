"""The archive as a sender of files sees it: products that are there, checked, and their octets.

What a metadata file says is not believed: a name that could leave the folder, on this machine or on
another, is refused here, and so is a file that is not what its manifest says.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, Annotated

import msgspec

from flight.wire.crc import crc32c
from flight.wire.product_packet import SIZE_BYTES_MAX
from hil.cfdp.file_checksum import FileChecksum
from hil.cfdp.sender_values import OutgoingFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hil.cfdp.pdu_values import ChecksumType

_SUFFIX = ".json"
_METADATA_BYTES_MAX = 65_536
_PIECE_BYTES = 1 << 20
_LOGICAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def logical_name(name: object) -> bool:
    """Whether a name may leave for another machine: no path, no hidden file, plain and bounded."""
    return isinstance(name, str) and _LOGICAL_NAME.fullmatch(name) is not None


class ArchiveFiles:
    """Products of an archive's folder, which may be growing.

    Args:
        known: identities of products that are looked after already; no product is found twice.

    Raises:
        OSError: the folder cannot be read.
    """

    def __init__(self, folder: Path, known: Iterable[int] = ()) -> None:
        self._folder = folder
        self._known = set(known)
        self._seen: set[str] = set()
        self._open: tuple[str, int] | None = None
        self.refused: dict[str, str] = {}
        """Metadata files that are not believed, and why."""
        os.listdir(folder)  # noqa: PTH208  asked once: is it a folder that can be read

    def new_files(self) -> list[OutgoingFile]:
        """Products that were not there at the last call, the earliest first."""
        with os.scandir(self._folder) as entries:
            names = {entry.name for entry in entries if entry.name.endswith(_SUFFIX)}
        found = []
        for name in sorted(names - self._seen):
            self._seen.add(name)
            if name + _SUFFIX in names:  # a product whose own name ends so
                continue
            try:
                found.append(self._read_metadata(name))
                self.refused.pop(name.removesuffix(_SUFFIX), None)  # one that came before its own
            except _RefusedError as error:
                self.refused[name] = str(error)
        found.sort(key=lambda pair: (pair[0], pair[1].product_id))
        new = []
        for _, file in found:
            if file.product_id not in self._known:
                self._known.add(file.product_id)
                new.append(file)
        return new

    def checksum(self, file: OutgoingFile, kind: ChecksumType) -> int:
        """Over the whole file; OSError when it is not what its manifest says."""
        descriptor = self._descriptor(file)
        checksum, digest, at = FileChecksum(kind), 0, 0
        while piece := os.pread(descriptor, _PIECE_BYTES, at):
            checksum.add(piece)
            digest = crc32c(piece, digest)
            at += len(piece)
        if at != file.size or digest != file.crc32c:
            raise OSError(errno.EBADMSG, "not what its manifest says")
        return checksum.value

    def read(self, file: OutgoingFile, start: int, end: int) -> bytes:
        """Octets [start, end); OSError when they are not there."""
        data = os.pread(self._descriptor(file), end - start, start)
        if len(data) != end - start:
            raise OSError(errno.EIO, "shorter than it was")
        return data

    def close(self) -> None:
        """Gives the descriptor back."""
        if self._open is not None:
            os.close(self._open[1])
            self._open = None

    def _descriptor(self, file: OutgoingFile) -> int:
        """Of the file that was read last, usually."""
        if self._open is None or self._open[0] != file.name:
            self.close()
            self._open = file.name, self._regular(file.name)
        return self._open[1]

    def _regular(self, name: str) -> int:
        if not logical_name(name):
            raise OSError(errno.EINVAL, "a name that may not travel")
        descriptor = os.open(f"{self._folder}/{name}", _READ)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "no regular file")
        return descriptor

    def _read_metadata(self, name: str) -> tuple[int, OutgoingFile]:
        """When it was received, and what it is."""
        try:
            descriptor = os.open(f"{self._folder}/{name}", _READ)
            try:
                content = os.read(descriptor, _METADATA_BYTES_MAX)
            finally:
                os.close(descriptor)
            said = msgspec.json.decode(content, type=_Metadata)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise _RefusedError("no metadata of a product") from None
        except OSError as error:
            raise _RefusedError(error.strerror) from None
        if not logical_name(said.file):
            raise _RefusedError(f"names a file {said.file!r}, which may not travel")
        file = OutgoingFile(said.product_id, said.file, said.size_bytes, said.crc32c)
        return said.received_ns, file


class _Metadata(msgspec.Struct):
    """What the archive tells of a product, as far as it matters here."""

    product_id: Annotated[int, msgspec.Meta(ge=0)]
    file: str
    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=SIZE_BYTES_MAX)]
    crc32c: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]
    received_ns: int


class _RefusedError(Exception):
    """Metadata that is not believed."""
