"""The product store: what has settled survives a power cut, what has not does not count yet.

Image -> ground, hop "durable before it counts". This is the loop's side: the catalogue in memory,
and requests to a writer that owns segments and index (`StoreEngine`). Nothing waits for the medium
but `recover`, `settle` and `close`, before and after a flight; an `InlineWriter` settles at once.

Deleting has two phases: DELIVERED is made durable first, the next commit frees the space, and a
segment is unlinked when nothing in it is alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.product import AGEING_NS, Product, manifest_of
from flight.downlink.product_catalogue import ProductCatalogue, row_of
from flight.downlink.segment_record import NOWHERE, PAYLOAD_BYTES_MAX
from flight.downlink.store_engine_sqlite import StoreEngine, open_index
from flight.downlink.store_names import StoreNames
from flight.downlink.store_request import PutRecord, WriteRequest, encode_ranges
from flight.downlink.store_values import (
    ProductState,
    Settled,
    StoreCounters,
    StoreError,
    StoreErrorKind,
)
from flight.downlink.stored_payloads import StoredPayloads
from flight.downlink.stored_products import RecoveredProducts, StoredFarProducts
from flight.wire.product_packet import encode_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from flight.downlink.file_store import FileStore
    from flight.downlink.store_request import Ranges, WriteOutcome
    from flight.downlink.store_writer import StoreWriter

WAITING_BYTES_MAX = 16 << 20
"""Payloads that may wait for the writer: a slow medium refuses products and eats no memory."""


class ProductStore(StoreNames):
    """Durable products, counters and state blobs; `recover` comes first.

    Args:
        files: where the segments are.
        index_path: the SQLite file.
        segment_bytes, capacity_bytes: size of a segment, space all segments may take.
        reserve_bytes: held back for counters on a full medium, see `StoreSpace`.
        ageing_ns: `OrderConfig.net_ageing_ns`: how products found at a start are ranked.
        device_sync: False only for a simulated node, see `FolderStore`.
        writer: who does the writing; on the spot if left out.

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
        ageing_ns: int | None = AGEING_NS,
        device_sync: bool = True,
        writer: StoreWriter | None = None,
    ) -> None:
        if writer is None:
            from flight.downlink.store_writer import InlineWriter  # noqa: PLC0415  no board needs it

            writer = InlineWriter()
        super().__init__(writer)
        self.catalogue = ProductCatalogue()
        self.far = StoredFarProducts(lambda: self.catalogue, self.describe)
        self._acked: dict[int, Ranges] = {}
        self._request, self._request_bytes, self._waiting_bytes = WriteRequest(), 0, 0
        self._to_free: dict[int, None] = {}
        self._payloads, self._settled = StoredPayloads(files), Settled()
        self.payload_bytes = 0  # of all products not freed yet
        self.counters = StoreCounters()
        self._writer.start(
            lambda: StoreEngine(
                files,
                lambda: open_index(index_path, device_sync=device_sync),
                segment_bytes=segment_bytes,
                capacity_bytes=capacity_bytes,
                reserve_bytes=reserve_bytes,
                ageing_ns=ageing_ns,
            )
        )

    @property
    def products(self) -> int:
        """Products not freed yet, uncommitted ones included."""
        return len(self.catalogue)

    @property
    def dirty(self) -> bool:
        """Whether a commit would write anything."""
        return bool(self._to_free or self._request.changes)

    def recover(self) -> RecoveredProducts:
        """What was durable before; call once, first.

        Records that the index does not know were synced by a commit that never returned; they
        count (nobody was told that they do not), as NEW. When the index was lost, all are SENDING.
        """
        assert not self.products, "recover once, first"
        found, rebuilt = self._writer.call(StoreEngine.recover)
        self.catalogue, self._acked = found.catalogue, found.acked
        self._remember(found.counters, found.blobs)
        counters = self.counters
        counters.records_unindexed, counters.index_rebuilt = found.unindexed, int(rebuilt)
        counters.records_damaged = found.missing_products
        self.payload_bytes = self.catalogue.sums().size_bytes
        delivered = list(self.catalogue.rows((ProductState.DELIVERED,)))
        self._to_free = dict.fromkeys(row.product_id for row in delivered)
        waiting_bytes = self.payload_bytes - sum(row.size_bytes for row in delivered)
        products = (self.catalogue, self._acked, self.describe)
        return RecoveredProducts(*products, waiting_bytes, found.lost)

    def describe(self, product_id: int) -> Product | None:
        """A product as its record says; None for an unknown one, or where the medium lost it."""
        for _ in range(2):
            if (row := self.catalogue.find(product_id)) is None:
                return None
            if (product := self._payloads.describe(row)) is not None:
                return product
            self.poll()  # it may have been moved meanwhile
        self.counters.records_damaged += 1
        return None

    def put(self, product: Product, payload: bytes) -> None:
        """Takes a product for the next commit; it counts only when it is in `Settled.durable`.

        Raises:
            StoreError: FULL and unchanged: too much waits, or no record is so long.
        """
        assert product.product_id not in self.catalogue, "identities are never used twice"
        assert len(payload) == product.size_bytes
        self._insist_open()
        waiting, size = self._request_bytes + self._waiting_bytes, len(payload)
        if size > PAYLOAD_BYTES_MAX or (waiting and waiting + size > WAITING_BYTES_MAX):
            raise StoreError(StoreErrorKind.FULL, f"{size} B, {waiting} B wait for the medium")
        manifest = encode_manifest(manifest_of(product))
        self.catalogue.add(row_of(product, len(manifest)))
        self.payload_bytes += product.size_bytes
        self._request.puts.append(PutRecord(product.product_id, manifest, payload))
        self._request_bytes += size

    def commit(self, now_ns: int) -> Settled:  # noqa: ARG002 - the caller paces, not the store
        """`submit`, and what has settled by then: on the spot, all of it."""
        self.submit()
        return self.take_settled()

    def submit(self) -> None:
        """Gives everything buffered to the writer, as soon as not too much is under way."""
        self._insist_open()
        if self._can_send:
            for product_id in self._to_free:
                if (row := self.catalogue.find(product_id)) is not None:
                    self._request.freed[product_id] = row.record_bytes
            self._to_free.clear()
            self._waiting_bytes += self._request_bytes
            request, self._request, self._request_bytes = self._request, WriteRequest(), 0
            self._send(request)

    def tend(self) -> None:
        """Has segments looked after, one bounded piece; call it every ten seconds or so."""
        if self._can_send and not self.closed:
            self._send(WriteRequest(tend=True))

    def take_settled(self) -> Settled:
        """What has settled since the last look, or a new failure of the writer."""
        self.poll()
        self._raise_failure()
        settled, self._settled = self._settled, Settled()
        return settled

    def read(self, product_id: int, offset: int, length: int) -> bytes:
        """Bytes [offset, offset + length) of a product; its record is verified when first read.

        Raises:
            StoreError: UNKNOWN, or DAMAGED when the record does not verify.
        """
        self._insist_open()
        payload = self._payloads.known(product_id) or self._load(product_id)
        return payload[offset : offset + length]

    def mark_sending(self, product_ids: Iterable[int]) -> None:
        """First bytes of these are about to go; in the next commit."""
        for product_id in product_ids:
            if self.catalogue.state_of(product_id) is ProductState.NEW:
                self.catalogue.set_state(product_id, ProductState.SENDING)
                self._request.states.setdefault(product_id, (ProductState.SENDING, None))

    def mark_acked_ranges(self, product_id: int, ranges: Sequence[tuple[int, int]]) -> None:
        """What the ground is known to hold of a product; in the next commit. Unknown ids pass."""
        if product_id in self.catalogue:
            self._acked[product_id] = tuple(ranges)
            self._request.acked[product_id] = encode_ranges(self._acked[product_id])
            self.mark_sending((product_id,))

    def mark_delivered(self, product_ids: Iterable[int]) -> None:
        """The ground holds these, verified: phase one, durable with the next commit; idempotent."""
        for product_id in product_ids:
            self._request.delivered[product_id] = None
            state = self.catalogue.state_of(product_id)
            if state is not None and state < ProductState.DELIVERED:
                self.catalogue.set_state(product_id, ProductState.DELIVERED)
                self._request.states[product_id] = (ProductState.DELIVERED, None)

    def delete(self, product_id: int, reason: str) -> bool:
        """Gives an undelivered product up, with the next commit; False for an unknown id."""
        state = self.catalogue.state_of(product_id)
        if state is None or state >= ProductState.DELIVERED:
            return False
        self.catalogue.set_state(product_id, ProductState.FREED)
        self._request.states[product_id] = (ProductState.FREED, reason)
        self._to_free[product_id] = None
        return True

    def close(self) -> None:
        """Gives files back; what was not committed is not durable."""
        super().close()
        self._payloads.close()

    def _apply(self, outcome: WriteOutcome) -> None:
        for product_id, place in (*outcome.places.items(), *outcome.moved.items()):
            self.catalogue.move(product_id, place)
        for product_id in outcome.refused:
            row = self.catalogue.find(product_id)
            if row is not None and row.place == NOWHERE:
                self._forget(product_id)
                self._settled.refused.append(product_id)
            elif row is not None:  # its record was lost, and there is no room for another one
                self._settled.damaged.append(product_id)
        for product_id in dict.fromkeys(outcome.damaged):
            self._damaged(product_id)
        for segment in outcome.freed_segments:
            self._payloads.forget_segment(segment)
            self.counters.segments_freed += 1
        self.counters.moved_bytes += outcome.moved_bytes
        self.counters.scrubbed_bytes += outcome.scrubbed_bytes

    def _confirm(self, request: WriteRequest, outcome: WriteOutcome) -> None:
        settled = self._settled
        for put in request.puts:
            self._waiting_bytes -= len(put.payload)
            if put.product_id in self.catalogue:
                settled.durable.append(put.product_id)
                self.counters.products_put += 1
        repaired = [put.product_id for put in request.rewrites if put.product_id in outcome.moved]
        self.counters.records_repaired += len(repaired)
        settled.repaired += repaired
        for product_id in request.delivered:
            settled.delivered.append(product_id)
            if product_id in request.states and product_id in self.catalogue:
                self._to_free[product_id] = None
        for product_id in request.freed:
            self._forget(product_id)
        settled.commits += request.changes
        self.counters.commits += request.changes

    def _forget(self, product_id: int) -> None:
        if (row := self.catalogue.find(product_id)) is not None:
            self.catalogue.drop(product_id)
            self._acked.pop(product_id, None)
            self.payload_bytes -= row.size_bytes
            self._payloads.forget(product_id)

    def _damaged(self, product_id: int) -> None:
        """Written again when its bytes are still known, else given up by whoever is told."""
        state = self.catalogue.state_of(product_id)
        if state is None or state >= ProductState.DELIVERED:
            return
        self.counters.records_damaged += 1
        payload = self._payloads.known(product_id)
        manifest = self._payloads.known_manifest(product_id)
        if payload is None or manifest is None:
            self._settled.damaged.append(product_id)
        else:
            self._request.rewrites.append(PutRecord(product_id, manifest, payload))

    def _load(self, product_id: int) -> bytes:
        for attempt in range(2):
            if (row := self.catalogue.find(product_id)) is None or row.place == NOWHERE:
                break
            try:
                return self._payloads.load(product_id, row.place)
            except StoreError as error:
                if attempt or error.kind is not StoreErrorKind.DAMAGED:
                    self.counters.records_damaged += error.kind is StoreErrorKind.DAMAGED
                    raise
            self.poll()  # it may have been moved meanwhile
        raise StoreError(StoreErrorKind.UNKNOWN, str(product_id))
