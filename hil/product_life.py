"""Reads what a folder knows of one product: the node's store, the ground's archive, events.

A run's folder has all three, the data folder of a board the first alone. Read-only: the index is
looked at in a copy, so that a folder can be asked while its node flies.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flight.config import ConfigError
from flight.data_folder import INDEX
from flight.downlink.file_store import FolderStore
from flight.downlink.product_lives import Deed
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import RecordDamagedError
from flight.downlink.store_index_sqlite import StoreIndex
from flight.downlink.store_request import decode_ranges
from flight.downlink.store_values import ProductState
from flight.wire.crc import crc32c
from flight.wire.errors import WireError
from flight.wire.product_packet import Manifest, decode_manifest_packet

if TYPE_CHECKING:
    from flight.downlink.product_lives import LifeLine
    from flight.downlink.store_index_sqlite import IndexRow

_NS_PER_S = 1e9
_ITS_LAST = (Deed.FREED, Deed.GIVEN_UP)


def read_life(folder: Path, product_id: int) -> dict[str, Any]:
    """Everything known of a product, times in mission seconds, unknown things `None`.

    Raises:
        ConfigError: no run there, a damaged file, or no such product.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; a run's folder is needed")
    flight = folder if (folder / INDEX).is_file() else folder / "flight"
    if not flight.is_dir() and not (folder / "products").is_dir():
        raise ConfigError(
            f"{folder}: holds none of {INDEX}, flight/, products/; neither a run's folder nor a "
            "node's data"
        )
    row, lines = _on_board(flight, product_id)
    ground = _ground(folder / "products", product_id)
    manifest = None if row is None else _manifest(row)
    events = _events(folder / "events.jsonl", product_id)
    book = _book(lines)
    if manifest is None and ground is None and not book:
        hint = f"; {events[-1]['text']}" if events else ""
        raise ConfigError(f"product {product_id}: unknown in {folder}{hint}")
    life = _made(manifest) if manifest is not None else _made_otherwise(product_id, ground, lines)
    life["state"] = None if row is None else ProductState(row.state).name
    life["acknowledged_bytes"] = (
        0 if row is None else sum(end - start for start, end in decode_ranges(row.acked))
    )
    life["record_good"] = None if row is None else _record_good(flight, row)
    life |= _delivered(folder, ground)
    life["book"] = book
    life["events"] = events
    return life


def _on_board(flight: Path, product_id: int) -> tuple[IndexRow | None, list[LifeLine]]:
    """The index's row of a product, and its lines of the book of lives."""
    index = flight / INDEX
    if not index.exists():
        return None, []
    with tempfile.TemporaryDirectory(prefix="lumenode-") as scratch:
        for path in sorted(flight.glob(f"{INDEX}*")):
            shutil.copy(path, scratch)
        try:
            store = StoreIndex(Path(scratch) / index.name, device_sync=False)
            try:
                return store.row_of(product_id), store.lives(product_id)
            finally:
                store.close()
        except sqlite3.Error as error:
            raise ConfigError(f"{index}: not a store's index: {error}") from None


def _manifest(row: IndexRow) -> Manifest | None:
    try:
        content = decode_manifest_packet(row.manifest)
    except WireError:
        return None
    return content if isinstance(content, Manifest) else None


def _record_good(flight: Path, row: IndexRow) -> bool | None:
    """Whether the record verifies; `None` when its segment was given back."""
    segments = flight / "segments"
    if not segments.is_dir():
        return None
    log = SegmentLog(FolderStore(segments, device_sync=False))
    try:
        if row.place.segment not in log.segments:
            return None
        return log.read(row.place).identity == row.product_id
    except (RecordDamagedError, OSError):
        return False
    finally:
        log.close()


def _made(manifest: Manifest) -> dict[str, Any]:
    deadline_ns = manifest.deadline_ns
    return {
        "product_id": manifest.product_id,
        "name": manifest.name,
        "class": manifest.klass.name,
        "size_bytes": manifest.size_bytes,
        "crc32c": manifest.crc32c,
        "value_millis": manifest.value_millis,
        "created_s": manifest.created_ns / _NS_PER_S,
        "deadline_s": None if deadline_ns is None else deadline_ns / _NS_PER_S,
    }


def _made_otherwise(
    product_id: int, ground: dict[str, Any] | None, lines: list[LifeLine]
) -> dict[str, Any]:
    """Made, as the ground knows it, else as the book does: its record is gone by then."""
    if ground is not None:
        return _made_by_ground(ground)
    unknown = ("class", "size_bytes", "crc32c", "value_millis", "created_s", "deadline_s")
    names = [line.note for line in lines if line.deed == Deed.MADE]
    return {"product_id": product_id, "name": names[0] if names else None} | dict.fromkeys(unknown)


def _book(lines: list[LifeLine]) -> list[dict[str, Any]]:
    """The product's lines, with the node's own that lie between its first and its last."""
    own = [i for i, line in enumerate(lines) if line.product_id is not None]
    if not own:
        return []
    over = lines[own[-1]].deed in _ITS_LAST
    return [
        {
            "t_s": line.t_ns / _NS_PER_S,
            "deed": Deed(line.deed).name,
            "frames": [line.first, line.last] if line.deed == Deed.SENT else None,
            "bytes": [line.start, line.end] if line.end else None,
            "lines": line.last if line.deed == Deed.MISSING else None,
            "note": line.note or None,
        }
        for line in lines[own[0] : own[-1] + 1 if over else len(lines)]
    ]


def _made_by_ground(ground: dict[str, Any]) -> dict[str, Any]:
    same = ("product_id", "name", "class", "size_bytes", "crc32c", "value_millis")
    deadline_ns = ground["deadline_ns"]
    return {key: ground[key] for key in same} | {
        "created_s": ground["created_ns"] / _NS_PER_S,
        "deadline_s": None if deadline_ns is None else deadline_ns / _NS_PER_S,
    }


def _ground(products: Path, product_id: int) -> dict[str, Any] | None:
    for path in sorted(products.glob("*.json")):
        try:
            entry = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(entry, dict) and entry.get("product_id") == product_id:
            return entry
    return None


def _delivered(folder: Path, ground: dict[str, Any] | None) -> dict[str, Any]:
    if ground is None:
        return {"delivered_s": None, "contact": None, "file": None, "file_good": None}
    path = folder / "products" / ground["file"]
    try:
        good = crc32c(path.read_bytes()) == ground["crc32c"]
    except OSError:
        good = False
    return {
        "delivered_s": ground["received_ns"] / _NS_PER_S,
        "contact": ground.get("contact"),
        "file": str(Path("products") / ground["file"]),
        "file_good": good,
    }


def _events(path: Path, product_id: int) -> list[dict[str, Any]]:
    """Events that name the product; those of level DEBUG are not kept by a run."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            raise ConfigError(f"{path}: not a run's events") from None
        if event.get("args", {}).get("product") == product_id:
            found.append({"t_s": event["t_s"], "name": event["name"], "text": event["text"]})
    return found
