"""Which products leave undelivered: the least dense when storage is full, and those that are late.

Image -> ground, hop "acted", under storage pressure. Two kinds never give way: emergencies, and
products the ground has wholly reported, because their space comes back by itself soon. A producer
that is over its quota makes room among its own products alone.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from flight.downlink.product import Producer, Product, ProductClass, density_key, density_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from flight.downlink.queue_entry import Entry
    from flight.downlink.queue_values import QueueConfig

_COMPACT_SLACK = 64
_Item = tuple[float, int, int]


class EvictionOrder:
    """Ranks entries by the key they are sent by, lowest first; O(log n) amortised.

    Args:
        entries: the queue's own table, read to tell live items from dead ones.
        ageing_ns: as in `OrderConfig`, so that newcomers are ranked as the entries are.
    """

    def __init__(self, entries: Mapping[int, Entry], ageing_ns: int | None) -> None:
        self._entries = entries
        self._ageing_ns = ageing_ns
        self._heaps: list[list[_Item]] = [[] for _ in Producer]

    def rank(self, entry: Entry) -> None:
        """Takes note of the entry's new key."""
        if entry.product.klass is ProductClass.EMERGENCY:
            return
        heap = self._heaps[entry.product.producer]
        heappush(heap, (entry.key, entry.product.product_id, entry.stamp))
        if len(heap) > 2 * len(self._entries) + _COMPACT_SLACK:
            heap[:] = [item for item in heap if self._entry(item) is not None]
            heapify(heap)

    def victims_for(
        self,
        product: Product,
        need_bytes: int,
        need_products: int,
        *,
        among: Collection[Producer] = tuple(Producer),
        going: Collection[Entry] = (),
    ) -> list[Entry] | None:
        """The entries that have to go for `product`; None when it is not worth them, or too large.

        Nothing is evicted here. An emergency is worth anything that may give way; only products of
        `among` do, and those `going` anyhow are not chosen.
        """
        if need_bytes <= 0 and need_products <= 0:
            return []
        key = density_key(product, product.size_bytes, self._ageing_ns)
        urgent = product.klass is ProductClass.EMERGENCY
        victims: list[Entry] = []
        looked_at: list[_Item] = []
        while need_bytes > 0 or need_products > 0:
            heap = min(
                (heap for who in among if (heap := self._living(who))),
                key=lambda heap: heap[0],
                default=None,
            )
            if heap is None or (heap[0][0] >= key and not urgent):
                break
            looked_at.append(heappop(heap))
            entry = self._entries[looked_at[-1][1]]
            if entry.remaining_bytes and entry not in going:
                victims.append(entry)
                need_bytes -= entry.product.size_bytes
                need_products -= 1
        for item in looked_at:  # the victims' items die with them
            heappush(self._heaps[self._entries[item[1]].product.producer], item)
        return victims if need_bytes <= 0 and need_products <= 0 else None

    def lowest_key(self) -> float | None:
        """Of the product that would give way first; None when none may."""
        return min((heap[0][0] for who in Producer if (heap := self._living(who))), default=None)

    def _living(self, producer: Producer) -> list[_Item]:
        """The producer's heap, its dead items gone from the top."""
        heap = self._heaps[producer]
        while heap and self._entry(heap[0]) is None:
            heappop(heap)
        return heap

    def _entry(self, item: _Item) -> Entry | None:
        entry = self._entries.get(item[1])
        return entry if entry is not None and entry.stamp == item[2] else None


class QueueRoom:
    """Bytes and products that a queue holds, against its bounds and its producers' quotas.

    Args:
        entries: the queue's own table.
        config: the bounds.

    Attributes:
        config: the bounds.
        bytes, millis: sizes and values of all products held; `held`: sizes by producer.
        high_bytes, high_products: most there ever were.
    """

    def __init__(self, entries: Mapping[int, Entry], config: QueueConfig) -> None:
        self._entries = entries
        self.config = config
        self._eviction = EvictionOrder(entries, config.order.ageing_ns)
        self.rank = self._eviction.rank
        self.bytes = self.high_bytes = self.high_products = self.millis = 0
        self.held = dict.fromkeys(Producer, 0)

    def entered(self, product: Product) -> None:
        """It is in the table now."""
        self.bytes += product.size_bytes
        self.millis += product.value_millis
        self.held[product.producer] += product.size_bytes
        self.high_bytes = max(self.high_bytes, self.bytes)
        self.high_products = max(self.high_products, len(self._entries))

    def left(self, product: Product) -> None:
        """It is in the table no more."""
        self.bytes -= product.size_bytes
        self.millis -= product.value_millis
        self.held[product.producer] -= product.size_bytes

    def own_victims(self, product: Product, older: Entry | None) -> list[Entry] | None:
        """Whom of its own a producer at its quota has to give up; None: the newcomer itself."""
        producer = product.producer
        quota_bytes = self.config.quotas.get(producer)
        if quota_bytes is None or product.klass is ProductClass.EMERGENCY:
            return []
        need_bytes = self.held[producer] + product.size_bytes - quota_bytes
        if older is not None and older.product.producer is producer:
            need_bytes -= older.product.size_bytes
        going = () if older is None else (older,)
        return self._eviction.victims_for(product, need_bytes, 0, among=(producer,), going=going)

    def victims(
        self, product: Product, older: Entry | None, own: list[Entry]
    ) -> list[Entry] | None:
        """Who has to go beside the older one and its `own`, whose room is the newcomer's."""
        going = own if older is None else [older, *own]
        need_bytes = self.bytes + product.size_bytes - self.config.budget_bytes
        need_bytes -= sum(entry.product.size_bytes for entry in going)
        need_products = len(self._entries) + 1 - self.config.products_max - len(going)
        return self._eviction.victims_for(product, need_bytes, need_products, going=going)

    def would_keep(self, value_millis: int, size_bytes: int, now_ns: int) -> bool:
        """Whether such a product, made now, is denser than the one that would give way first."""
        lowest = self._eviction.lowest_key()
        if lowest is None or size_bytes <= 0:
            return True
        ageing_ns = self.config.order.ageing_ns
        return density_of(value_millis, size_bytes, now_ns, ageing_ns) > lowest


class DeadlineWatch:
    """Which products come to their deadline, in order; asked once a second.

    A product that has left, or was offered again with another deadline, is simply not met any more.

    Args:
        entries: the queue's own table.
    """

    def __init__(self, entries: Mapping[int, Entry]) -> None:
        self._entries = entries
        self._deadlines: list[tuple[int, int]] = []

    def watch(self, product: Product) -> None:
        """Takes note of its deadline, if it has one."""
        if product.deadline_ns is not None:
            heappush(self._deadlines, (product.deadline_ns, product.product_id))

    def due(self, now_ns: int) -> Iterator[Entry]:
        """The entries whose deadline is over, each once for each time it was watched."""
        while self._deadlines and self._deadlines[0][0] <= now_ns:
            deadline_ns, product_id = heappop(self._deadlines)
            entry = self._entries.get(product_id)
            if entry is not None and entry.product.deadline_ns == deadline_ns:
                yield entry
