"""Coding around a frame for a terminal without error correction: ASM, randomiser, Reed-Solomon.

CCSDS 131.0-B-4: RS(255,223) with symbols in the dual basis, interleaved to depth 8, so that 128
octets in a row may be wrong; the C side does it (`native/include/rs_code.h`). All coded frames have
one length: a shorter frame is followed by fill, which its own length field tells apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from flight.wire.transfer_frame import CODED_FRAME_BYTES
from hal.native_library import ffi, lib

DEPTH: int = lib.RS_DEPTH_MAX
CODED_LINE_BYTES: int = lib.RS_MARKER_BYTES + lib.RS_CODEWORD_BYTES * DEPTH
"""What every coded frame takes on the line: 2,044 octets."""

_LENGTH_AT = slice(4, 6)
"""Frame length less one in a USLP primary header (CCSDS 732.1-B-2, 4.1.2.7)."""


class CodingVerdict(Enum):
    """Why a coded frame was given up; each has its counter."""

    BAD_LENGTH = "bad_length"
    NO_MARKER = "no_marker"
    UNCORRECTABLE = "uncorrectable"


_VERDICTS = {
    lib.RS_E_RANGE: CodingVerdict.BAD_LENGTH,
    lib.RS_E_MARKER: CodingVerdict.NO_MARKER,
    lib.RS_E_UNCORRECTABLE: CodingVerdict.UNCORRECTABLE,
}


@dataclass(slots=True)
class CodingCounts:
    """What decoding met with since start."""

    frames: int = 0
    symbols_righted: int = 0


class ChannelCoder:
    """Codes the frames of one end, or decodes those of the other."""

    def __init__(self) -> None:
        self._out = bytearray(CODED_LINE_BYTES)
        self._c_out: Any = ffi.from_buffer(self._out, require_writable=True)
        self.counts = CodingCounts()

    def encode(self, frame: bytes | memoryview) -> bytes:
        """The coded frame, `CODED_LINE_BYTES` long.

        Raises:
            ValueError: an empty frame, or one above `CODED_FRAME_BYTES`.
        """
        octets = ffi.from_buffer(frame)
        code = lib.rs_wrap(octets, len(frame), DEPTH, self._c_out, CODED_LINE_BYTES)
        if code < 0:
            raise ValueError(f"a frame of {len(frame)} octets cannot be coded")
        return bytes(self._out)

    def decode(self, coded: bytes) -> bytes | CodingVerdict:
        """The frame in it, wrong symbols righted, or why there is none. Never raises on bytes.

        What it gives is only as good as the check values in the frame itself.
        """
        if len(coded) != CODED_LINE_BYTES:
            return CodingVerdict.BAD_LENGTH
        self._out[:] = coded
        code = lib.rs_unwrap(self._c_out, CODED_LINE_BYTES, DEPTH)
        if code < 0:
            return _VERDICTS[code]
        self.counts.frames += 1
        self.counts.symbols_righted += code
        block = memoryview(self._out)[lib.RS_MARKER_BYTES :]
        length = int.from_bytes(block[_LENGTH_AT], "big") + 1
        return bytes(block[: min(length, CODED_FRAME_BYTES)])
