"""The product store: what `commit` has returned survives a power cut, what was not, did not count.

Image -> ground, hop "durable before it counts". Payloads are records of the segment log, the point
of durability; SQLite indexes them and can be rebuilt from them. One group commit costs one device
sync for the segment and one for the index, whatever it carries. Synchronous: one thread owns it.

Deleting has two phases: DELIVERED is made durable first, the next commit frees the space, and a
segment is unlinked when nothing in it is alive. Counters and state blobs go into the log as well,
so that the loss of the index can never make a number be used twice.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from flight.downlink.durable_names import DurableNames
from flight.downlink.payload_cache import PayloadCache
from flight.downlink.product import Product, manifest_of
from flight.downlink.segment_file import RecordDamagedError, RecordKind, SegmentLog
from flight.downlink.store_index_sqlite import IndexBatch, IndexRow
from flight.downlink.store_recovery import (
    StoredProduct,
    encode_ranges,
    kind_of,
    load_index,
    open_index,
    replay_log,
)
from flight.downlink.store_space import StoreSpace
from flight.downlink.store_values import (
    ProductState,
    Recovered,
    StoreCounters,
    StoreError,
    StoreErrorKind,
)
from flight.wire.product_packet import encode_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from flight.downlink.file_store import FileStore

_CACHE_BYTES = 16 << 20


class ProductStore:
    """Durable products, counters and state blobs. Call `recover` once before anything else.

    Args:
        files: where the segments are.
        index_path: the SQLite file.
        segment_bytes: size of a segment.
        capacity_bytes: space all segments may take.
        reserve_bytes: held back for counters on a full medium, see `StoreSpace`.
        device_sync: False only for a simulated node, see `FolderStore`.

    Raises:
        StoreError: from every method, see `StoreErrorKind`.
    """

    def __init__(  # noqa: PLR0913  sizes are named
        self,
        files: FileStore,
        index_path: Path,
        *,
        segment_bytes: int = 8 << 20,
        capacity_bytes: int = 64 << 30,
        reserve_bytes: int = 0,
        device_sync: bool = True,
    ) -> None:
        self._products: dict[int, StoredProduct] = {}
        self._alive: dict[int, int] = {}
        self._batch = IndexBatch()
        self._to_free: dict[int, None] = {}
        self._names = DurableNames()
        self._cache = PayloadCache(_CACHE_BYTES)
        self._failed = False
        self.payload_bytes = 0  # of all products not freed yet
        self.counters = StoreCounters()
        with self._guard():
            self._log = SegmentLog(files, segment_bytes)
            self._space = StoreSpace(files, self._log, capacity_bytes, reserve_bytes)
            self._index, self._index_lost = self._space.insist(
                lambda: open_index(index_path, device_sync=device_sync)
            )

    @property
    def products(self) -> int:
        """Products not freed yet, uncommitted ones included."""
        return len(self._products)

    @property
    def dirty(self) -> bool:
        """Whether a commit would write anything."""
        return self._batch != IndexBatch() or bool(self._to_free)

    def recover(self) -> list[Recovered]:
        """What was durable before: undelivered products by identity; call once, first.

        Records of the log that the index does not know were synced by a commit that never
        returned; they count (nobody was told that they do not), as NEW. When the index was lost,
        everything in the log is taken for SENDING, so that the ground is asked first.
        """
        assert not self._products, "recover once, first"
        with self._guard():
            found = replay_log(self._log, load_index(self._index), index_lost=self._index_lost)
        self._products = found.products
        self._names = DurableNames(found.counters, found.blobs)
        self._batch = IndexBatch(rows=found.unindexed, freed_segments=found.missing_segments)
        self._batch.names, self._batch.blobs = dict(found.counters), dict(found.blobs)
        self.counters.records_unindexed = len(found.unindexed)
        self.counters.records_damaged = found.missing_products
        self.counters.index_rebuilt = int(self._index_lost and bool(self._log.segments))
        for product_id, stored in self._products.items():
            self._count_in(stored)
            if stored.state is ProductState.DELIVERED:
                self._to_free[product_id] = None
        self.commit(0)
        with contextlib.suppress(OSError):
            self._space.hold()
        unannounced = {row.product_id for row in found.unindexed}
        return [
            Recovered(stored.product, stored.state, stored.acked, product_id not in unannounced)
            for product_id, stored in sorted(self._products.items())
            if stored.state in {ProductState.NEW, ProductState.SENDING}
        ]

    def put(self, product: Product, payload: bytes) -> None:
        """Writes a product's record; it counts only when `commit` has returned its identity.

        Raises:
            StoreError: FULL, and nothing was changed.
        """
        assert product.product_id not in self._products, "identities are never used twice"
        assert len(payload) == product.size_bytes
        manifest = encode_manifest(manifest_of(product))
        with self._guard():
            self._space.for_product(self._names, len(manifest), len(payload))
            place = self._log.append(RecordKind.PRODUCT, product.product_id, manifest, payload)
        stored = StoredProduct(product, place, len(manifest), ProductState.NEW)
        self._products[product.product_id] = stored
        self._count_in(stored)
        row = IndexRow(product.product_id, place, manifest, ProductState.NEW, b"")
        self._batch.rows.append(row)

    def commit(self, now_ns: int) -> list[int]:  # noqa: ARG002 - the caller paces, not the store
        """Makes everything buffered durable; returns the products that count from now on."""
        freeing = list(self._to_free)
        for product_id in freeing:
            self._batch.states.setdefault(product_id, (ProductState.FREED, None))
        with self._guard():
            self._log.sync()
            self._space.insist(lambda: self._index.write(self._batch))
        batch, self._batch = self._batch, IndexBatch()
        self._to_free.clear()
        for product_id in freeing:
            self._free(product_id)
        for product_id, (state, _) in batch.states.items():
            stored = self._products.get(product_id)
            if stored is not None and state == ProductState.DELIVERED:
                self._to_free[product_id] = None
        self._unlink_dead_segments()
        durable = [row.product_id for row in batch.rows if row.product_id in self._products]
        self.counters.commits += 1
        self.counters.products_put += len(durable)
        return durable

    def read(self, product_id: int, offset: int, length: int) -> bytes:
        """Bytes [offset, offset + length) of a product; its record is verified when first read.

        Raises:
            StoreError: UNKNOWN, or DAMAGED when the record does not verify.
        """
        payload = self._cache.get(product_id) or self._load(product_id)
        return payload[offset : offset + length]

    def mark_sending(self, product_ids: Iterable[int]) -> None:
        """First bytes of these are about to go; in the next commit."""
        for product_id in product_ids:
            stored = self._products.get(product_id)
            if stored is not None and stored.state is ProductState.NEW:
                stored.state = ProductState.SENDING
                self._batch.states.setdefault(product_id, (ProductState.SENDING, None))

    def mark_acked_ranges(self, product_id: int, ranges: Sequence[tuple[int, int]]) -> None:
        """What the ground is known to hold of a product; in the next commit. Unknown ids pass."""
        stored = self._products.get(product_id)
        if stored is not None:
            stored.acked = tuple(ranges)
            self._batch.acked[product_id] = encode_ranges(stored.acked)
            self.mark_sending((product_id,))

    def mark_delivered(self, product_ids: Iterable[int], now_ns: int = 0) -> None:  # noqa: ARG002
        """The ground holds these, verified: phase one, durable with the next commit; idempotent."""
        for product_id in product_ids:
            stored = self._products.get(product_id)
            if stored is not None and stored.state < ProductState.DELIVERED:
                stored.state = ProductState.DELIVERED
                self._batch.states[product_id] = (ProductState.DELIVERED, None)

    def delete(self, product_id: int, reason: str) -> bool:
        """Gives an undelivered product up, with the next commit; False for an unknown id."""
        stored = self._products.get(product_id)
        if stored is None or stored.state >= ProductState.DELIVERED:
            return False
        stored.state = ProductState.FREED
        self._batch.states[product_id] = (ProductState.FREED, reason)
        self._to_free[product_id] = None
        return True

    def load_counter(self, name: str) -> int:
        """The highest value ever reserved of a counter, 0 for a new one."""
        return self._names.counters.get(name, 0)

    def store_counter(self, name: str, highest: int) -> None:
        """Makes a counter's highest reserved value durable before it returns; never lowers it."""
        assert highest >= self.load_counter(name), "counters only grow"
        self._write_now(RecordKind.COUNTER, name, highest, b"", IndexBatch(names={name: highest}))
        self._names.counters[name] = highest

    def reserve_counter(self, name: str, block: int) -> int:
        """Reserves `block` values durably; returns the first of them (1 for a new counter)."""
        self.store_counter(name, self.load_counter(name) + block)
        return self.load_counter(name) - block + 1

    def load_state(self, name: str) -> bytes | None:
        """A state blob, or None."""
        return self._names.blobs.get(name)

    def store_state(self, name: str, blob: bytes) -> None:
        """Makes a state blob durable before it returns."""
        self._write_now(RecordKind.STATE, name, 0, blob, IndexBatch(blobs={name: blob}))
        self._names.blobs[name] = blob

    def close(self) -> None:
        """Gives files back; what was not committed is not durable."""
        self._failed = True
        self._index.close()
        self._log.close()

    def _write_now(
        self, kind: RecordKind, name: str, identity: int, blob: bytes, batch: IndexBatch
    ) -> None:
        with self._guard():
            self._space.for_name(self._names, len(name.encode()), len(blob))
            self._log.append(kind, identity, name.encode(), blob)
            self._log.sync()
            self._space.insist(lambda: self._index.write(batch))

    def _load(self, product_id: int) -> bytes:
        stored = self._products.get(product_id)
        if stored is None:
            raise StoreError(StoreErrorKind.UNKNOWN, str(product_id))
        with self._guard():
            payload = self._log.read(stored.place).payload
        self._cache.put(product_id, payload)
        return payload

    def _count_in(self, stored: StoredProduct) -> None:
        segment = stored.place.segment
        self._alive[segment] = self._alive.get(segment, 0) + 1
        self.payload_bytes += stored.product.size_bytes

    def _free(self, product_id: int) -> None:
        stored = self._products.pop(product_id, None)
        if stored is None:
            return
        self._alive[stored.place.segment] -= 1
        self.payload_bytes -= stored.product.size_bytes
        self._cache.drop(product_id)

    def _unlink_dead_segments(self) -> None:
        """Only after a commit: what counters and blobs the active segment repeats is durable."""
        if self._log.active is None:
            return
        with self._guard():
            for segment in self._log.segments:
                if segment < self._log.active and not self._alive.get(segment):
                    self._log.free(segment)
                    self._batch.freed_segments.append(segment)
                    self.counters.segments_freed += 1

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        """Turns what the medium says into a StoreError; after anything but FULL nothing goes."""
        if self._failed:
            raise StoreError(StoreErrorKind.CLOSED)
        try:
            yield
        except RecordDamagedError as damage:
            self.counters.records_damaged += 1
            raise StoreError(StoreErrorKind.DAMAGED, str(damage)) from None
        except (OSError, sqlite3.Error) as error:
            kind = kind_of(error)
            self._failed = kind is not StoreErrorKind.FULL
            raise StoreError(kind, str(error)) from error
