"""Heaps of queue entries whose items die lazily.

Image -> ground, hop "acted". An entry is ranked anew by giving it another stamp: the items that
bear the old one are dropped when they come to the top, or when they outnumber the living.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flight.downlink.queue_entry import Entry

_COMPACT_SLACK = 64
K = TypeVar("K", float, int, tuple[int, float])


class EntryHeap(Generic[K]):
    """Entries by a key, lowest first; an entry has at most one live item.

    Args:
        bit: this heap's own bit in `Entry.heaps`.
        late: whether it holds the entries that missed their deadline, or the others.
    """

    def __init__(self, bit: int, *, late: bool = False) -> None:
        self._bit = bit
        self._late = late
        self._items: list[tuple[K, int, int, Entry]] = []
        self._compact_at = _COMPACT_SLACK

    def __len__(self) -> int:
        """Items, dead ones included."""
        return len(self._items)

    def push(self, key: K, entry: Entry) -> None:
        """Puts an entry in, unless it is in already."""
        if entry.heaps & self._bit:
            return
        entry.heaps |= self._bit
        heappush(self._items, (key, entry.product.product_id, entry.stamp, entry))
        if len(self._items) > self._compact_at:
            self._compact()

    def head(self) -> Entry | None:
        """The entry with the lowest key that may be selected."""
        items = self._items
        while items:
            _, _, stamp, entry = items[0]
            if entry.stamp == stamp:
                if entry.ready and entry.late is self._late:
                    return entry
                entry.heaps &= ~self._bit
            heappop(items)
        return None

    def pop(self) -> Entry | None:
        """Takes the head out."""
        entry = self.head()
        if entry is not None:
            entry.heaps &= ~self._bit
            heappop(self._items)
        return entry

    def living(self) -> Iterator[Entry]:
        """All entries that may be selected, in no order."""
        late = self._late
        for _, _, stamp, entry in self._items:
            if entry.stamp == stamp and entry.ready and entry.late is late:
                yield entry

    def clear(self) -> None:
        """Takes all out."""
        for _, _, stamp, entry in self._items:
            if entry.stamp == stamp:
                entry.heaps &= ~self._bit
        self._items.clear()

    def _compact(self) -> None:
        kept = []
        for item in self._items:
            stamp, entry = item[2], item[3]
            if entry.stamp == stamp:
                if entry.ready and entry.late is self._late:
                    kept.append(item)
                else:
                    entry.heaps &= ~self._bit
        self._items = kept
        heapify(kept)
        self._compact_at = 2 * len(kept) + _COMPACT_SLACK
