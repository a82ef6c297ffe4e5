"""The downlink queue: which bytes go next, what arrived, and what gives way when space runs out.

Image -> ground, hop "acted". Pure. A product enters when the store has made it durable, is cut into
segments, gets lost bytes back, and leaves when the ground has verified it end to end (`complete`)
or by a loss that is counted and audited: evicted for something denser, expired, deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flight.downlink.dependencies import boosted_leaders, released_dependents, wait_for_leader
from flight.downlink.downlink_order import SendOrder
from flight.downlink.eviction import DeadlineWatch, QueueRoom
from flight.downlink.product import Product, Segment
from flight.downlink.queue_entry import Entry
from flight.downlink.queue_values import (
    AckResult,
    Admission,
    Loss,
    LossLedger,
    QueueConfig,
    QueueSnapshot,
    Verdict,
    refusal_of,
)
from flight.wire.ranges import RangeSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flight.downlink.send_horizon import Horizon

_RERANK_SHIFT = 3


class DownlinkQueue:
    """Pure queue of products; all ranges are half-open byte ranges.

    Args:
        config: bounds and tuning.
        first_overhead_bytes: octets that travel with the segment at offset 0 (its manifest); they
            are taken off `max_bytes` of that segment.

    Attributes:
        losses: by reason.
        room: what it holds, against its bounds.
    """

    def __init__(
        self,
        config: QueueConfig | None = None,
        first_overhead_bytes: Callable[[Product], int] = lambda _product: 0,
    ) -> None:
        self._config = config or QueueConfig()
        self._overhead = first_overhead_bytes
        self._order = SendOrder(self._config.order)
        self._entries: dict[int, Entry] = {}
        self.room = QueueRoom(self._entries, self._config)
        self._deadlines = DeadlineWatch(self._entries)
        self.losses = LossLedger(self._config.audit_max)
        self._delivered_products = self._delivered_bytes = self._resent_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, product_id: int) -> bool:
        return product_id in self._entries

    @property
    def queued_bytes(self) -> int:
        """Sizes of all products held, together."""
        return self.room.bytes

    def product(self, product_id: int) -> Product | None:
        """The product as queued, or None."""
        entry = self._entries.get(product_id)
        return None if entry is None else entry.product

    def acked_ranges(self, product_id: int) -> tuple[tuple[int, int], ...]:
        """What the ground has reported of it, for the store; empty for an unknown id."""
        entry = self._entries.get(product_id)
        return () if entry is None else tuple(entry.acked)

    def look_ahead(self, horizon: Horizon | None, now_ns: int) -> None:
        """What the contacts are expected to carry, about once a second; None: unknown."""
        self._order.look_ahead(horizon, now_ns)

    def offer(self, product: Product, now_ns: int, *, suspended: bool = False) -> Admission:
        """Takes a durable product in, evicting less dense ones where space demands it.

        A `suspended` one is held back until `resume` says what the ground has of it.
        """
        self._order.offered(product)
        refusal = refusal_of(product, self._config, now_ns, held=product.product_id in self)
        if refusal is not None:
            return self._refuse(product, refusal, now_ns)
        older = None if product.supersedes is None else self._entries.get(product.supersedes)
        own = self.room.own_victims(product, older)
        if own is None:
            return self._refuse(product, Loss.REFUSED_QUOTA, now_ns)
        victims = self.room.victims(product, older, own)
        if victims is None:
            return self._refuse(product, Loss.REFUSED_FULL, now_ns)
        if older is not None:
            self._lose(older, Loss.SUPERSEDED, now_ns)
        over_quota = tuple(self._lose(each, Loss.EVICTED_QUOTA, now_ns) for each in own)
        displaced = tuple(self._lose(victim, Loss.EVICTED, now_ns) for victim in victims)
        entry = Entry(product, RangeSet([(0, product.size_bytes)]), RangeSet())
        entry.suspended = suspended
        self._entries[product.product_id] = entry
        self.room.entered(product)
        wait_for_leader(entry, self._entries)
        self._rank(entry)
        self._boost_leaders(entry)
        self._deadlines.watch(product)
        verdict = Verdict.DISPLACED if displaced or over_quota else Verdict.ADMITTED
        superseded = None if older is None else older.product.product_id
        return Admission(verdict, displaced, over_quota, superseded=superseded)

    def next_segment(self, now_ns: int, max_bytes: int, *, urgent: bool = False) -> Segment | None:
        """The bytes that go next, at most `max_bytes`, or None when nothing may or can go.

        Of emergencies alone if they have to be `urgent`.

        The bytes count as in flight from here on: pair each with `acknowledge` or `requeue`.
        """
        entry = self._order.select(now_ns, max_bytes, urgent=urgent)
        if entry is not None and entry.pending.first()[0] == 0:
            max_bytes -= self._overhead(entry.product)
        if entry is None or max_bytes <= 0:
            return None
        product = entry.product
        start, end = entry.pending.take_first(max_bytes)
        self._order.taken(entry, end - start)
        self._order.pending_changed(entry, start - end)
        if entry.pending.size == 0 and not entry.sent_once:
            entry.sent_once = True
            self._release_dependents(entry)
        return Segment(product.product_id, start, end - start, product.size_bytes)

    def urgent_waits(self, now_ns: int) -> bool:
        """Whether an emergency is there to be sent."""
        return self._order.urgent(now_ns)

    def requeue(self, product_id: int, offset: int, length: int) -> None:
        """Lost bytes go back; what has been acknowledged meanwhile, or is unknown, does not."""
        if (entry := self._entries.get(product_id)) is None:
            return
        end = min(offset + length, entry.product.size_bytes)
        added = sum(entry.pending.add(*gap) for gap in entry.acked.gaps(max(offset, 0), end))
        self._resent_bytes += added
        if added:
            self._order.pending_changed(entry, added)

    def acknowledge(
        self,
        product_id: int,
        ranges: Sequence[tuple[int, int]],
        now_ns: int,  # noqa: ARG002 - what is acknowledged counts, not when
    ) -> AckResult:
        """The ground has reported these ranges; idempotent, also for ids that are long gone.

        COMPLETE frees nothing yet: the product stays until `complete`, for only the ground's
        verified digest is an end-to-end acknowledgement.
        """
        if (entry := self._entries.get(product_id)) is None:
            return AckResult.UNKNOWN
        size, removed = entry.product.size_bytes, 0
        for start, end in ranges:
            low, high = max(start, 0), min(end, size)
            entry.acked.add(low, high)
            if entry.pending.size:
                removed += entry.pending.remove(low, high)
        if removed:
            self._order.pending_changed(entry, -removed)
        if entry.remaining_bytes == 0:
            return AckResult.COMPLETE
        if entry.keyed_bytes - entry.remaining_bytes > entry.keyed_bytes >> _RERANK_SHIFT:
            self._rank(entry)
        return AckResult.PARTIAL

    def complete(self, product_id: int) -> bool:
        """The ground holds it, verified: it leaves. False for an unknown id (idempotent)."""
        entry = self._entries.get(product_id)
        if entry is not None:
            self._remove(entry)
            self._delivered_products += 1
            self._delivered_bytes += entry.product.size_bytes
        return entry is not None

    def suspend(self, product_id: int) -> bool:
        """Holds a product back until `resume`; False for an unknown id."""
        entry = self._entries.get(product_id)
        if entry is not None:
            entry.suspended = True
            self._order.refresh(entry)
        return entry is not None

    def resume(self, product_id: int, held: Iterable[tuple[int, int]]) -> bool:
        """Continues with exactly what the ground lacks: `held` replaces what was known before."""
        if (entry := self._entries.get(product_id)) is None:
            return False
        size = entry.product.size_bytes
        entry.suspended = True
        self._order.refresh(entry)  # out of account while its ranges change
        entry.acked = RangeSet((max(start, 0), min(end, size)) for start, end in held)
        entry.pending = RangeSet(entry.acked.gaps(0, size))
        entry.suspended = False
        self._rank(entry)
        self._deadlines.watch(entry.product)
        return True

    def expire(self, now_ns: int) -> list[int]:
        """Drops products past their deadline, unless wholly reported or to be sent late."""
        expired: list[int] = []
        for entry in self._deadlines.due(now_ns):
            if self._config.order.send_late:
                self._order.fall_behind(entry)
            elif entry.remaining_bytes:
                self._lose(entry, Loss.EXPIRED, now_ns)
                expired.append(entry.product.product_id)
        return expired

    def reprioritise(self, product_id: int, value_millis: int) -> bool:
        """Another value (>= 0); a higher one also calls for it. False for an unknown id."""
        entry = self._entries.get(product_id)
        if entry is None:
            return False
        if value_millis > entry.product.value_millis:
            self._order.call_for(entry)
        self.room.left(entry.product)
        entry.product = msgspec.structs.replace(entry.product, value_millis=value_millis)
        self.room.entered(entry.product)
        self._rank(entry)
        self._boost_leaders(entry)
        return True

    def delete(self, product_id: int, now_ns: int = 0) -> bool:
        """Drops a product on command; False for an unknown id."""
        if (entry := self._entries.get(product_id)) is not None:
            self._lose(entry, Loss.DELETED, now_ns)
        return entry is not None

    def snapshot(self) -> QueueSnapshot:
        """Depths, high-water marks and losses so far."""
        return QueueSnapshot(
            products=len(self._entries),
            queued_bytes=self.room.bytes,
            queued_millis=self.room.millis,
            ready_bytes=self._order.pending_bytes,
            high_water_products=self.room.high_products,
            high_water_bytes=self.room.high_bytes,
            delivered_products=self._delivered_products,
            delivered_bytes=self._delivered_bytes,
            lost_products=dict(self.losses.products),
            lost_bytes=dict(self.losses.bytes),
            resent_bytes=self._resent_bytes,
            floor_bytes=self._order.floor_bytes,
            late_marked=self._order.late_marked,
            audit_dropped=self.losses.dropped,
            held_bytes=dict(self.room.held),
            mode=self._order.mode,
        )

    def _refuse(self, product: Product, reason: Loss, now_ns: int) -> Admission:
        self.losses.count(product, reason, now_ns, product.size_bytes)
        return Admission(Verdict.REFUSED, reason=reason)

    def _rank(self, entry: Entry) -> None:
        self._order.rank(entry)
        self.room.rank(entry)

    def _boost_leaders(self, entry: Entry) -> None:
        for leader in boosted_leaders(entry, self._entries):
            self._rank(leader)

    def _release_dependents(self, entry: Entry) -> None:
        for waiting in released_dependents(entry, self._entries):
            self._order.refresh(waiting)

    def _lose(self, entry: Entry, reason: Loss, now_ns: int) -> int:
        self._remove(entry)
        self.losses.count(entry.product, reason, now_ns, entry.remaining_bytes)
        return entry.product.product_id

    def _remove(self, entry: Entry) -> None:
        self._order.remove(entry)
        del self._entries[entry.product.product_id]
        self.room.left(entry.product)
        self._release_dependents(entry)
