"""Where results become products: durable first, then queued, gone only when the ground has them.

Hop "acted" of image → ground. A product counts from the commit on: `submit` only buffers, `step`
gives everything of the last second to the store's writer, and what has settled is offered: at once
where the writer works on the spot, with `settle` where it is a thread. Whatever leaves without
being delivered (evicted, expired, deleted) is counted, told and withdrawn from the ground.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.channels import Bounded, Overflow
from flight.downlink.product import Producer, Product, ProductClass
from flight.downlink.queue_values import Admission, Loss, Verdict
from flight.downlink.room_watch import RoomWatch
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.downlink.store_watch import StoreWatch
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.downlink.arq_sender import ArqSender
    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.product_lives import EventTaker
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.link_config import StoreConfig
    from flight.telemetry.channel_values import ChannelValues
    from flight.wire.counter_reserve import CounterReserve

WITHDRAWN_MAX = 4096
REQUESTS_MAX = 64
TEND_PERIOD_NS = 10_000_000_000
"""Between two looks after the segments: a scrub of 6 kB/s reads a full store in nine hours."""


class ProductIntake:
    """Owns the way into store and queue, and out of them.

    Attributes:
        deletions: product ids the ground wants gone (effect of a command, taken next step).
        revaluations: (product id, value in thousandths) the ground wants changed.
        withdrawn: ids to tell the ground it will not get.
        room: how near queue and store are to their bounds.
        made_bytes, made_millis: sizes and values of all that was taken in since the start.
    """

    name = "intake"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        store: ProductStore,
        queue: DownlinkQueue,
        arq: ArqSender,
        ids: CounterReserve,
        config: StoreConfig,
        channels: ChannelValues,
        events: EventTaker,
    ) -> None:
        self._store = store
        self._queue, self._arq, self._ids = queue, arq, ids
        self._cap_bytes = config.cap_bytes
        self._commit_period_ns = int(config.commit_period_s * 1e9)
        self._events = events
        self.room = RoomWatch(queue, store, config.cap_bytes, channels, events)
        self._watch = StoreWatch(store, channels, events)
        self._pending: dict[int, Product] = {}
        self._urgent: set[int] = set()
        self._pending_bytes = 0
        self._to_deliver: dict[int, None] = {}
        self._trouble = {"put": "", "commit": ""}
        self._refused_bytes = 0  # smallest that the store failed on since it was well
        self._commit_due_ns = self._tend_due_ns = 0
        self._lost_total = self.delivered_total = 0
        self.made_bytes = self.made_millis = 0
        self.deletions: Bounded[int] = Bounded("deletions", REQUESTS_MAX, Overflow.REJECT_NEWEST)
        self.revaluations: Bounded[tuple[int, int]] = Bounded(
            "revaluations", REQUESTS_MAX, Overflow.REJECT_NEWEST
        )
        self.withdrawn: Bounded[int] = Bounded("withdrawals", WITHDRAWN_MAX, Overflow.DROP_OLDEST)

    @property
    def free_bytes(self) -> int:
        """Payload bytes the store would still take; it counts what waits for a commit, too."""
        return max(0, self._cap_bytes - self._store.payload_bytes)

    @property
    def waiting_bytes(self) -> int:
        """Bytes the ground has not acknowledged yet."""
        return self._queue.queued_bytes + self._pending_bytes

    def submit(  # noqa: PLR0913  a product's own fields
        self,
        *,
        name: str,
        klass: ProductClass,
        payload: bytes,
        value_millis: int,
        deadline_ns: int | None,
        now_ns: int,
        producer: Producer = Producer.UNKNOWN,
        depends_on: int | None = None,
        supersedes: int | None = None,
    ) -> int | None:
        """Buffers one product for the next commit: its id, or None (counted, told) without room."""
        try:
            product_id = self._ids.take()
        except OSError as error:  # no number could be made durable; what has none has no name
            cause = error.__cause__
            kind = cause.kind.name if isinstance(cause, StoreError) else "SYNC"
            self._trouble_is("put", kind, now_ns)
            self._lost_total += 1
            return None
        product = Product(
            product_id=product_id, klass=klass, size_bytes=len(payload), value_millis=value_millis,
            deadline_ns=deadline_ns, created_ns=now_ns, crc32c=crc32c(payload), name=name,
            depends_on=depends_on, supersedes=supersedes, producer=producer,
        )  # fmt: skip
        if reason := self.room.no_place_for(product, self.free_bytes, now_ns):
            self._lost(product_id, reason, now_ns)
            return None
        try:
            self._store.put(product, payload)
        except StoreError as error:
            self._refused(product, error.kind, now_ns)
            return None
        self._pending[product_id] = product
        self._pending_bytes += len(payload)
        self.made_bytes += len(payload)
        self.made_millis += value_millis
        if klass is ProductClass.EMERGENCY:
            self._urgent.add(product_id)
            self._commit(now_ns)
            self.settle(now_ns)
        return product_id

    def hurry(self, now_ns: int) -> None:
        """In each turn of the contact loop: an emergency counts as soon as it is durable."""
        self._meet(now_ns)
        if self._urgent:
            self.settle(now_ns)

    def step(self, now_ns: int) -> None:
        """Once a second: requests, commit when due, offer, expiry, telemetry."""
        self._serve_requests(now_ns)
        if self._to_deliver or (self._store.dirty and now_ns >= self._commit_due_ns):
            self._commit(now_ns)
        if now_ns >= self._tend_due_ns:
            self._tend_due_ns = now_ns + TEND_PERIOD_NS
            self._store.tend()
        self.settle(now_ns)
        for product_id in self._queue.expire(now_ns):
            self._drop(product_id, "PRODUCT_EXPIRED", now_ns, "deadline")
        self._meet(now_ns)
        self._watch.step(now_ns)
        self.room.publish(self._lost_total, self.delivered_total)

    def finish(self, now_ns: int) -> None:
        """Before a stop: whatever waits for the next commit is made durable now.

        Raises:
            StoreError: the medium gives no answer.
        """
        if self._to_deliver or self._store.dirty:
            self._commit(now_ns)
        self._store.settle()
        self.settle(now_ns)
        self._watch.publish()
        self.room.publish(self._lost_total, self.delivered_total)

    def recover(self, now_ns: int) -> None:
        """After a start: what was never sent is queued, the rest asks first."""
        self._store.far.begin()
        self._give_way(self._queue.adopt(now_ns), now_ns)
        self._meet(now_ns)

    def _meet(self, now_ns: int) -> None:
        """What came near: told of, asked about, or found to be lost."""
        far = self._store.far
        while far.untold:
            self._tell_created(far.untold.pop(0), now_ns)
        if far.asking:
            self._arq.unfinished(far.asking)
            far.asking.clear()
        for product_id in self._queue.take_damaged(now_ns):
            self.drop_damaged(product_id, now_ns)

    def drop_damaged(self, product_id: int, now_ns: int) -> None:
        """A product that can no longer be read whole."""
        self._drop(product_id, "PRODUCT_EVICTED", now_ns, "damaged on the store")

    def delivered(self, product_ids: Sequence[int]) -> None:
        """The ground verified these end to end; they are freed once that is durable here."""
        self._to_deliver.update(dict.fromkeys(product_ids))

    def settle(self, now_ns: int) -> None:
        """Takes what the writer has done: only now new products count and delivered ones go."""
        try:
            settled = self._store.take_settled()
        except StoreError as error:
            self._trouble_is("commit", error.kind.name, now_ns)
            return
        if settled.commits:
            self._trouble_is("commit", "", now_ns)
        self._let_go(settled.delivered, now_ns)
        for product_id in settled.refused:
            self._refused(self._no_longer_pending(product_id), StoreErrorKind.FULL, now_ns)
        for product_id in settled.durable:
            self._offer(self._no_longer_pending(product_id), now_ns)
        for product_id in settled.damaged:
            if self._queue.delete(product_id, now_ns):
                self.drop_damaged(product_id, now_ns)
        for product_id in settled.repaired:
            self._events.emit("RECORD_REPAIRED", now_ns, product=product_id)

    def _no_longer_pending(self, product_id: int) -> Product:
        product = self._pending.pop(product_id)
        self._pending_bytes -= product.size_bytes
        self._urgent.discard(product_id)
        return product

    def _let_go(self, delivered: Sequence[int], now_ns: int) -> None:
        for product_id in delivered:
            if self._queue.complete(product_id):
                self.delivered_total += 1
                self._events.emit("PRODUCT_DELIVERED", now_ns, product=product_id)
        self._arq.freed(delivered)

    def _commit(self, now_ns: int) -> None:
        """One group commit, as far as the loop has a part in it."""
        self._commit_due_ns = now_ns + self._commit_period_ns
        self._store.mark_delivered(self._to_deliver)
        self._to_deliver.clear()
        try:
            self._store.submit()
        except StoreError as error:
            self._trouble_is("commit", error.kind.name, now_ns)

    def _refused(self, product: Product, kind: StoreErrorKind, now_ns: int) -> None:
        self._trouble_is("put", kind.name, now_ns)
        size = product.size_bytes
        self._refused_bytes = min(self._refused_bytes or size, size)
        self._lost(product.product_id, "store failed", now_ns)

    def _trouble_is(self, of: str, kind: str, now_ns: int) -> None:
        """Tells the edge, "" for none; what each failure costs is told product by product."""
        if kind and kind != self._trouble[of]:
            self._events.emit("STORE_FAILED", now_ns, kind=kind)
        self._trouble[of] = kind

    def _offer(self, product: Product, now_ns: int) -> None:
        # The last free bytes take a mask where no image fits: that is no medium with room again.
        if product.size_bytes >= self._refused_bytes:
            self._trouble_is("put", "", now_ns)
            self._refused_bytes = 0
        self._tell_created(product, now_ns)
        self._admit(product, now_ns, suspended=False)

    def _tell_created(self, product: Product, now_ns: int) -> None:
        self._events.emit(
            "PRODUCT_CREATED", now_ns, product=product.product_id, name=product.name,
            size=product.size_bytes, value=product.value_millis / 1000.0,
        )  # fmt: skip

    def _admit(self, product: Product, now_ns: int, *, suspended: bool) -> None:
        admission = self._queue.offer(product, now_ns, suspended=suspended)
        if admission.superseded is not None:
            self._drop(admission.superseded, "PRODUCT_EVICTED", now_ns, "superseded")
        self._give_way(admission, now_ns)
        if admission.over_quota or admission.reason is Loss.REFUSED_QUOTA:
            self.room.quota_met(product.producer, now_ns)
        if admission.verdict is Verdict.REFUSED:
            why = "refused" if admission.reason is None else admission.reason.value
            self._drop(product.product_id, "PRODUCT_EVICTED", now_ns, why)

    def _give_way(self, admission: Admission, now_ns: int) -> None:
        quota = Loss.EVICTED_QUOTA.value
        for ids, why in ((admission.displaced, "displaced"), (admission.over_quota, quota)):
            for product_id in ids:
                self._drop(product_id, "PRODUCT_EVICTED", now_ns, why)

    def _serve_requests(self, now_ns: int) -> None:
        while (product_id := self.deletions.take()) is not None:
            if self._queue.delete(product_id, now_ns):
                self._drop(product_id, "PRODUCT_DELETED", now_ns, "command")
        while (request := self.revaluations.take()) is not None:
            self._queue.reprioritise(*request)

    def _drop(self, product_id: int, event: str, now_ns: int, reason: str) -> None:
        self._store.delete(product_id, reason)
        self._arq.forget((product_id,))
        self.withdrawn.offer(product_id)
        self._lost(product_id, reason, now_ns, event)

    def _lost(self, product_id: int, why: str, now_ns: int, event: str = "PRODUCT_EVICTED") -> None:
        """Counted and told."""
        self._lost_total += 1
        self._events.emit(event, now_ns, product=product_id, reason=why, source="ground")
