"""Checksums of a file, as the EOF tells them (CCSDS 727.0-B-5, 4.2.2 and annex F)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from flight.wire.crc import crc32c
from hil.cfdp.pdu_values import ChecksumType

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULUS = 1 << 32


class FileChecksum:
    """One checksum over pieces that come in order; every piece but the last of 4 n octets."""

    def __init__(self, kind: ChecksumType) -> None:
        self._add = _ADD[kind]
        self.value = 0

    def add(self, piece: bytes) -> None:
        """The next piece."""
        self.value = self._add(piece, self.value)


def _modular(piece: bytes, so_far: int) -> int:
    """Sum of the file as big-endian words of four octets, padded with zeros, modulo 2^32."""
    words = np.frombuffer(piece + b"\0" * (-len(piece) % 4), dtype=">u4")
    return (so_far + int(words.sum(dtype=np.uint64))) % _MODULUS


_ADD: dict[ChecksumType, Callable[[bytes, int], int]] = {
    ChecksumType.MODULAR: _modular,
    ChecksumType.CRC_32C: crc32c,
    ChecksumType.CRC_32: zlib.crc32,
}
