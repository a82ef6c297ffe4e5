"""Check values of frames, packets and stored records; computed by the C framer.

CRC-16 closes a transfer frame (CCSDS 732.1-B-2, 4.1.6), CRC-32C (RFC 3720, appendix B.4) a product
and a stored record.
"""

from __future__ import annotations

from hal.native_library import ffi, lib

BytesLike = bytes | bytearray | memoryview

CRC16_START = 0xFFFF
"""Start value of CRC-16; `b"123456789"` gives 0x29B1."""


def crc16_ccitt(data: BytesLike, start: int = CRC16_START) -> int:
    """CRC-16 of any bytes-like object.

    Polynomial x^16 + x^12 + x^5 + 1, most significant bit first, no final inversion. The result
    may be fed back as `start` to go on with more data.
    """
    if isinstance(data, bytes):
        return int(lib.framer_crc16(start, data, len(data)))
    view = ffi.from_buffer("uint8_t[]", data)
    return int(lib.framer_crc16(start, view, len(view)))


def crc32c(data: BytesLike, seed: int = 0) -> int:
    """CRC-32C (Castagnoli) of any bytes-like object; `b"123456789"` gives 0xE3069283.

    The result may be fed back as `seed` to go on with more data.
    """
    if isinstance(data, bytes):
        return int(lib.framer_crc32c(seed, data, len(data)))
    view = ffi.from_buffer("uint8_t[]", data)
    return int(lib.framer_crc32c(seed, view, len(view)))
