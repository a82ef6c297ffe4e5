"""One product's place in the queue.

Image -> ground, hop "acted": shared by the queue (owns entries), the order of sending and the order
of eviction (rank them).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product import AGEING_NS, net_ageing_ns
from flight.downlink.send_plan import PlanConfig

if TYPE_CHECKING:
    from flight.downlink.product import Product
    from flight.wire.ranges import RangeSet


class OrderMode(Enum):
    """What ranks the ordinary products at present."""

    PLANNED = "planned"
    DENSITY = "density"


class OrderConfig(msgspec.Struct, frozen=True):
    """Attributes: tuning of the order.

    Attributes:
        ageing_ns: waiting this long doubles a product's density; None: waiting counts nothing.
        half_life_ns: a product of this age is worth half of what it was; None: it keeps its value.
        floor_permille: share of the bytes that a class with ready products gets in any case.
            2 % each costs at most 10 % of the value order and keeps every class moving.
        plan: how much the forecast of the contacts is trusted.
        send_late: products past their deadline are kept and sent as fill, when nothing else is
            left to send. Default: they are dropped with a record, for storage is dearer here.
    """

    ageing_ns: int | None = AGEING_NS
    floor_permille: int = 20
    send_late: bool = False
    plan: PlanConfig = PlanConfig()
    half_life_ns: int | None = None

    @property
    def net_ageing_ns(self) -> int | None:
        """Both together, as ranks have them; see `net_ageing_ns`."""
        return net_ageing_ns(self.ageing_ns, self.half_life_ns)


class Entry:
    """One product in the queue; owned by the queue, ranked by the order.

    Attributes:
        pending: bytes to send, lost ones included; bytes in flight are in neither set.
        acked: bytes the ground has reported.
        called: the ground has asked for it; only `SendOrder` writes it.
        heaps: one bit for each `EntryHeap` it has a live item in; only these write it.
        ready: may be selected now; only `SendOrder.refresh` and `remove` write it.
    """

    __slots__ = (
        "acked",
        "boost",
        "called",
        "dependents",
        "heaps",
        "key",
        "keyed_bytes",
        "late",
        "pending",
        "product",
        "ready",
        "sent_once",
        "stamp",
        "suspended",
        "waits_on",
    )

    def __init__(self, product: Product, pending: RangeSet, acked: RangeSet) -> None:
        self.product = product
        self.pending = pending
        self.acked = acked
        self.dependents: list[int] = []
        self.waits_on: int | None = None
        self.suspended = self.late = self.ready = self.sent_once = self.called = False
        self.heaps = 0
        self.boost: float | None = None
        self.key = 0.0
        self.keyed_bytes = 0
        self.stamp = -1

    @property
    def remaining_bytes(self) -> int:
        """Bytes not yet acknowledged."""
        return self.product.size_bytes - self.acked.size
