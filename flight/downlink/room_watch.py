"""How near queue and store are to their bounds: told, and passed on to whoever makes products.

Hop "acted" of image → ground, seen from its end. When either nears its bound, what would give way
first is not even made: only what is denser is taken (`takes`), and where nothing that could be made
is, the payload rests. A band keeps both from chattering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.hysteresis import Hysteresis
from flight.downlink.product import Producer, ProductClass
from flight.downlink.queue_values import OVER_QUOTA, Loss

if TYPE_CHECKING:
    from collections.abc import Collection

    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.product import Product
    from flight.downlink.product_lives import EventTaker
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.telemetry.channel_values import ChannelValues

NEAR = 0.9
"""Share of a bound from which on it presses."""
EASED = 0.9
"""Share of that, down to which it goes on pressing."""
QUOTA_EASED = 0.5
"""Share of a quota below which reaching it is news again; one large product is no news."""
_TOLD_PRODUCERS = (Producer.IMAGING, Producer.TELEMETRY, Producer.COMMANDING)


class RoomWatch:
    """Owns the band and what was told of it; looked at once a cycle.

    Args:
        queue: what waits, and its bounds.
        store: what is on the medium, `cap_bytes` at most.
    """

    def __init__(
        self,
        queue: DownlinkQueue,
        store: ProductStore,
        cap_bytes: int,
        channels: ChannelValues,
        events: EventTaker,
    ) -> None:
        self._queue = queue
        self._room = queue.room
        self._store = store
        self._cap_bytes = cap_bytes
        self._values = channels.values
        self._events = events
        self._band = Hysteresis(1.0, EASED)
        self._at_quota: set[Producer] = set()
        self.held_back = 0
        """Results that were not taken, because they would have been the first to go."""
        told = (
            *("products", "bytes", "high_water_bytes", "dropped_total", "delivered_total"),
            *("quota_dropped_total", "held_back_total", "pressed"),
            *(f"{producer.name.lower()}_bytes" for producer in _TOLD_PRODUCERS),
        )
        self._index = tuple(channels.index(f"queue.{name}") for name in told)

    @property
    def pressed(self) -> bool:
        """Whether queue or store are near their bounds."""
        return self._band.active

    def takes(self, drafts: Collection[tuple[int, int]], now_ns: int) -> bool:
        """Whether any of these (value in thousandths, size in bytes) would be worth its room.

        Where nothing is known yet about what would be made, it is.
        """
        return (
            not self.pressed
            or not drafts
            or any(
                self._room.would_keep(value_millis, size_bytes, now_ns)
                for value_millis, size_bytes in drafts
            )
        )

    def no_place_for(self, product: Product, free_bytes: int, now_ns: int) -> str:
        """Why a product is not even written, "" when it is.

        A result has no place either where it would be the first to give way; an emergency never is.
        """
        if product.size_bytes > free_bytes:
            return Loss.REFUSED_FULL.value
        if product.klass is ProductClass.EMERGENCY:
            return ""
        draft = ((product.value_millis, product.size_bytes),)
        if product.producer is not Producer.IMAGING or self.takes(draft, now_ns):
            return ""
        self.held_back += 1
        return "back pressure"

    def step(self, waiting_bytes: int, pressure_bytes: float, now_ns: int) -> None:
        """Follows the fill; `pressure_bytes` is the operator's own bound of what waits."""
        config = self._room.config
        fill = max(
            waiting_bytes / min(pressure_bytes, NEAR * config.budget_bytes),
            len(self._queue) / (NEAR * config.products_max),
            self._store.payload_bytes / (NEAR * self._cap_bytes),
        )
        before = self.pressed
        if self._band.update(fill) != before:
            name = "QUEUE_EASED" if before else "QUEUE_FULL"
            self._events.emit(name, now_ns, bytes=waiting_bytes)
        for producer in tuple(self._at_quota):
            if self._room.held[producer] <= QUOTA_EASED * config.quotas.get(producer, 0):
                self._at_quota.discard(producer)

    def quota_met(self, producer: Producer, now_ns: int) -> None:
        """It had to give up a product of its own; told once until it is well below its quota."""
        if producer not in self._at_quota:
            self._at_quota.add(producer)
            quota_bytes = self._room.config.quotas[producer]
            self._events.emit(
                "QUOTA_REACHED", now_ns, producer=producer.name.lower(), bytes=quota_bytes
            )

    def publish(self, lost_total: int, delivered_total: int) -> None:
        """Figures as they are now."""
        room, lost = self._room, self._queue.losses.products
        row = (
            len(self._queue),
            room.bytes,
            room.high_bytes,
            lost_total,
            delivered_total,
            sum(lost[reason] for reason in OVER_QUOTA),
            self.held_back,
            self.pressed,
            *(room.held[producer] for producer in _TOLD_PRODUCERS),
        )
        for index, value in zip(self._index, row, strict=True):
            self._values[index] = value
