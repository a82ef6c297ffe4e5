"""The live weights of one session in memory of our own: looked over, and put right. Pure.

A soft error in a weight stays until somebody looks: single flips of exponent bits were measured to
change up to 86 % of a mask. So the runtime computes from these very buffers, and a CRC-32C of each
piece is held against the one taken of the verified network, a bounded number of octets at a time;
a piece that differs is written again from the stored copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.onnx_weights import Weight, weights_of
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

PIECE_BYTES = 64 * 1024
"""A few microseconds of CRC, by carry-less multiplication: the grain of a slice."""

ALIGNED_BYTES = 64
"""A cache line, and the widest vector: weights that begin elsewhere were measured to cost 2 %."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What one look found: octets looked over, pieces that differed, those put right.

    ``whole`` says that this look came to the end of all weights.
    """

    checked_bytes: int
    damaged: int
    repaired: int
    whole: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    live: npt.NDArray[np.uint8]
    stored: memoryview
    crc32c: int


class WeightBank:
    """Own copies of a network's initializers, by name, and the look over them."""

    def __init__(self, model: bytes) -> None:
        """Take the weights out of verified ``model``; raises ``OnnxError``."""
        self._pieces: list[_Piece] = []
        self._next = 0
        self.arrays: Mapping[str, npt.NDArray[np.generic]] = {
            weight.name: self._adopted(weight) for weight in weights_of(model)
        }
        self.size_bytes = sum(piece.live.size for piece in self._pieces)

    def scrub(self, bytes_max: int) -> Scrubbed:
        """Look over the next pieces, at least one and about ``bytes_max`` octets, and repair.

        A stored piece that fails its own CRC repairs nothing: it counts as damaged only.
        """
        checked = damaged = repaired = 0
        while self._pieces:
            piece = self._pieces[self._next]
            self._next = (self._next + 1) % len(self._pieces)
            checked += piece.live.size
            if crc32c(piece.live.data) != piece.crc32c:
                damaged += 1
                repaired += _put_right(piece)
            if self._next == 0 or checked >= bytes_max:
                break
        return Scrubbed(checked, damaged, repaired, whole=self._next == 0)

    def scrub_whole(self) -> Scrubbed:
        """Look over all weights once, from the first on."""
        self._next = 0
        return self.scrub(self.size_bytes + 1)

    def octets(self, at: int) -> tuple[npt.NDArray[np.uint8], int]:
        """The live octets that hold position ``at`` of all weights in a row, and where in them.

        For who injects faults; IndexError beyond the end.
        """
        for piece in self._pieces:
            if at < piece.live.size:
                return piece.live, at
            at -= piece.live.size
        raise IndexError(at)

    def _adopted(self, weight: Weight) -> npt.NDArray[np.generic]:
        octets = _aligned(len(weight.data))
        octets[:] = np.frombuffer(weight.data, dtype=np.uint8)
        array = octets.view(weight.dtype).reshape(weight.shape)
        for at in range(0, octets.size, PIECE_BYTES):
            stored = weight.data[at : at + PIECE_BYTES]
            live = octets[at : at + PIECE_BYTES]
            self._pieces.append(_Piece(live, stored, crc32c(stored)))
        return array


def _aligned(size: int) -> npt.NDArray[np.uint8]:
    whole = np.empty(size + ALIGNED_BYTES, dtype=np.uint8)
    at = -whole.__array_interface__["data"][0] % ALIGNED_BYTES
    return whole[at : at + size]


def _put_right(piece: _Piece) -> bool:
    if crc32c(piece.stored) != piece.crc32c:
        return False
    piece.live[:] = np.frombuffer(piece.stored, dtype=np.uint8)
    return crc32c(piece.live.data) == piece.crc32c
