"""The cloud-mask product: one bit a pixel, packed. Codec used on board and on the ground. A leaf.

Layout, big-endian: magic "LMSK", version u8, reserved u8, height u16, width u16, cloud fraction
u16 (permille), threshold u16 (permille), tile id u64, first 8 bytes of the model's SHA-256, CRC-32
of the unpacked bits u32; then the bits, row by row, most significant first, zlib (RFC 1950).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

MAGIC = b"LMSK"
VERSION = 1
SIDE_PX_MAX = 4096
MODEL_ID_BYTES = 8
_HEADER = struct.Struct(f">4sBBHHHHQ{MODEL_ID_BYTES}sI")
HEADER_BYTES = _HEADER.size


class MaskError(Exception):
    """The bytes are not a mask product; the message says in one line what is wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskProduct:
    """A decoded mask: ``cloud`` (H, W) bool; ``model_id`` starts the model's SHA-256."""

    tile_id: int
    cloud: npt.NDArray[np.bool_]
    cloud_permille: int
    threshold_permille: int
    model_id: bytes


def cloud_permille(cloud: npt.NDArray[np.bool_]) -> int:
    """Return the cloudy share of a mask in thousandths, rounded to nearest."""
    return (2000 * int(np.count_nonzero(cloud)) + cloud.size) // (2 * cloud.size)


def encode_mask(
    tile_id: int, cloud: npt.NDArray[np.bool_], threshold_permille: int, model_id: bytes
) -> bytes:
    """Return the payload of a mask (H, W) bool, sides 1..4096 px, tile id in 64 bits."""
    height, width = cloud.shape
    if not (0 < height <= SIDE_PX_MAX and 0 < width <= SIDE_PX_MAX):
        raise ValueError(f"mask of {cloud.shape} px, wanted 1..{SIDE_PX_MAX}")
    if len(model_id) != MODEL_ID_BYTES:
        raise ValueError(f"model id of {len(model_id)} bytes, wanted {MODEL_ID_BYTES}")
    bits = np.packbits(cloud.astype(np.bool_)).tobytes()
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        0,
        height,
        width,
        cloud_permille(cloud),
        threshold_permille,
        tile_id,
        model_id,
        zlib.crc32(bits),
    )
    return header + zlib.compress(bits, 9)


def decode_mask(payload: bytes) -> MaskProduct:
    """Return the mask in ``payload``; raises ``MaskError`` only, whatever the bytes."""
    if len(payload) < HEADER_BYTES:
        raise MaskError(f"{len(payload)} bytes are no mask header")
    fields = _HEADER.unpack_from(payload)
    magic, version, _, height, width, permille, threshold, tile_id, model_id, crc32 = fields
    if magic != MAGIC or version != VERSION:
        raise MaskError(f"magic {magic!r} version {version} is not {MAGIC!r} {VERSION}")
    if not (0 < height <= SIDE_PX_MAX and 0 < width <= SIDE_PX_MAX):
        raise MaskError(f"mask of {height} x {width} px")
    wanted = (height * width + 7) // 8
    inflater = zlib.decompressobj()
    try:
        bits = inflater.decompress(payload[HEADER_BYTES:], wanted + 1)
    except zlib.error as error:
        raise MaskError(f"packed bits: {error}") from error
    if len(bits) != wanted or not inflater.eof or inflater.unused_data:
        raise MaskError(f"packed bits: not exactly {wanted} bytes")
    if zlib.crc32(bits) != crc32:
        raise MaskError("bits fail their CRC")
    flat = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=height * width)
    cloud = flat.astype(np.bool_).reshape(height, width)
    if cloud_permille(cloud) != permille:
        raise MaskError(f"header says {permille} permille cloud, the bits {cloud_permille(cloud)}")
    return MaskProduct(tile_id, cloud, permille, threshold, model_id)
