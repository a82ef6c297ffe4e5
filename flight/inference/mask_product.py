"""The cloud-mask product: one bit a pixel, packed beside the network, unpacked on the ground.

The layout is `result_products`'.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.result_products import (
    BITS_CRC,
    HEADER,
    HEADER_BYTES,
    MAGIC,
    SIDE_PX_MAX,
    VERSION,
    mask_payload,
)

if TYPE_CHECKING:
    import numpy.typing as npt


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


def mask_bits(cloud: npt.NDArray[np.bool_]) -> bytes:
    """Return CRC and packed bits of a mask (H, W): the product without its header."""
    bits = np.packbits(cloud.astype(np.bool_)).tobytes()
    return BITS_CRC.pack(zlib.crc32(bits)) + zlib.compress(bits, 9)


def encode_mask(
    tile_id: int, cloud: npt.NDArray[np.bool_], threshold_permille: int, model_id: bytes
) -> bytes:
    """Return the payload of a mask (H, W) bool, sides 1..4096 px, tile id in 64 bits."""
    height, width = cloud.shape
    return mask_payload(
        mask_bits(cloud),
        tile_id=tile_id,
        shape=(height, width),
        cloud_permille=cloud_permille(cloud),
        threshold_permille=threshold_permille,
        model_id=model_id,
    )


def decode_mask(payload: bytes) -> MaskProduct:
    """Return the mask in ``payload``; raises ``MaskError`` only, whatever the bytes."""
    if len(payload) < HEADER_BYTES:
        raise MaskError(f"{len(payload)} bytes are no mask header")
    fields = HEADER.unpack_from(payload)
    magic, version, _, height, width, permille, threshold, tile_id, model_id = fields
    (crc32,) = BITS_CRC.unpack_from(payload, HEADER.size)
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
