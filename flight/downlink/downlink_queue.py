"""The downlink queue: which bytes go next, what arrived, and what gives way when space runs out.

Image -> ground, hop "acted". Pure. A product enters when the store has made it durable, is cut into
segments, gets lost bytes back, and leaves when the ground has verified it end to end (`complete`)
or by a loss that is counted and audited: evicted for something denser, expired, deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flight.downlink.downlink_order import SendOrder
from flight.downlink.held_products import HeldProducts
from flight.downlink.product import Product, Segment
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

    from flight.downlink.far_products import FarProducts, Held
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
        far: FarProducts | None = None,
    ) -> None:
        self._config = config or QueueConfig()
        assert far is None or not self._config.order.send_late, "what is late is not fetched"
        self._overhead = first_overhead_bytes
        self._order = SendOrder(self._config.order)
        self._held = HeldProducts(self._config, self._order, far)
        self._entries, self.room = self._held.entries, self._held.room
        self.losses = LossLedger(self._config.audit_max)
        self._delivered_products = self._delivered_bytes = self._resent_bytes = 0

    def __len__(self) -> int:
        return self.room.products

    def __contains__(self, product_id: int) -> bool:
        return self._held.held(product_id) is not None

    @property
    def queued_bytes(self) -> int:
        """Sizes of all products held, together."""
        return self.room.bytes

    def product(self, product_id: int) -> Product | None:
        """The product as queued, or None."""
        entry = self._held.near(product_id)
        return None if entry is None else entry.product

    def acked_ranges(self, product_id: int) -> tuple[tuple[int, int], ...]:
        """What the ground has reported of it, for the store; empty for an unknown id."""
        entry = self._entries.get(product_id)
        return () if entry is None else tuple(entry.acked)

    def look_ahead(self, horizon: Horizon | None, now_ns: int) -> None:
        """What the contacts are expected to carry, about once a second; None: unknown."""
        self._held.tend()
        self._held.meet(now_ns)
        self._order.look_ahead(horizon, now_ns)

    def adopt(self, now_ns: int) -> Admission:
        """After a start: takes in what is far; what there is no room for gives way."""
        self._held.adopt()
        lost: dict[Loss, list[int]] = {Loss.EVICTED: [], Loss.EVICTED_QUOTA: []}
        for each, reason in self.room.excess():
            lost[reason].append(self._lose(each, reason, now_ns))
        self._held.fill()
        return Admission(
            Verdict.DISPLACED if any(lost.values()) else Verdict.ADMITTED,
            displaced=tuple(lost[Loss.EVICTED]),
            over_quota=tuple(lost[Loss.EVICTED_QUOTA]),
        )

    def offer(self, product: Product, now_ns: int, *, suspended: bool = False) -> Admission:
        """Takes a durable product in, evicting less dense ones where space demands it.

        A `suspended` one is held back until `resume` says what the ground has of it.
        """
        self._order.offered(product)
        refusal = refusal_of(product, self._config, now_ns, held=product.product_id in self)
        if refusal is not None:
            return self._refuse(product, refusal, now_ns)
        older = None if product.supersedes is None else self._held.held(product.supersedes)
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
        self.room.entered(product)
        self._held.enter(product, suspended)
        self._held.tend()
        verdict = Verdict.DISPLACED if displaced or over_quota else Verdict.ADMITTED
        superseded = None if older is None else older.product_id
        return Admission(verdict, displaced, over_quota, superseded=superseded)

    def next_segment(self, now_ns: int, max_bytes: int, *, urgent: bool = False) -> Segment | None:
        """The bytes that go next, at most `max_bytes`, or None when nothing may or can go.

        Of emergencies alone if they have to be `urgent`.

        The bytes count as in flight from here on: pair each with `acknowledge` or `requeue`.
        """
        if not urgent:
            self._held.meet(now_ns)
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
            self._held.release_dependents(entry)
        return Segment(product.product_id, start, end - start, product.size_bytes)

    def urgent_waits(self, now_ns: int) -> bool:
        """Whether an emergency is there to be sent."""
        return self._order.urgent(now_ns)

    def requeue(self, product_id: int, offset: int, length: int) -> None:
        """Lost bytes go back; what has been acknowledged meanwhile, or is unknown, does not."""
        if (entry := self._held.near(product_id)) is None:
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
        if (entry := self._held.near(product_id)) is None:
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
            self._held.rank(entry)
        return AckResult.PARTIAL

    def complete(self, product_id: int) -> bool:
        """The ground holds it, verified: it leaves. False for an unknown id (idempotent)."""
        if (held := self._held.held(product_id)) is None:
            return False
        self._held.remove(held)
        self._delivered_products += 1
        self._delivered_bytes += held.size_bytes
        return True

    def suspend(self, product_id: int) -> bool:
        """Holds a product back until `resume`; False for an unknown id."""
        entry = self._held.near(product_id)
        if entry is not None:
            entry.suspended = True
            self._order.refresh(entry)
        return entry is not None

    def resume(self, product_id: int, held: Iterable[tuple[int, int]]) -> bool:
        """Continues with exactly what the ground lacks: `held` replaces what was known before."""
        if (entry := self._held.near(product_id)) is None:
            return False
        self._held.answered(product_id)
        size = entry.product.size_bytes
        entry.suspended = True
        self._order.refresh(entry)  # out of account while its ranges change
        entry.acked = RangeSet((max(start, 0), min(end, size)) for start, end in held)
        entry.pending = RangeSet(entry.acked.gaps(0, size))
        entry.suspended = False
        self._held.rank(entry)
        self._held.watch(entry.product)
        return True

    def expire(self, now_ns: int) -> list[int]:
        """Drops products past their deadline, unless wholly reported or to be sent late."""
        expired: list[int] = []
        for entry in self._held.due(now_ns):
            if self._config.order.send_late:
                self._order.fall_behind(entry)
            elif entry.remaining_bytes:
                expired.append(self._lose(entry.product, Loss.EXPIRED, now_ns))
        far = self._held.far_due(now_ns)
        return expired + [self._lose(row, Loss.EXPIRED, now_ns) for row in far]

    def take_damaged(self, now_ns: int) -> list[int]:
        """Products that were to come near and can no longer be read; each is lost."""
        return [self._lose(row, Loss.DAMAGED, now_ns) for row in self._held.take_unreadable()]

    def reprioritise(self, product_id: int, value_millis: int) -> bool:
        """Another value (>= 0); a higher one also calls for it. False for an unknown id."""
        entry = self._held.near(product_id)
        if entry is None:
            return False
        if value_millis > entry.product.value_millis:
            self._order.call_for(entry)
        self.room.left(entry.product)
        entry.product = msgspec.structs.replace(entry.product, value_millis=value_millis)
        self.room.entered(entry.product)
        self._held.rank(entry)
        return True

    def delete(self, product_id: int, now_ns: int = 0) -> bool:
        """Drops a product on command; False for an unknown id."""
        if (held := self._held.held(product_id)) is not None:
            self._lose(held, Loss.DELETED, now_ns)
        return held is not None

    def snapshot(self) -> QueueSnapshot:
        """Depths, high-water marks and losses so far."""
        return QueueSnapshot(
            products=self.room.products,
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

    def _lose(self, held: Held, reason: Loss, now_ns: int) -> int:
        entry = self._entries.get(held.product_id)
        missing_bytes = held.size_bytes if entry is None else entry.remaining_bytes
        self._held.remove(held)
        self.losses.count(held, reason, now_ns, missing_bytes)
        return held.product_id
