"""What a ground system has of the archive: a line when a transaction begins, one when it ends.

Every line is durable before the far end hears of it, so a number is never given twice and a file
that was finished is not sent again. A torn last line is one that nobody acted upon.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING, Any

from hil.cfdp.sender_values import OutgoingFile

if TYPE_CHECKING:
    from pathlib import Path


class BookError(Exception):
    """The book cannot be used; its text is one line for the user."""


class TransferBook:
    """The book in one file, for one process at a time.

    Args:
        path: made when it does not exist; read, and written again without what is settled.

    Raises:
        BookError: it is in use, cannot be written, or is no book.
    """

    def __init__(self, path: Path) -> None:
        self.delivered: set[int] = set()
        """Products that the receiver has."""
        self.begun: dict[int, OutgoingFile] = {}
        """Transactions that did not end, by sequence number."""
        self._last = 0
        try:
            self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._read(path)
            self._file = self._write_again(path)
        except BlockingIOError:
            raise BookError(f"{path}: another process uses it") from None
        except OSError as error:
            raise BookError(f"{path}: {error.strerror}") from None

    def begin(self, file: OutgoingFile) -> int:
        """The next sequence number, durable with what it stands for."""
        self._last += 1
        self.begun[self._last] = file
        self._append(_begun_line(self._last, file))
        return self._last

    def end(self, sequence: int, *, good: bool) -> None:
        """How a transaction ended."""
        file = self.begun.pop(sequence)
        if good:
            self.delivered.add(file.product_id)
        self._append({"sequence": sequence, "product_id": file.product_id, "delivered": good})

    def was_begun(self, sequence: int) -> bool:
        """Whether this number was ever given."""
        return 1 <= sequence <= self._last

    def close(self) -> None:
        """Lets another process use it."""
        os.close(self._file)
        os.close(self._lock)

    def _append(self, line: dict[str, Any]) -> None:
        os.write(self._file, _octets(line))
        os.fdatasync(self._file)

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        for number, line in enumerate(lines[:-1], start=1):
            try:
                self._apply(json.loads(line))
            except (ValueError, TypeError, KeyError):
                raise BookError(f"{path}: line {number} is none of a transfer book") from None

    def _apply(self, line: dict[str, Any]) -> None:
        if "last" in line:
            self._last = line["last"]
            self.delivered.update(line["delivered"])
            return
        sequence = line["sequence"]
        if "name" in line:
            file = OutgoingFile(line["product_id"], line["name"], line["size"], line["crc32c"])
            self.begun[sequence] = file
            self._last = max(self._last, sequence)
        else:
            del self.begun[sequence]
            if line["delivered"]:
                self.delivered.add(line["product_id"])

    def _write_again(self, path: Path) -> int:
        """Short again, whole or not at all; the descriptor of the new file, at its end."""
        new = f"{path}.new"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        lines: list[dict[str, Any]] = [{"last": self._last, "delivered": sorted(self.delivered)}]
        lines += [_begun_line(sequence, file) for sequence, file in self.begun.items()]
        left = memoryview(b"".join(map(_octets, lines)))
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
        os.replace(new, path)  # noqa: PTH105  beside its siblings of `os`
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return file


def _begun_line(sequence: int, file: OutgoingFile) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "product_id": file.product_id,
        "name": file.name,
        "size": file.size,
        "crc32c": file.crc32c,
    }


def _octets(line: dict[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
