"""Which products come to their deadline, in order.

Image -> ground, hop "acted": the queue asks once a second; a product that has left, or was offered
again with another deadline, is simply no longer met.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flight.downlink.product import Product
    from flight.downlink.queue_entry import Entry


class DeadlineWatch:
    """Deadlines of the products in a queue; pure.

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
