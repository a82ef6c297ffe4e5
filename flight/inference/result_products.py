"""From a result to product drafts: mask always, quick-look when the ground is seen. Pure.

Hop "decided" of image → ground: what the picture is worth is decided here, by table; what is sent
first is decided by the downlink queue.

A mask product, big-endian: magic "LMSK", version u8, reserved u8, height u16, width u16, cloud
fraction u16 (permille), threshold u16 (permille), tile id u64, first 8 bytes of the model's
SHA-256; then the bits: CRC-32 of the unpacked bits u32, and these row by row, most significant
first, zlib (RFC 1950). The bits depend on the picture alone: who runs the network packs them
(`mask_product`), and the header is put in front here.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flight.inference.job import Result, Tile


MAGIC = b"LMSK"
VERSION = 1
SIDE_PX_MAX = 4096
MODEL_ID_BYTES = 8
HEADER = struct.Struct(f">4sBBHHHHQ{MODEL_ID_BYTES}s")
BITS_CRC = struct.Struct(">I")
HEADER_BYTES = HEADER.size + BITS_CRC.size
"""Everything in front of the packed bits."""
_SHARE = 8
"""A new frame counts as one part in so many."""


class DraftKind(Enum):
    """Which product a draft becomes."""

    MASK = "mask"
    QUICKLOOK = "quicklook"


@dataclass(frozen=True, slots=True)
class Draft:
    """A product before it has an id and a place in the queue. ``crc32`` is zlib's, of payload."""

    kind: DraftKind
    name: str
    payload: bytes
    value_millis: int
    crc32: int
    cloud_permille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTable:
    """What products are worth, in thousandths of a clear land quick-look, and when one is made.

    A quick-look's value falls with the cloudy share; a mask's is flat, since it also says where not
    to look.
    """

    mask_land_millis: int = 120
    mask_sea_millis: int = 60
    quicklook_land_millis: int = 1000
    quicklook_sea_millis: int = 300
    quicklook_cloud_permille_max: int = 600


def products_of(
    result: Result, tile: Tile, values: ValueTable, threshold: float
) -> tuple[Draft, ...]:
    """Return the drafts that a plausible ``result`` on ``tile`` is worth, the mask first."""
    screening = result.screening
    permille = screening.cloud_permille
    payload = mask_payload(
        screening.mask_bits,
        tile_id=tile.tile_id,
        shape=(tile.height_px, tile.width_px),
        cloud_permille=permille,
        threshold_permille=round(threshold * 1000),
        model_id=bytes.fromhex(result.model_hash)[:MODEL_ID_BYTES],
    )
    worth = values.mask_land_millis if tile.land else values.mask_sea_millis
    drafts = [_draft(DraftKind.MASK, tile, "msk", payload, worth, permille)]
    picture = screening.quicklook_png
    if picture is not None:
        clear = values.quicklook_land_millis if tile.land else values.quicklook_sea_millis
        worth = clear * (1000 - permille) // 1000
        drafts.append(_draft(DraftKind.QUICKLOOK, tile, "png", picture, worth, permille))
    return tuple(drafts)


class DraftBook:
    """What frames are worth their room in the downlink queue; sizes by kind as learned."""

    def __init__(self, values: ValueTable) -> None:
        self._values = values
        self._bytes: dict[DraftKind, int] = {}

    @property
    def frame_bytes(self) -> int:
        """Of the products of a frame, together; 0 before the first."""
        return sum(self._bytes.values())

    def learn(self, drafts: Iterable[Draft]) -> tuple[tuple[int, int], ...]:
        """Takes one frame in; what the best frame would give, by what is known now."""
        for draft in drafts:
            new = len(draft.payload)
            old = self._bytes.get(draft.kind, new)
            self._bytes[draft.kind] = old + (new - old) // _SHARE
        return self.of(land=True)

    def of(self, *, land: bool) -> tuple[tuple[int, int], ...]:
        """(value in thousandths, bytes) of what a clear frame would give; of known kinds only."""
        values = self._values
        worth = {
            DraftKind.MASK: values.mask_land_millis if land else values.mask_sea_millis,
            DraftKind.QUICKLOOK: (
                values.quicklook_land_millis if land else values.quicklook_sea_millis
            ),
        }
        return tuple((worth[kind], size) for kind, size in self._bytes.items())


def _draft(  # noqa: PLR0913, PLR0917  every field of a draft
    kind: DraftKind, tile: Tile, suffix: str, payload: bytes, worth: int, permille: int
) -> Draft:
    name = f"tile-{tile.tile_id:08d}-{kind.value}.{suffix}"
    return Draft(kind, name, payload, worth, zlib.crc32(payload), permille)


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
