"""Which product goes next: emergencies, class floors, then deadlines or value density.

Image -> ground, hop "acted": the queue knows the products, this order ranks the ready ones.

    1. EMERGENCY, always and at once: the quantum of preemption is one segment.
    2. A class whose reserved share is overdue (no class starves under overload).
    3. Load within the predicted capacity: earliest deadline first.
       Load above it: value per remaining byte, so that nearly complete products are finished.
    4. Products that cannot make their deadline in this contact any more, as fill.

Why two orders: earliest-deadline-first is optimal as long as everything fits and collapses under
overload (0.38-0.39 of the clairvoyant value), value density holds 0.965-0.999 there. Ageing
multiplies the density by two for each `ageing_ns` of waiting; because that factor is the same for
all at any moment, the ranking of two products never changes with time and a heap can keep it.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from flight.downlink.product import ProductClass
from flight.downlink.queue_entry import Entry, OrderConfig, OrderMode, density_key

_NO_DEADLINE_NS = 1 << 63
_CLASSES = len(ProductClass)
_PERMILLE = 1_000
_COMPACT_SLACK = 64
_ENTER_PERMILLE = 900
_CREDIT_MAX = 262_144 * _PERMILLE  # four of the longest frames

CALLED_MAX = 64
"""Products the ground may call for at once; more would be an order of its own."""

_Heap = list[tuple[float, int, int, Entry]]
_DeadlineHeap = list[tuple[int, float, int, int, Entry]]


class SendOrder:
    """Ranks ready entries; every operation is O(log n) amortised."""

    def __init__(self, config: OrderConfig) -> None:
        self._config = config
        self._density: tuple[_Heap, ...] = tuple([] for _ in range(_CLASSES))
        self._deadline: _DeadlineHeap = []
        self._fill: _Heap = []
        self._called: dict[int, Entry] = {}
        self._ready = [0] * _CLASSES
        self._credit = [0] * _CLASSES
        self._stamps = 0
        self._left_bytes: int | None = None
        self._until_ns = 0
        self._bytes_per_ns = 0.0
        self.pending_bytes = 0
        """Bytes of all ready entries."""
        self._late_bytes = 0  # of these, what is only fill: no load the capacity has to carry
        self.mode = OrderMode.DENSITY
        self.floor_bytes = 0
        """Bytes sent because a class was due, not because of its rank."""
        self.late_marked = 0

    def capacity_hint(self, left_bytes: int | None, until_ns: int, now_ns: int) -> None:
        """Tells what the present contact can still carry, None for unknown.

        A new contact gives products another chance that could not finish in the last one.
        """
        if until_ns != self._until_ns:
            fill, self._fill = self._fill, []
            for _, _, stamp, entry in fill:
                if entry.stamp == stamp:
                    self._late_bytes -= entry.pending.size if entry.late and entry.ready else 0
                    entry.late = entry.in_fill = False
                    self.refresh(entry)
        self._left_bytes, self._until_ns = left_bytes, until_ns
        span_ns = until_ns - now_ns
        self._bytes_per_ns = left_bytes / span_ns if left_bytes and span_ns > 0 else 0.0
        self._choose_mode()

    def rank(self, entry: Entry) -> None:
        """Computes the entry's key anew (its value, its remaining bytes or its boost changed)."""
        ageing_ns = self._config.ageing_ns
        entry.keyed_bytes = entry.remaining_bytes
        entry.key = density_key(entry.product, entry.keyed_bytes, ageing_ns)
        if entry.boost is not None and entry.boost > entry.key:
            entry.key = entry.boost
        self._stamps += 1
        entry.stamp = self._stamps
        self._late_bytes -= entry.pending.size if entry.late and entry.ready else 0
        entry.in_density = entry.in_deadline = entry.in_fill = entry.late = False
        self.refresh(entry)

    def refresh(self, entry: Entry) -> None:
        """Puts the entry into the heaps or takes it out of account, as its state now says.

        Must follow every change of `suspended` or `waits_on` and is called by `pending_changed`.
        """
        ready = entry.pending.size > 0 and not entry.suspended and entry.waits_on is None
        if ready != entry.ready:
            entry.ready = ready
            sign = 1 if ready else -1
            self._ready[entry.product.klass] += sign
            self.pending_bytes += sign * entry.pending.size
            self._late_bytes += sign * entry.pending.size if entry.late else 0
        if not ready:
            return
        key, product = entry.key, entry.product
        item = (-key, product.product_id, entry.stamp, entry)
        if entry.late:
            if not entry.in_fill:
                entry.in_fill = True
                heappush(self._fill, item)
            return
        if not entry.in_density:
            entry.in_density = True
            self._push_density(self._density[product.klass], item)
        if not entry.in_deadline and product.klass is not ProductClass.EMERGENCY:
            entry.in_deadline = True
            deadline_ns = _NO_DEADLINE_NS if product.deadline_ns is None else product.deadline_ns
            self._push_deadline((deadline_ns, *item))

    def pending_changed(self, entry: Entry, delta_bytes: int) -> None:
        """Accounts for `delta_bytes` already added to (or taken from) `entry.pending`."""
        if entry.ready:
            self.pending_bytes += delta_bytes
            self._late_bytes += delta_bytes if entry.late else 0
            if entry.pending.size:
                return
        self.refresh(entry)

    def remove(self, entry: Entry) -> None:
        """Forgets the entry; its heap items die lazily."""
        self._called.pop(entry.product.product_id, None)
        if entry.ready:
            entry.ready = False
            self._ready[entry.product.klass] -= 1
            self.pending_bytes -= entry.pending.size
            self._late_bytes -= entry.pending.size if entry.late else 0
        entry.stamp = -1

    def call_for(self, entry: Entry) -> None:
        """The ground wants this one now: next after emergencies, whatever the order would say.

        The last `CALLED_MAX` calls count; an earlier one falls back to its place by value.
        """
        self._called.pop(entry.product.product_id, None)
        self._called[entry.product.product_id] = entry
        if len(self._called) > CALLED_MAX:
            del self._called[next(iter(self._called))]

    def select(self, now_ns: int, max_bytes: int) -> Entry | None:
        """The entry whose bytes go next, or None when nothing may go."""
        entry = self._head(self._density[ProductClass.EMERGENCY], now_ns)
        if entry is not None:
            return entry
        if self._called:
            called = [each for each in self._called.values() if each.ready]
            if called:
                return max(called, key=lambda each: (each.key, -each.product.product_id))
        entry = self._overdue_class(now_ns, max_bytes)
        if entry is not None:
            return entry
        self._choose_mode()
        if self.mode is OrderMode.DEADLINE:
            entry = self._deadline_head(now_ns)
        else:
            entry = self._densest(now_ns)
        return entry if entry is not None else self._fill_head(now_ns)

    def taken(self, entry: Entry, length: int) -> None:
        """Accounts for bytes that were selected: capacity used, shares earned and consumed."""
        if self._left_bytes is not None:
            self._left_bytes = max(self._left_bytes - length, 0)
        floor = self._config.floor_permille
        klass = entry.product.klass
        if not floor or klass is ProductClass.EMERGENCY:
            return
        for other in range(1, _CLASSES):
            if other != klass and self._ready[other]:
                self._credit[other] = min(self._credit[other] + length * floor, _CREDIT_MAX)
        self._credit[klass] = max(self._credit[klass] - length * _PERMILLE, 0)

    def _overdue_class(self, now_ns: int, max_bytes: int) -> Entry | None:
        if not self._config.floor_permille:
            return None
        due = max_bytes * _PERMILLE
        for klass in range(1, _CLASSES):
            if self._credit[klass] >= due and self._ready[klass]:
                entry = self._head(self._density[klass], now_ns)
                if entry is not None:
                    self.floor_bytes += min(max_bytes, entry.pending.size)
                    return entry
        return None

    def _densest(self, now_ns: int) -> Entry | None:
        best: Entry | None = None
        for klass in range(1, _CLASSES):
            heap = self._density[klass]
            if heap:
                head = self._head(heap, now_ns)
                if head is not None and (best is None or head.key > best.key):
                    best = head
        return best

    def _head(self, heap: _Heap, now_ns: int) -> Entry | None:
        while heap:
            _, _, stamp, entry = heap[0]
            if entry.stamp == stamp:
                if entry.ready and not entry.late and not self._mark_late(entry, now_ns):
                    return entry
                entry.in_density = False
            heappop(heap)
        return None

    def _deadline_head(self, now_ns: int) -> Entry | None:
        heap = self._deadline
        while heap:
            stamp, entry = heap[0][3:]
            if entry.stamp == stamp:
                if entry.ready and not entry.late and not self._mark_late(entry, now_ns):
                    return entry
                entry.in_deadline = False
            heappop(heap)
        return None

    def _fill_head(self, now_ns: int) -> Entry | None:
        heap = self._fill
        while heap:
            _, _, stamp, entry = heap[0]
            if entry.stamp == stamp and entry.ready and entry.late:
                deadline_ns = entry.product.deadline_ns
                if deadline_ns is None or deadline_ns > now_ns or self._config.send_late:
                    return entry
            if entry.stamp == stamp:
                entry.in_fill = False
            heappop(heap)
        return None

    def _mark_late(self, entry: Entry, now_ns: int) -> bool:
        """Moves an entry that cannot make its deadline to the fill; True if it did so."""
        deadline_ns = entry.product.deadline_ns
        if deadline_ns is None:
            return False
        if deadline_ns > now_ns:
            if deadline_ns > self._until_ns or entry.product.klass is ProductClass.EMERGENCY:
                return False
            if entry.pending.size <= self._bytes_per_ns * (deadline_ns - now_ns):
                return False
            if self._bytes_per_ns == 0.0:
                return False
        self.fall_behind(entry)
        return True

    def fall_behind(self, entry: Entry) -> None:
        """Makes an entry mere fill, because it cannot make its deadline or has missed it."""
        if not entry.late:
            entry.late = True
            self._late_bytes += entry.pending.size if entry.ready else 0
            self.late_marked += 1
            self.refresh(entry)

    def _choose_mode(self) -> None:
        left, load = self._left_bytes, self.pending_bytes - self._late_bytes
        if left is None or load > left:
            self.mode = OrderMode.DENSITY
        elif load * _PERMILLE <= left * _ENTER_PERMILLE:
            self.mode = OrderMode.DEADLINE

    def _push_density(self, heap: _Heap, item: tuple[float, int, int, Entry]) -> None:
        heappush(heap, item)
        if len(heap) > _COMPACT_SLACK + 2 * self._ready[item[3].product.klass]:
            dead = [entry for _, _, stamp, entry in heap if not _alive(entry, stamp)]
            heap[:] = [kept for kept in heap if _alive(kept[3], kept[2])]
            heapify(heap)
            for entry in dead:
                entry.in_density = entry.in_density and _alive(entry, entry.stamp)

    def _push_deadline(self, item: tuple[int, float, int, int, Entry]) -> None:
        heap = self._deadline
        heappush(heap, item)
        if len(heap) > _COMPACT_SLACK + 2 * sum(self._ready):
            dead = [entry for *_, stamp, entry in heap if not _alive(entry, stamp)]
            heap[:] = [kept for kept in heap if _alive(kept[4], kept[3])]
            heapify(heap)
            for entry in dead:
                entry.in_deadline = entry.in_deadline and _alive(entry, entry.stamp)


def _alive(entry: Entry, stamp: int) -> bool:
    return entry.stamp == stamp and entry.ready and not entry.late
