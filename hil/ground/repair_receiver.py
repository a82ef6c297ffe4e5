"""Makes good product frames that were lost, from repair symbols and the frames that were not.

Far end of image -> ground. Remembers what the newest frames carried, bounded; a block with as many
repair symbols as it lacks frames is solved at once.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flight.wire.errors import WireError
from flight.wire.repair_packet import REPAIRS_MAX, RepairSymbol, packets_of, source_symbol

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES_KEPT = 8_192
BLOCKS_KEPT = 64
_FIELD = 0x11D


def _products() -> NDArray[np.uint8]:
    """All products of the field of x^8 + x^4 + x^3 + x^2 + 1."""
    powers = np.zeros(510, dtype=np.uint8)
    value, logarithms = 1, np.zeros(256, dtype=np.int64)
    for i in range(255):
        powers[i] = powers[i + 255] = value
        logarithms[value] = i
        value = value << 1 ^ (_FIELD if value & 0x80 else 0)
    table: NDArray[np.uint8] = powers[logarithms[:, None] + logarithms[None, :]]
    table[0, :] = table[:, 0] = 0
    return table


_TIMES = _products()
_INVERSE = np.argmax(_TIMES == 1, axis=1).astype(np.uint8)


@dataclass(slots=True)
class RepairLedger:
    """What came of repair symbols; `idle` ones were of no use any more."""

    symbols: int = 0
    idle: int = 0
    frames_made_good: int = 0
    inconsistent: int = 0


class RepairReceiver:
    """One product channel's frames and blocks."""

    def __init__(self) -> None:
        self._frames: OrderedDict[int, bytes] = OrderedDict()
        self._blocks: OrderedDict[tuple[int, int], dict[int, RepairSymbol]] = OrderedDict()
        self.ledger = RepairLedger()

    def on_frame(self, frame_no: int, packets: bytes) -> None:
        """A product frame arrived (or was made good)."""
        self._frames[frame_no] = packets
        while len(self._frames) > FRAMES_KEPT:
            self._frames.popitem(last=False)

    def on_repair(self, repair: RepairSymbol) -> list[tuple[int, bytes]]:
        """Frames that this symbol makes good, with what they carried."""
        self.ledger.symbols += 1
        key = (repair.first_frame, repair.stride)
        numbers = [repair.first_frame + repair.stride * i for i in range(repair.sources)]
        missing = [i for i, number in enumerate(numbers) if number not in self._frames]
        if not missing:
            self.ledger.idle += 1
            self._blocks.pop(key, None)
            return []
        block = self._blocks.setdefault(key, {})
        if any(
            (each.sources, len(each.symbol)) != (repair.sources, len(repair.symbol))
            for each in block.values()
        ):
            self.ledger.inconsistent += 1
            return []
        block[repair.repair] = repair
        while len(self._blocks) > BLOCKS_KEPT:
            self._blocks.popitem(last=False)
        if len(block) < len(missing):
            return []
        del self._blocks[key]
        return self._solve(list(block.values())[: len(missing)], numbers, missing)

    def _solve(
        self, rows: list[RepairSymbol], numbers: list[int], missing: list[int]
    ) -> list[tuple[int, bytes]]:
        known = [i for i in range(len(numbers)) if i not in set(missing)]
        sums = np.array([np.frombuffer(row.symbol, dtype=np.uint8) for row in rows])
        for i in known:
            source = np.frombuffer(source_symbol(self._frames[numbers[i]]), dtype=np.uint8)
            if len(source) > sums.shape[1]:
                self.ledger.inconsistent += 1
                return []
            for row, repair in enumerate(rows):
                sums[row, : len(source)] ^= _TIMES[_factor(repair.repair, i)][source]
        matrix = np.array(
            [[_factor(row.repair, i) for i in missing] for row in rows], dtype=np.uint8
        )
        good = []
        for i, symbol in zip(missing, _eliminated(matrix, sums), strict=True):
            try:
                packets = packets_of(symbol.tobytes())
            except WireError:
                self.ledger.inconsistent += 1
                continue
            self.ledger.frames_made_good += 1
            self.on_frame(numbers[i], packets)
            good.append((numbers[i], packets))
        return good


def _factor(repair: int, source: int) -> int:
    return int(_INVERSE[repair ^ (REPAIRS_MAX + source)])


def _eliminated(matrix: NDArray[np.uint8], sums: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gauss-Jordan; every square part of a Cauchy matrix has an inverse, so no row is swapped."""
    size = len(matrix)
    for at in range(size):
        back = _TIMES[_INVERSE[matrix[at, at]]]
        matrix[at], sums[at] = back[matrix[at]], back[sums[at]]
        for row in range(size):
            factor = matrix[row, at]
            if row != at and factor:
                matrix[row] ^= _TIMES[factor][matrix[at]]
                sums[row] ^= _TIMES[factor][sums[at]]
    return sums
