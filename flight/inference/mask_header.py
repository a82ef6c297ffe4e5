"""The layout of a cloud-mask product, and its header: hop "made" of image → ground. A leaf.

Layout, big-endian: magic "LMSK", version u8, reserved u8, height u16, width u16, cloud fraction
u16 (permille), threshold u16 (permille), tile id u64, first 8 bytes of the model's SHA-256; then
the bits: CRC-32 of the unpacked bits u32, and these row by row, most significant first, zlib (RFC
1950). The bits depend on the picture alone: who runs the network packs them (`mask_product`), and
the flight process puts the header in front.
"""

from __future__ import annotations

import struct

MAGIC = b"LMSK"
VERSION = 1
SIDE_PX_MAX = 4096
MODEL_ID_BYTES = 8
HEADER = struct.Struct(f">4sBBHHHHQ{MODEL_ID_BYTES}s")
BITS_CRC = struct.Struct(">I")
HEADER_BYTES = HEADER.size + BITS_CRC.size
"""Everything in front of the packed bits."""


def mask_payload(  # noqa: PLR0913  every field of the header
    bits: bytes,
    *,
    tile_id: int,
    shape: tuple[int, int],
    cloud_permille: int,
    threshold_permille: int,
    model_id: bytes,
) -> bytes:
    """Return the payload of a mask of ``shape`` (1..4096 px a side), tile id in 64 bits."""
    height, width = shape
    if not (0 < height <= SIDE_PX_MAX and 0 < width <= SIDE_PX_MAX):
        raise ValueError(f"mask of {shape} px, wanted 1..{SIDE_PX_MAX}")
    if len(model_id) != MODEL_ID_BYTES:
        raise ValueError(f"model id of {len(model_id)} bytes, wanted {MODEL_ID_BYTES}")
    fields = (height, width, cloud_permille, threshold_permille, tile_id, model_id)
    return HEADER.pack(MAGIC, VERSION, 0, *fields) + bits
