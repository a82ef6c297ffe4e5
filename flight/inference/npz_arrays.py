"""Arrays out of an npz file that nobody vouches for: one error type, bounded size, no pickles."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import numpy as np

from flight.inference.npz_members import NpzError, check_size, damage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def read_npz(file: IO[bytes], names: Sequence[str], bytes_max: int) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays called ``names`` that ``file`` has, unpacked at most ``bytes_max`` bytes.

    A missing array is missing from the answer. Raises ``NpzError`` only.
    """
    try:
        check_size(file, bytes_max)
        with np.load(file, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in names if name in arrays.files}
    except NpzError:
        raise
    except Exception as error:  # damaged bytes raise a dozen types out of zipfile, zlib and numpy
        raise NpzError(damage(error)) from error
