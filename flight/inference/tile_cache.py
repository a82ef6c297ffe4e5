"""Tile caches on disk: one npz of tiles and a JSON sidecar that vouches for it. Read only.

The bench writes them (``lumenode fetch-data``), frame sources replay them. Every load checks the
digest of the file and of each tile, so that a picture damaged at rest never becomes a product.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flight.inference.job import BAND_BYTES, REFLECTANCE_SCALE, Tile, pixel_digest
from flight.inference.npz_members import NpzError, read_members
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Mapping

ARRAYS = ("pixels", "reference", "corner", "land")
DTYPES = ("<u2", "|u1", "<i4", "|u1")
CACHE_BYTES_MAX = 512 * 1024 * 1024
REMEDY = "run `lumenode fetch-data --force`"
SCENE = "s2-scene-1"
"""The default imagery."""


class ImageryError(Exception):
    """Imagery is missing, damaged or not understood; one line: what, where, what to do."""


class Source(msgspec.Struct, frozen=True):
    """Where the pixels came from: package archive and the file inside it, with digests."""

    package: str
    version: str
    archive_sha256: str
    member: str
    member_sha256: str


class Sidecar(msgspec.Struct, frozen=True):
    """The JSON beside the npz. ``tile_sha256`` is in tile order, hex."""

    format: int
    scene: str
    npz_sha256: str
    tile_px: int
    bands: tuple[str, ...]
    scale: int
    tile_sha256: tuple[str, ...]
    notice: str
    reference: str
    synthetic: bool
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TileCache:
    """A verified cache: tiles, reference cloud masks by tile, and the sidecar.

    A reference is one byte a pixel, row by row, not 0 where there is cloud.
    """

    tiles: tuple[Tile, ...]
    references: tuple[bytes, ...]
    sidecar: Sidecar


def default_cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the cache folder: $LUMENODE_CACHE, $XDG_CACHE_HOME/lumenode or ~/.cache/lumenode."""
    if environ.get("LUMENODE_CACHE"):
        return Path(environ["LUMENODE_CACHE"])
    base = environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lumenode"


def default_tiles_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the default scene's tile cache lies or will lie."""
    return default_cache_dir(environ) / f"{SCENE}.npz"


def read_tile_cache(path: Path) -> TileCache:
    """Read and verify the npz at ``path`` and its sidecar; raises ``ImageryError`` only."""
    sidecar = _sidecar(path)
    data = _bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if found != sidecar.npz_sha256:
        raise ImageryError(
            f"{path}: damaged imagery, SHA-256 expected {sidecar.npz_sha256}, found {found}; "
            f"{REMEDY}"
        )
    try:
        members = read_members(io.BytesIO(data), ARRAYS, CACHE_BYTES_MAX)
        arrays = [members[name] for name in ARRAYS]
    except (NpzError, KeyError) as error:
        raise ImageryError(f"{path}: not a tile cache: {error}; {REMEDY}") from error
    count, side = len(sidecar.tile_sha256), sidecar.tile_px
    found_arrays = tuple((array.shape, array.dtype) for array in arrays)
    shapes = ((count, side, side, len(sidecar.bands)), (count, side, side), (count, 2), (count,))
    wanted = tuple(zip(shapes, DTYPES, strict=True))
    if found_arrays != wanted:
        raise ImageryError(f"{path}: arrays {found_arrays}, wanted {wanted}; {REMEDY}")
    pixels, masks, corners, land = (array.data for array in arrays)
    tiles = _tiles(sidecar, pixels, corners, land)
    for tile in tiles:
        if pixel_digest(tile.pixels) != tile.sha256:
            raise ImageryError(f"{path}: tile {tile.origin} fails its SHA-256; {REMEDY}")
    return TileCache(tiles, tuple(_slices(masks, side * side)), sidecar)


def sidecar_path(path: Path) -> Path:
    """Return the path of the JSON beside the npz at ``path``."""
    return path.with_suffix(".json")


def _tiles(sidecar: Sidecar, pixels: bytes, corners: bytes, land: bytes) -> tuple[Tile, ...]:
    side = sidecar.tile_px
    return tuple(
        Tile(
            tile_id=index,
            captured_ns=0,
            pixels=picture,
            height_px=side,
            width_px=side,
            sha256=bytes.fromhex(sidecar.tile_sha256[index]),
            origin=f"{sidecar.scene}:{row}:{col}",
            land=bool(land[index]),
            synthetic=sidecar.synthetic,
            bands=sidecar.bands,
            crc32c=crc32c(picture),
        )
        for index, (picture, (row, col)) in enumerate(
            zip(
                _slices(pixels, side * side * BAND_BYTES * len(sidecar.bands)),
                struct.iter_unpack("<ii", corners),
                strict=True,
            )
        )
    )


def _slices(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _sidecar(path: Path) -> Sidecar:
    where = sidecar_path(path)
    if not path.exists() or not where.exists():
        missing = path if not path.exists() else where
        raise ImageryError(f"{missing}: no imagery here; run `lumenode fetch-data`")
    try:
        sidecar = msgspec.json.decode(where.read_bytes(), type=Sidecar)
    except (OSError, msgspec.MsgspecError) as error:
        raise ImageryError(f"{where}: not readable: {error}; {REMEDY}") from error
    if sidecar.format != 1 or not sidecar.bands or sidecar.scale != REFLECTANCE_SCALE:
        raise ImageryError(f"{where}: format, bands or scale not known here; {REMEDY}")
    return sidecar


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(CACHE_BYTES_MAX + 1)
    except OSError as error:
        raise ImageryError(f"{path}: not readable: {error.strerror}; {REMEDY}") from error
    if len(data) > CACHE_BYTES_MAX:
        raise ImageryError(f"{path}: larger than {CACHE_BYTES_MAX} bytes; {REMEDY}")
    return data
