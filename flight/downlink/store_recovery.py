"""Opening the product store: index and log are held against each other, and the log wins.

Image -> ground, hop "durable before it counts", after a reset. What the index knows is trusted (it
was written after the log was synced); what only the log knows is added.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product import Product, product_of
from flight.downlink.segment_record import Place, RecordKind, record_bytes
from flight.downlink.store_index_sqlite import IndexRow, StoreIndex
from flight.downlink.store_space import is_full
from flight.downlink.store_values import ProductState, StoreErrorKind
from flight.wire import varint
from flight.wire.errors import WireError
from flight.wire.product_packet import Manifest, decode_manifest_packet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flight.downlink.segment_file import SegmentLog
    from flight.downlink.segment_record import Record


NOWHERE = Place(0, 0)
"""No record: segments count from 1."""


class StoredProduct(msgspec.Struct, gc=False):
    """A product in the store and where its record is; `NOWHERE` before it is written."""

    product: Product
    place: Place
    manifest_bytes: int
    state: ProductState
    acked: tuple[tuple[int, int], ...] = ()

    @property
    def record_bytes(self) -> int:
        """Room its record takes in a segment."""
        return record_bytes(self.manifest_bytes, self.product.size_bytes)


class KnownIndex(msgspec.Struct):
    """What the index says; `ends` is how far each segment's records are indexed.

    Rows of `unreadable` products, with their segment, make no sense: the log's own record counts.
    """

    products: dict[int, StoredProduct]
    finished: set[int]
    unreadable: dict[int, int]
    ends: dict[int, int]
    counters: dict[str, int]
    blobs: dict[str, bytes]


class Found(msgspec.Struct):
    """Index and log together.

    `unindexed` rows and `ends` have to be written with the next commit, `given_up` states as well,
    rows of `missing_segments` deleted; `missing_products` were lost.
    """

    products: dict[int, StoredProduct]
    unindexed: list[IndexRow]
    ends: dict[int, int]
    given_up: dict[int, tuple[int, str | None]]
    counters: dict[str, int]
    blobs: dict[str, bytes]
    missing_segments: list[int]
    missing_products: int


def encode_ranges(ranges: Sequence[tuple[int, int]]) -> bytes:
    """Byte ranges as gaps and lengths."""
    out = bytearray()
    behind = 0
    for start, end in ranges:
        varint.put(out, start - behind)
        varint.put(out, end - start)
        behind = end
    return bytes(out)


def decode_ranges(buf: bytes) -> tuple[tuple[int, int], ...]:
    """The inverse of `encode_ranges`; a damaged blob is no range at all (bytes are sent twice)."""
    ranges, at, behind = [], 0, 0
    with contextlib.suppress(WireError):
        while at < len(buf):
            gap, at = varint.take(buf, at)
            length, at = varint.take(buf, at)
            ranges.append((behind + gap, behind + gap + length))
            behind += gap + length
        return tuple(ranges)
    return ()


def kind_of(error: OSError | sqlite3.Error) -> StoreErrorKind:
    """What an error of the medium means; FULL alone breaks nothing and may be over later."""
    if is_full(error):
        return StoreErrorKind.FULL
    if isinstance(error, OSError):
        return StoreErrorKind.READ_ONLY if error.errno == errno.EROFS else StoreErrorKind.SYNC
    read_only = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY
    return StoreErrorKind.READ_ONLY if read_only else StoreErrorKind.INDEX


def open_index(path: Path, *, device_sync: bool = True) -> tuple[StoreIndex, bool]:
    """The index, and whether the one that was there had to be put aside as unreadable."""
    fresh = not path.exists()
    try:
        index = StoreIndex(path, device_sync=device_sync)
        if not fresh:
            index.rows()
            index.ends()
            index.counters()
            index.blobs()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        for suffix in ("", "-wal", "-shm"):
            stale = path.with_name(path.name + suffix)
            if stale.exists():
                stale.replace(path.with_name(path.name + suffix + ".bad"))
        return StoreIndex(path, device_sync=device_sync), True
    return index, fresh


def load_index(index: StoreIndex) -> KnownIndex:
    """Everything the index says, freed products apart."""
    known = KnownIndex({}, set(), {}, index.ends(), index.counters(), index.blobs())
    for row in index.rows():
        place = row.place
        product = _product_from(row.manifest)
        if product is None:
            known.unreadable[row.product_id] = place.segment
            continue
        end = place.offset + record_bytes(len(row.manifest), product.size_bytes)
        known.ends[place.segment] = max(known.ends.get(place.segment, 0), end)
        if row.state == ProductState.FREED:
            known.finished.add(row.product_id)
            continue
        known.products[row.product_id] = StoredProduct(
            product, place, len(row.manifest), ProductState(row.state), decode_ranges(row.acked)
        )
    return known


def replay_log(log: SegmentLog, known: KnownIndex, *, index_lost: bool) -> Found:
    """Adds what only the log knows, and drops what only the index knows.

    Counters take the greatest value found anywhere. Of a state blob the newest record counts that
    the index does not know yet, and what the index says where there is none.
    """
    present = set(log.segments)
    products = {i: s for i, s in known.products.items() if s.place.segment in present}
    found = Found(
        products=products,
        unindexed=[],
        ends={segment: end for segment, end in known.ends.items() if segment in present},
        given_up={},
        counters=dict(known.counters),
        blobs=dict(known.blobs),
        missing_segments=sorted(known.ends.keys() - present),
        missing_products=len(known.products) - len(products),
    )
    doubtful = set(known.unreadable.values())
    for segment in log.segments:
        indexed = found.ends.get(segment, 0)
        for record in log.scan(segment, 0 if segment in doubtful else indexed):
            if record.place.offset >= indexed:
                found.ends[segment] = record.place.offset + record.room
                _replay(record, known, found, index_lost=index_lost)
            elif record.identity in known.unreadable and record.kind is RecordKind.PRODUCT:
                _replay(record, known, found, index_lost=True)
    lost = known.unreadable.keys() - found.products.keys()
    found.missing_products += len(lost)
    found.given_up = dict.fromkeys(lost, (int(ProductState.FREED), "row unreadable"))
    return found


def _replay(record: Record, known: KnownIndex, found: Found, *, index_lost: bool) -> None:
    if record.kind is RecordKind.PRODUCT:
        _replay_product(record, known, found, index_lost=index_lost)
    elif record.kind is RecordKind.COUNTER:
        name = record.meta.decode()
        found.counters[name] = max(found.counters.get(name, 0), record.identity)
    else:
        found.blobs[record.meta.decode()] = record.payload


def _replay_product(record: Record, known: KnownIndex, found: Found, *, index_lost: bool) -> None:
    product = _product_from(record.meta)
    if product is None or product.product_id in known.finished:
        return
    if product.product_id in known.products:
        return
    state = ProductState.SENDING if index_lost else ProductState.NEW
    found.products[product.product_id] = StoredProduct(
        product, record.place, len(record.meta), state
    )
    found.unindexed.append(IndexRow(product.product_id, record.place, record.meta, state, b""))


def _product_from(manifest: bytes) -> Product | None:
    try:
        content = decode_manifest_packet(manifest)
    except WireError:
        return None
    return product_of(content) if isinstance(content, Manifest) else None
