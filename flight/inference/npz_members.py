"""Arrays out of an npz file as bytes, without the array library: for the flight process.

Format: NEP 1 of NumPy (versions 1 to 3 of the .npy header), little-endian or single-byte numbers,
row by row. Bounded like `npz_arrays`, which reads everything else.
"""

from __future__ import annotations

import re
import struct
import zipfile
from dataclasses import dataclass
from math import prod
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    rb"\{'descr': '([|<][a-z]([1-9]))', 'fortran_order': False, "
    rb"'shape': \(([0-9, ]{0,80})\), \} *\n"
)


class NpzError(Exception):
    """The bytes are not an npz archive with the wanted arrays; the message is one line."""


@dataclass(frozen=True, slots=True)
class Member:
    """One array: ``dtype`` as NumPy writes it ("<u2"), ``shape``, and its bytes row by row."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


def read_members(file: IO[bytes], names: Sequence[str], bytes_max: int) -> dict[str, Member]:
    """Return the arrays called ``names`` that ``file`` has, unpacked at most ``bytes_max`` bytes.

    A missing array is missing from the answer. Raises ``NpzError`` only.
    """
    try:
        check_size(file, bytes_max)
        with zipfile.ZipFile(file) as archive:
            held = set(archive.namelist())
            return {
                name: member_of(archive.read(f"{name}.npy"))
                for name in names
                if f"{name}.npy" in held
            }
    except NpzError:
        raise
    except Exception as error:  # damaged bytes raise a dozen types out of zipfile and zlib
        raise NpzError(damage(error)) from error


def member_of(npy: bytes) -> Member:
    """Return the array in the bytes of one .npy file; raises ``NpzError``."""
    if len(npy) < 10 or npy[:6] != MAGIC or npy[6] not in (1, 2, 3):
        raise NpzError("damaged or not an npz file: no array header")
    length = struct.Struct("<H" if npy[6] == 1 else "<I")
    start = 8 + length.size
    end = start + length.unpack_from(npy.ljust(start, b"\0"), 8)[0]
    header = _HEADER.fullmatch(npy[start:end])
    if header is None:
        raise NpzError("an array is not of plain numbers in little-endian order, row by row")
    shape = tuple(int(word) for word in re.findall(rb"[0-9]+", header[3]))
    if len(npy) - end != prod(shape) * int(header[2]):
        raise NpzError(f"damaged or not an npz file: {len(npy) - end} bytes for shape {shape}")
    return Member(header[1].decode(), shape, npy[end:])


def check_size(file: IO[bytes], bytes_max: int) -> None:
    """Refuse what is no archive or unpacks to too much, by its directory; rewind ``file``."""
    if not zipfile.is_zipfile(file):
        raise NpzError("not an npz file")
    with zipfile.ZipFile(file) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
    if total > bytes_max:
        raise NpzError(f"{total} bytes unpacked, at most {bytes_max} are taken")
    file.seek(0)


def damage(error: Exception) -> str:
    """Return the one line about an archive whose reading ended with ``error``."""
    lines = str(error).splitlines()
    reason = lines[0] if lines else type(error).__name__
    return f"damaged or not an npz file: {reason}"
