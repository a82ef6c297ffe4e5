"""Arrays out of an npz file that nobody vouches for: one error type, bounded size, no pickles."""

from __future__ import annotations

import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class NpzError(Exception):
    """The bytes are not an npz archive with the wanted arrays; the message is one line."""


def read_npz(file: IO[bytes], names: Sequence[str], bytes_max: int) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays called ``names`` that ``file`` has, unpacked at most ``bytes_max`` bytes.

    A missing array is missing from the answer. Raises ``NpzError`` only.
    """
    try:
        _check_size(file, bytes_max)
        with np.load(file, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in names if name in arrays.files}
    except NpzError:
        raise
    except Exception as error:  # damaged bytes raise a dozen types out of zipfile, zlib and numpy
        lines = str(error).splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise NpzError(f"damaged or not an npz file: {reason}") from error


def _check_size(file: IO[bytes], bytes_max: int) -> None:
    if not zipfile.is_zipfile(file):
        raise NpzError("not an npz file")
    with zipfile.ZipFile(file) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
    if total > bytes_max:
        raise NpzError(f"{total} bytes unpacked, at most {bytes_max} are taken")
    file.seek(0)
