"""What the downlink queue says and is told: verdicts, losses, bounds, counters.

Image -> ground, hop "acted". Apart from the queue so that telemetry and the store can name them.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product import Producer  # noqa: TC001  read from the annotation
from flight.downlink.queue_entry import OrderConfig, OrderMode

if TYPE_CHECKING:
    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.far_products import Held
    from flight.downlink.product import Product


class Verdict(Enum):
    """What became of an offer."""

    ADMITTED = "admitted"
    DISPLACED = "displaced"
    REFUSED = "refused"


class Loss(Enum):
    """Why a product did not enter or left undelivered; each has its own counter."""

    EVICTED = "evicted"
    EVICTED_QUOTA = "evicted_quota"
    EXPIRED = "expired"
    DELETED = "deleted"
    DAMAGED = "damaged"
    SUPERSEDED = "superseded"
    REFUSED_FULL = "refused_full"
    REFUSED_QUOTA = "refused_quota"
    REFUSED_DUPLICATE = "refused_duplicate"
    REFUSED_TOO_LARGE = "refused_too_large"
    REFUSED_EXPIRED = "refused_expired"


OVER_QUOTA = (Loss.EVICTED_QUOTA, Loss.REFUSED_QUOTA)
WANT_OF_ROOM = (Loss.EVICTED, Loss.REFUSED_FULL, Loss.REFUSED_TOO_LARGE, *OVER_QUOTA)


class AckResult(Enum):
    """What an acknowledgement did. COMPLETE: the ground has reported every byte."""

    PARTIAL = "partial"
    COMPLETE = "complete"
    UNKNOWN = "unknown"


class Admission(msgspec.Struct, frozen=True):
    """ADMITTED; DISPLACED: admitted, and `displaced` ids gave way; REFUSED for `reason`.

    `over_quota` are ids of the same producer that gave way because it is at its quota;
    `superseded` is the older product that an admitted one has replaced.
    """

    verdict: Verdict
    displaced: tuple[int, ...] = ()
    over_quota: tuple[int, ...] = ()
    reason: Loss | None = None
    superseded: int | None = None


class AuditRecord(msgspec.Struct, frozen=True):
    """A product that was lost on purpose: identity, why, when, and how much was still missing."""

    product_id: int
    reason: Loss
    now_ns: int
    missing_bytes: int
    value_millis: int


class QueueConfig(msgspec.Struct, frozen=True):
    """Attributes: bounds of the queue.

    Attributes:
        budget_bytes: sum of the sizes of all products held, acknowledged bytes included, because
            storage is freed only by end-to-end completion.
        products_max: number of products held.
        audit_max: audit records kept until drained; older ones are dropped and counted.
        order: see `OrderConfig`.
        near_products: of those that only wait the densest so many are at hand, where the others
            may be put away (`NearWindow`).
        quotas: bytes that one producer's products may take, emergencies apart: these are always
            taken, though they count. Who is not named may take all of the budget.
    """

    budget_bytes: int = 64 << 30
    products_max: int = 200_000
    audit_max: int = 1_024
    order: OrderConfig = OrderConfig()
    near_products: int = 4_608
    quotas: dict[Producer, int] = {}


def refusal_of(product: Product, config: QueueConfig, now_ns: int, *, held: bool) -> Loss | None:
    """Why a product is refused whatever else is queued, or None."""
    if held:
        return Loss.REFUSED_DUPLICATE
    if product.size_bytes > config.budget_bytes:
        return Loss.REFUSED_TOO_LARGE
    late = product.deadline_ns is not None and product.deadline_ns <= now_ns
    return Loss.REFUSED_EXPIRED if late and not config.order.send_late else None


class QueueSnapshot(msgspec.Struct, frozen=True):
    """Depths, high-water marks and losses, for telemetry; `ready_bytes` of what is at hand."""

    products: int
    queued_bytes: int
    queued_millis: int
    ready_bytes: int
    high_water_products: int
    high_water_bytes: int
    delivered_products: int
    delivered_bytes: int
    lost_products: dict[Loss, int]
    lost_bytes: dict[Loss, int]
    resent_bytes: int
    floor_bytes: int
    late_marked: int
    audit_dropped: int
    held_bytes: dict[Producer, int]
    mode: OrderMode


class RoomGauge:
    """The queue as one of the queues of the node, in products; see `queue_table`.

    Attributes:
        capacity: products it may hold; its bytes are bounded as well.
    """

    name = "products"

    def __init__(self, queue: DownlinkQueue, config: QueueConfig) -> None:
        self._queue = queue
        self.capacity = config.products_max

    @property
    def high_water(self) -> int:
        """Most it ever held."""
        return self._queue.room.high_products

    @property
    def dropped(self) -> int:
        """Products that gave way, or were refused, for want of room."""
        lost = self._queue.losses.products
        return sum(lost[reason] for reason in WANT_OF_ROOM)

    def __len__(self) -> int:
        return len(self._queue)


class LossLedger:
    """Counts losses and keeps the newest `audit_max` of them until drained.

    Attributes:
        products: products lost, by reason.
        bytes: bytes that were still missing on the ground, by reason.
        dropped: records that nobody fetched in time.
    """

    def __init__(self, audit_max: int) -> None:
        self._records: deque[AuditRecord] = deque()
        self._max = audit_max
        self.products = dict.fromkeys(Loss, 0)
        self.bytes = dict.fromkeys(Loss, 0)
        self.dropped = 0

    def count(self, product: Held, reason: Loss, now_ns: int, missing_bytes: int) -> None:
        """One more loss."""
        self.products[reason] += 1
        self.bytes[reason] += missing_bytes
        if len(self._records) >= self._max:
            self._records.popleft()
            self.dropped += 1
        self._records.append(
            AuditRecord(product.product_id, reason, now_ns, missing_bytes, product.value_millis)
        )

    def drain(self) -> list[AuditRecord]:
        """The records since the last call, oldest first."""
        records = list(self._records)
        self._records.clear()
        return records
