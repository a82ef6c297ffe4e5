"""What gives way when storage is full: the least dense products first.

Image -> ground, hop "acted", under storage pressure. Two kinds never give way: emergencies, and
products the ground has wholly reported, because their space comes back by itself soon.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from flight.downlink.product import Product, ProductClass, density_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.downlink.queue_entry import Entry

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
        self._heap: list[_Item] = []

    def rank(self, entry: Entry) -> None:
        """Takes note of the entry's new key."""
        if entry.product.klass is ProductClass.EMERGENCY:
            return
        heappush(self._heap, (entry.key, entry.product.product_id, entry.stamp))
        if len(self._heap) > 2 * len(self._entries) + _COMPACT_SLACK:
            self._heap = [item for item in self._heap if self._entry(item) is not None]
            heapify(self._heap)

    def victims_for(
        self, product: Product, need_bytes: int, need_products: int, spare: Entry | None = None
    ) -> list[Entry] | None:
        """The entries that have to go for `product`; None when it is not worth them, or too large.

        Nothing is evicted here. An emergency is worth anything that may give way; `spare` goes
        anyhow and is not chosen.
        """
        if need_bytes <= 0 and need_products <= 0:
            return []
        key = density_key(product, product.size_bytes, self._ageing_ns)
        victims: list[Entry] = []
        looked_at: list[_Item] = []
        while self._heap and (need_bytes > 0 or need_products > 0):
            item = self._heap[0]
            entry = self._entry(item)
            if entry is not None and item[0] >= key and product.klass is not ProductClass.EMERGENCY:
                break
            heappop(self._heap)
            if entry is None:
                continue
            looked_at.append(item)
            if entry.remaining_bytes and entry is not spare:
                victims.append(entry)
                need_bytes -= entry.product.size_bytes
                need_products -= 1
        for item in looked_at:  # the victims' items die with them
            heappush(self._heap, item)
        return victims if need_bytes <= 0 and need_products <= 0 else None

    def _entry(self, item: _Item) -> Entry | None:
        entry = self._entries.get(item[1])
        return entry if entry is not None and entry.stamp == item[2] else None
