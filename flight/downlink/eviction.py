"""Which products leave undelivered: the least dense when storage is full, and those that are late.

Image -> ground, hop "acted", under storage pressure. Two kinds never give way: emergencies, and
products the ground has wholly reported, because their space comes back by itself soon. A producer
that is over its quota makes room among its own products alone.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING

from flight.downlink.product import Producer, Product, ProductClass, density_key, density_of
from flight.downlink.queue_values import Loss

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from flight.downlink.far_products import FarRow, Held
    from flight.downlink.near_window import NearWindow
    from flight.downlink.queue_entry import Entry
    from flight.downlink.queue_values import QueueConfig

_COMPACT_SLACK = 64
_Item = tuple[float, int, int]


class EvictionOrder:
    """Ranks entries by the key they are sent by, lowest first; O(log n) amortised.

    Args:
        entries: the queue's own table, read to tell live items from dead ones.
        ageing_ns: `OrderConfig.net_ageing_ns`, so that newcomers are ranked as the entries are.
        window: knows the far products; None where all are in the table.
    """

    def __init__(
        self,
        entries: Mapping[int, Entry],
        ageing_ns: int | None,
        window: NearWindow | None = None,
    ) -> None:
        self._entries = entries
        self._ageing_ns = ageing_ns
        self._window = window
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
        going: Collection[int] = (),
    ) -> list[Held] | None:
        """What has to go for `product`; None when it is not worth them, or too large.

        Nothing is evicted here. An emergency is worth anything that may give way; only products of
        `among` do, and those `going` anyhow are not chosen. Of the far ones 4,096 go at most.
        """
        if need_bytes <= 0 and need_products <= 0:
            return []
        key = density_key(product, product.size_bytes, self._ageing_ns)
        bound = inf if product.klass is ProductClass.EMERGENCY else key
        victims: list[Held] = []
        looked_at: list[_Item] = []
        for victim in self._rising(among, bound, looked_at):
            if victim.product_id not in going:
                victims.append(victim)
                need_bytes -= victim.size_bytes
                need_products -= 1
            if need_bytes <= 0 and need_products <= 0:
                break
        for item in looked_at:  # the victims' items die with them
            heappush(self._heaps[self._entries[item[1]].product.producer], item)
        return victims if need_bytes <= 0 and need_products <= 0 else None

    def lowest_key(self) -> float:
        """Of the product that would give way first; infinite when none may."""
        near = min((heap[0][0] for who in Producer if (heap := self._living(who))), default=inf)
        return near if self._window is None else min(near, self._window.lowest_key())

    def _rising(
        self, among: Collection[Producer], bound: float, looked_at: list[_Item]
    ) -> Iterator[Held]:
        """What may give way, below a key, the least dense first; near items are taken out."""
        far: Iterator[FarRow] = iter(()) if self._window is None else self._window.rising(among)
        row = next(far, None)
        while True:
            heap = min(
                (heap for who in among if (heap := self._living(who))),
                key=lambda heap: heap[0],
                default=None,
            )
            near = (inf, 0, 0) if heap is None else heap[0]
            if row is not None and row.key < bound and (row.key, row.product_id) < near:
                yield row
                row = next(far, None)
            elif heap is not None and near[0] < bound:
                looked_at.append(heappop(heap))
                entry = self._entries[looked_at[-1][1]]
                if entry.remaining_bytes:
                    yield entry.product
            else:
                return

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
    """Bytes and products that a queue holds, near and far, against bounds and producers' quotas.

    Args:
        entries: the queue's own table.
        config: the bounds.
        window: knows the far products; None where all are in the table.

    Attributes:
        config: the bounds.
        products, bytes, millis: how many are held, their sizes, their values; `held`: sizes by
            producer.
        high_bytes, high_products: most there ever were.
    """

    def __init__(
        self,
        entries: Mapping[int, Entry],
        config: QueueConfig,
        window: NearWindow | None = None,
    ) -> None:
        self.config = config
        self._window = window
        self._eviction = EvictionOrder(entries, config.order.net_ageing_ns, window)
        self.rank = self._eviction.rank
        self.products = self.bytes = self.millis = 0
        self.high_bytes = self.high_products = 0
        self.held = dict.fromkeys(Producer, 0)

    def entered(self, product: Held) -> None:
        """It is held from now on."""
        self.adopted(product.producer, 1, product.size_bytes, product.value_millis)

    def adopted(self, producer: Producer, products: int, size_bytes: int, millis: int) -> None:
        """So many of a producer are."""
        self.products += products
        self.bytes += size_bytes
        self.millis += millis
        self.held[producer] += size_bytes
        self.high_bytes = max(self.high_bytes, self.bytes)
        self.high_products = max(self.high_products, self.products)

    def left(self, product: Held) -> None:
        """It is held no more."""
        self.products -= 1
        self.bytes -= product.size_bytes
        self.millis -= product.value_millis
        self.held[product.producer] -= product.size_bytes

    def own_victims(self, product: Product, older: Held | None) -> list[Held] | None:
        """Whom of its own a producer at its quota has to give up; None: the newcomer itself."""
        producer = product.producer
        quota_bytes = self.config.quotas.get(producer)
        if quota_bytes is None or product.klass is ProductClass.EMERGENCY:
            return []
        need_bytes = self.held[producer] + product.size_bytes - quota_bytes
        if older is not None and older.producer is producer:
            need_bytes -= older.size_bytes
        going = () if older is None else (older.product_id,)
        return self._eviction.victims_for(product, need_bytes, 0, among=(producer,), going=going)

    def victims(self, product: Product, older: Held | None, own: list[Held]) -> list[Held] | None:
        """Who has to go beside the older one and its `own`, whose room is the newcomer's."""
        going = own if older is None else [older, *own]
        need_bytes = self.bytes + product.size_bytes - self.config.budget_bytes
        need_bytes -= sum(each.size_bytes for each in going)
        need_products = self.products + 1 - self.config.products_max - len(going)
        ids = {each.product_id for each in going}
        return self._eviction.victims_for(product, need_bytes, need_products, going=ids)

    def excess(self) -> Iterator[tuple[Held, Loss]]:
        """Far products there is no room for, one by one as long as each is given up in turn."""
        quotas = [((who,), Loss.EVICTED_QUOTA) for who in self.config.quotas]
        for among, loss in (*quotas, (tuple(Producer), Loss.EVICTED)):
            while self._over(among):
                rows = [] if self._window is None else list(self._window.rising(among))
                for row in rows:
                    if not self._over(among):
                        break
                    yield row, loss
                if not rows:
                    break

    def would_keep(self, value_millis: int, size_bytes: int, now_ns: int) -> bool:
        """Whether such a product, made now, is denser than the one that would give way first."""
        lowest = self._eviction.lowest_key()
        if lowest == inf or size_bytes <= 0:
            return True
        ageing_ns = self.config.order.net_ageing_ns
        return density_of(value_millis, size_bytes, now_ns, ageing_ns) > lowest

    def _over(self, among: Collection[Producer]) -> bool:
        config = self.config
        if len(among) == 1:
            return any(self.held[who] > config.quotas[who] for who in among)
        return self.bytes > config.budget_bytes or self.products > config.products_max


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
        if product.deadline_ns is None:
            return
        heappush(self._deadlines, (product.deadline_ns, product.product_id))
        if len(self._deadlines) > 2 * len(self._entries) + _COMPACT_SLACK:
            self._deadlines = [each for each in self._deadlines if self._entry(*each) is not None]
            heapify(self._deadlines)

    def due(self, now_ns: int) -> Iterator[Entry]:
        """The entries whose deadline is over, each once for each time it was watched."""
        while self._deadlines and self._deadlines[0][0] <= now_ns:
            entry = self._entry(*heappop(self._deadlines))
            if entry is not None:
                yield entry

    def _entry(self, deadline_ns: int, product_id: int) -> Entry | None:
        entry = self._entries.get(product_id)
        same = entry is not None and entry.product.deadline_ns == deadline_ns
        return entry if same else None
