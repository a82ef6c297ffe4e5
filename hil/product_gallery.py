"""After a run: what the ground rebuilt, annotated for people and drawn next to the input tile.

Everything here starts from the delivered bytes: a mask picture is the decoded mask product, a
quick-look is the product itself. Only the input tile comes from the bench.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from flight.inference.mask_product import MaskError, decode_mask
from flight.inference.png_image import encode
from flight.inference.tile_pixels import pixels_of, quicklook
from flight.wire.product_packet import ProductClass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flight.inference.job import Tile
    from hil.link_bench import ContactLog

PICTURED_PER_PLACE = 3
PICTURED_TILES_MAX = 90
"""Tiles that get pictures; the report shows fewer."""
_NS_PER_S = 1e9


def annotate(folder: Path, shown: Callable[[int], Tile | None], logs: Sequence[ContactLog]) -> None:
    """Completes each product's metadata and draws the pictures of the best tiles."""
    entries = [_annotated(path, shown, logs) for path in sorted(folder.glob("*.json"))]
    best = sorted(
        (entry for entry in entries if entry.get("tile_id") is not None),
        key=lambda entry: (-entry["value_millis"], entry["product_id"]),
    )
    pictured: dict[int, None] = {}
    places: Counter[str] = Counter()
    for entry in best:
        if len(pictured) >= PICTURED_TILES_MAX:
            break
        place = str(entry.get("origin"))
        if entry["tile_id"] in pictured or places[place] < PICTURED_PER_PLACE:
            places[place] += entry["tile_id"] not in pictured
            pictured[entry["tile_id"]] = None
    for entry in entries:
        if entry.get("tile_id") in pictured:
            _draw(folder, entry, shown(entry["tile_id"]))


def _annotated(
    path: Path, shown: Callable[[int], Tile | None], logs: Sequence[ContactLog]
) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    entry["klass"] = ProductClass(entry["klass"]).name
    entry["created_s"] = entry["created_ns"] / _NS_PER_S
    entry["delivered_s"] = entry["received_ns"] / _NS_PER_S
    entry["contact"] = _contact_at(entry["delivered_s"], logs)
    tile_id = _tile_id(entry["name"])
    if tile_id is not None:
        entry["tile_id"] = tile_id
        tile = shown(tile_id)
        entry["origin"] = None if tile is None else tile.origin
        cloud = _cloud_fraction(path.parent / entry["file"])
        if cloud is not None:
            entry["cloud_fraction"] = cloud
    path.write_text(json.dumps(entry, sort_keys=True, indent=1) + "\n", encoding="utf-8")
    return entry


def _tile_id(name: str) -> int | None:
    parts = name.split("-")
    return int(parts[1]) if parts[0] == "tile" and len(parts) > 1 and parts[1].isdigit() else None


def _contact_at(t_s: float, logs: Sequence[ContactLog]) -> str | None:
    for log in logs:
        if log.contact.start_s <= t_s <= log.contact.end_s + 1.0:
            return log.contact.peer_name
    return None


def _cloud_fraction(payload: Path) -> float | None:
    if payload.suffix != ".msk":
        return None
    try:
        return decode_mask(payload.read_bytes()).cloud_permille / 1000.0
    except (OSError, MaskError):
        return None


def _draw(folder: Path, entry: dict[str, Any], tile: Tile | None) -> None:
    stem = folder / entry["file"]
    payload = stem.read_bytes()
    if entry["klass"] == ProductClass.MASK.name:
        cloud = decode_mask(payload).cloud
        grey = np.where(cloud, 235, 40).astype(np.uint8)
        picture = np.repeat(grey[..., None], 3, axis=2)
        _write(stem, ".mask.png", encode(picture))
        if tile is not None:
            _write(stem, ".tile.png", encode(quicklook(pixels_of(tile))))
    elif entry["klass"] == ProductClass.QUICKLOOK.name:
        _write(stem, ".png", payload)


def _write(stem: Path, suffix: str, data: bytes) -> None:
    stem.with_name(stem.name + suffix).write_bytes(data)
