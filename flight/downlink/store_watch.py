"""Looks at the store once a second: figures into telemetry, and a medium that hangs is told.

Hop "told" of image -> ground. A medium that fails raises an error; one that hangs raises nothing:
that nothing becomes durable any more is all there is to see of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.downlink.product_lives import EventTaker
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.telemetry.channel_values import ChannelValues

STALLED_NS = 3_000_000_000
"""Worn SD cards take up to a second for a sync now and then; who needs three hangs."""
_NS_PER_S = 1_000_000_000


class StoreWatch:
    """Owns the memory of what was durable when.

    Attributes:
        stalled: requests wait, and none of them has become durable for `STALLED_NS`.
    """

    def __init__(self, store: ProductStore, channels: ChannelValues, events: EventTaker) -> None:
        self._store = store
        self._values = channels.values
        self._events = events
        self._durable_mark = 0
        self._since_ns: int | None = None
        self.stalled = False
        self._index = tuple(
            channels.index(name)
            for name in (
                "store.products",
                "store.bytes",
                "store.commits_total",
                "store.outstanding",
                "store.failed",
                "store.damaged_total",
                "store.repaired_total",
                "store.moved_bytes",
                "store.scrubbed_bytes",
            )
        )

    def step(self, now_ns: int) -> None:
        """Once a second."""
        store = self._store
        if (
            self._since_ns is None
            or not store.outstanding
            or self._durable_mark < store.durable_mark
        ):
            self._durable_mark = store.durable_mark
            self._stalled(now_ns, stalled=False)
            self._since_ns = now_ns
        elif now_ns - self._since_ns >= STALLED_NS:
            self._stalled(now_ns, stalled=True)
        self.publish()

    def publish(self) -> None:
        """Figures as they are now."""
        store, counters = self._store, self._store.counters
        row = (
            store.products,
            store.payload_bytes,
            counters.commits,
            store.outstanding,
            store.closed or self.stalled,
            counters.records_damaged,
            counters.records_repaired,
            counters.moved_bytes,
            counters.scrubbed_bytes,
        )
        values = self._values
        for index, value in zip(self._index, row, strict=True):
            values[index] = value

    def _stalled(self, now_ns: int, *, stalled: bool) -> None:
        """Tells the edges."""
        if stalled != self.stalled and self._since_ns is not None:
            name = "STORE_STALLED" if stalled else "STORE_RESUMED"
            self._events.emit(name, now_ns, seconds=(now_ns - self._since_ns) // _NS_PER_S)
        self.stalled = stalled
