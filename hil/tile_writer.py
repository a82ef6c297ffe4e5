"""From a scene to a tile cache: re-pack to uint16, cut into tiles, write atomically. Bench only."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from flight.inference.job import BANDS, REFLECTANCE_SCALE, pixel_digest
from flight.inference.tile_cache import Sidecar, Source, sidecar_path
from flight.inference.tile_pixels import pixel_bytes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

GREEN, NIR = BANDS.index("B3"), BANDS.index("B8")


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScene:
    """``reflectance`` (H, W, 6) float32 0..1, ``cloud`` (H, W) bool, and where they come from."""

    name: str
    reflectance: npt.NDArray[np.float32]
    cloud: npt.NDArray[np.bool_]
    notice: str
    reference: str
    synthetic: bool
    sources: tuple[Source, ...]


def tile_corners(length_px: int, tile_px: int) -> list[int]:
    """Return the first pixels of tiles covering ``length_px``; the last is shifted inwards."""
    if length_px < tile_px:
        raise ValueError(f"{length_px} px hold no tile of {tile_px} px")
    corners = list(range(0, length_px - tile_px + 1, tile_px))
    if corners[-1] + tile_px < length_px:
        corners.append(length_px - tile_px)
    return corners


def is_land(pixels: npt.NDArray[np.uint16], cloud: npt.NDArray[np.bool_]) -> bool:
    """Say whether most of the clear part of a tile is land, by McFeeters' water index (1996).

    Stands for the geographic land mask a mission knows before it captures.
    """
    clear = ~cloud
    if not bool(clear.any()):
        return False
    green = pixels[..., GREEN][clear].astype(np.int64)
    nir = pixels[..., NIR][clear].astype(np.int64)
    return int(np.count_nonzero(nir > green)) * 2 > green.size


def write_tile_cache(scene: LabelledScene, path: Path, tile_px: int) -> None:
    """Write ``path`` (npz) and its sidecar, each atomically, the sidecar last."""
    scaled = np.rint(scene.reflectance.astype(np.float64) * REFLECTANCE_SCALE)
    image = np.clip(scaled, 0, 65_535).astype(np.uint16)
    height, width = scene.cloud.shape
    corners = [
        (row, col) for row in tile_corners(height, tile_px) for col in tile_corners(width, tile_px)
    ]
    windows = [np.s_[row : row + tile_px, col : col + tile_px] for row, col in corners]
    pixels = np.stack([image[window] for window in windows])
    masks = np.stack([scene.cloud[window] for window in windows])
    land = [is_land(tile, mask) for tile, mask in zip(pixels, masks, strict=True)]
    buffer = io.BytesIO()
    np.savez(
        buffer,
        pixels=pixels,
        reference=masks.astype(np.uint8),
        corner=np.array(corners, dtype=np.int32),
        land=np.array(land, dtype=np.uint8),
    )
    data = buffer.getvalue()
    sidecar = Sidecar(
        format=1,
        scene=scene.name,
        npz_sha256=hashlib.sha256(data).hexdigest(),
        tile_px=tile_px,
        bands=BANDS,
        scale=REFLECTANCE_SCALE,
        tile_sha256=tuple(pixel_digest(pixel_bytes(tile)).hex() for tile in pixels),
        notice=scene.notice,
        reference=scene.reference,
        synthetic=scene.synthetic,
        sources=scene.sources,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_atomically(path, data)
    replace_atomically(
        sidecar_path(path), msgspec.json.format(msgspec.json.encode(sidecar), indent=1) + b"\n"
    )


def replace_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` so that a reader sees the old file or the whole new one, also after a cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
