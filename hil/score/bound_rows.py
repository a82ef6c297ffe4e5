"""A linear programme collected block by block, for the bound of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = -1
"""A column that is not there."""


class Columns:
    """Variables with finite bounds and what each is worth."""

    def __init__(self) -> None:
        self.count = 0
        self._low: list[NDArray[np.float64]] = []
        self._high: list[NDArray[np.float64]] = []
        self._worth: list[NDArray[np.float64]] = []

    def block(
        self, shape: tuple[int, ...], low: Any, high: Any, worth: Any = 0.0
    ) -> NDArray[np.int64]:
        """Numbers of new columns in that shape."""
        size = int(np.prod(shape))
        for kept, value in ((self._low, low), (self._high, high), (self._worth, worth)):
            kept.append(np.broadcast_to(np.asarray(value, np.float64), shape).ravel())
        self.count += size
        return np.arange(self.count - size, self.count).reshape(shape)

    @property
    def low(self) -> NDArray[np.float64]:
        """Lower bounds."""
        return np.concatenate(self._low)

    @property
    def high(self) -> NDArray[np.float64]:
        """Upper bounds."""
        return np.concatenate(self._high)

    @property
    def worth(self) -> NDArray[np.float64]:
        """Value of one."""
        return np.concatenate(self._worth)


class Rows:
    """Rows of one kind (`<=` or `=`), added by the block."""

    def __init__(self) -> None:
        self.count = 0
        self._row: list[NDArray[np.int64]] = []
        self._column: list[NDArray[np.int64]] = []
        self._value: list[NDArray[np.float64]] = []
        self._right: list[NDArray[np.float64]] = []

    def add(self, right: NDArray[np.float64], *terms: tuple[NDArray[np.int64], Any]) -> None:
        """A row for each number of `right`; a term is (columns [row, ...], factors like them)."""
        rows = np.arange(self.count, self.count + len(right))
        for columns, factors in terms:
            flat = columns.reshape(len(right), -1)
            wide = np.asarray(factors, np.float64)
            if wide.ndim:
                wide = np.broadcast_to(wide, columns.shape).reshape(len(right), -1)
            values = np.broadcast_to(wide, flat.shape)
            kept = (flat != NONE) & (values != 0.0)
            self._row.append(np.broadcast_to(rows[:, None], flat.shape)[kept])
            self._column.append(flat[kept])
            self._value.append(values[kept])
        self._right.append(np.asarray(right, np.float64))
        self.count += len(right)

    @property
    def entries(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Values, rows, columns."""
        return (
            np.concatenate(self._value),
            np.concatenate(self._row),
            np.concatenate(self._column),
        )

    @property
    def right(self) -> NDArray[np.float64]:
        """Right sides."""
        return np.concatenate(self._right) if self._right else np.zeros(0)


def before(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same column of the slot before; none for the first."""
    return np.concatenate([np.full_like(ids[:1], NONE), ids[:-1]])
