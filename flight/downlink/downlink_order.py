"""Which product goes next: emergencies, calls, class floors, repairs, then the plan.

Image -> ground, hop "acted": the queue knows the products, this order ranks the ready ones.

    1. EMERGENCY, always and at once: the quantum of preemption is one segment.
    2. What the ground has called for.
    3. A class whose reserved share is overdue (no class starves under overload).
    4. Lost bytes of products that were sent to the end: little is missing, all of it counts.
    5. The plan over the contacts to come (`send_plan.py`): deadlines where the load is feasible,
       value density where it is not.
    6. Products past their deadline, smallest rest first, where these are kept as fill: their bytes
       arrive, which those of a product that will not be finished do not.
    7. Value density: without a forecast, and for what the plan has no hope for or did not look at.

Ageing multiplies the density by two for each `ageing_ns` of waiting, decay of value divides it by
two for each `half_life_ns`; because these factors are the same for all at any moment, the ranking
of two products never changes with time and a heap can keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.arrival_forecast import ArrivalForecast
from flight.downlink.entry_heap import EntryHeap
from flight.downlink.product import ProductClass, density_key, value_after
from flight.downlink.queue_entry import Entry, OrderConfig, OrderMode
from flight.downlink.send_plan import Candidate, Rank, SendPlan, Tier, make_plan

if TYPE_CHECKING:
    from flight.downlink.product import Product
    from flight.downlink.send_horizon import Horizon

_CLASSES = len(ProductClass)
_PERMILLE = 1_000
_CREDIT_MAX = 262_144 * _PERMILLE  # four of the longest frames
_DENSITY_BIT, _PLAN_BIT, _REPAIR_BIT, _FILL_BIT = 1, 2, 4, 8

CALLED_MAX = 64
"""Products the ground may call for at once; more would be an order of its own."""


class SendOrder:
    """Ranks ready entries; every operation is O(log n) amortised, a new plan O(candidates)."""

    def __init__(self, config: OrderConfig) -> None:
        self._config = config
        self._ageing_ns = config.net_ageing_ns
        self._density: tuple[EntryHeap[float], ...] = tuple(
            EntryHeap(_DENSITY_BIT) for _ in range(_CLASSES)
        )
        self._planned: EntryHeap[Rank] = EntryHeap(_PLAN_BIT)
        self._repair: EntryHeap[float] = EntryHeap(_REPAIR_BIT)
        self._fill: EntryHeap[int] = EntryHeap(_FILL_BIT, late=True)
        self._plan: SendPlan | None = None
        self._plan_due_ns = 0
        self._arrivals = ArrivalForecast()
        self._called: dict[int, Entry] = {}
        self._ready = [0] * _CLASSES
        self._credit = [0] * _CLASSES
        self._stamps = 0
        self.pending_bytes = 0
        """Bytes of all ready entries."""
        self.floor_bytes = 0
        """Bytes sent because a class was due, not because of its rank."""
        self.late_marked = 0
        self.plans = 0

    @property
    def mode(self) -> OrderMode:
        """What ranks the ordinary products at present."""
        return OrderMode.DENSITY if self._plan is None else OrderMode.PLANNED

    def look_ahead(self, horizon: Horizon | None, now_ns: int) -> None:
        """What the contacts will carry; None: unknown. Plans anew when the last plan is old."""
        if horizon is None or not horizon.stretches:
            self._plan, self._plan_due_ns = None, 0
            self._planned.clear()
        elif now_ns >= self._plan_due_ns:
            self._plan_due_ns = now_ns + self._config.plan.again_ns
            self._make_plan(horizon, now_ns)

    def offered(self, product: Product) -> None:
        """Learns what products are being made, whether they were taken in or not."""
        self._arrivals.note(product)

    def rank(self, entry: Entry) -> None:
        """Computes the entry's key anew (its value, its remaining bytes or its boost changed)."""
        entry.keyed_bytes = entry.remaining_bytes
        entry.key = density_key(entry.product, entry.keyed_bytes, self._ageing_ns)
        if entry.boost is not None and entry.boost > entry.key:
            entry.key = entry.boost
        self._stamps += 1
        entry.stamp = self._stamps
        entry.heaps = 0
        entry.late = False
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
        if not ready:
            return
        klass = entry.product.klass
        if entry.late:
            self._fill.push(entry.pending.size, entry)
            return
        self._density[klass].push(-entry.key, entry)
        if klass is ProductClass.EMERGENCY:
            return
        if entry.sent_once and 2 * entry.pending.size <= entry.product.size_bytes:
            self._repair.push(-entry.key, entry)
        if self._plan is not None:
            self._push_planned(self._plan.rank(self._candidate(entry)), entry)

    def pending_changed(self, entry: Entry, delta_bytes: int) -> None:
        """Accounts for `delta_bytes` already added to (or taken from) `entry.pending`."""
        if entry.ready:
            self.pending_bytes += delta_bytes
            if entry.pending.size:
                return
        self.refresh(entry)

    def remove(self, entry: Entry) -> None:
        """Forgets the entry; its heap items die lazily."""
        if self._called.pop(entry.product.product_id, None) is not None:
            entry.called = False
        if entry.ready:
            entry.ready = False
            self._ready[entry.product.klass] -= 1
            self.pending_bytes -= entry.pending.size
        entry.stamp = -1

    def call_for(self, entry: Entry) -> None:
        """The ground wants this one now: next after emergencies, whatever the order would say.

        The last `CALLED_MAX` calls count; an earlier one falls back to its place by value.
        """
        self._called.pop(entry.product.product_id, None)
        self._called[entry.product.product_id] = entry
        entry.called = True
        if len(self._called) > CALLED_MAX:
            self._called.pop(next(iter(self._called))).called = False

    def urgent(self, now_ns: int) -> bool:
        """Whether an emergency is there to be sent."""
        return self._in_time(self._density[ProductClass.EMERGENCY], now_ns) is not None

    def select(self, now_ns: int, max_bytes: int, *, urgent: bool = False) -> Entry | None:
        """The entry whose bytes go next, an emergency if it has to be `urgent`; None for none."""
        entry = self._in_time(self._density[ProductClass.EMERGENCY], now_ns)
        if entry is not None or urgent:
            return entry
        if self._called:
            called = [each for each in self._called.values() if each.ready and not each.late]
            if called:
                return max(called, key=lambda each: (each.key, -each.product.product_id))
        entry = self._overdue_class(now_ns, max_bytes)
        if entry is None:
            entry = self._in_time(self._repair, now_ns)
        if entry is None:
            entry = self._in_time(self._planned, now_ns)
        if entry is None and self._plan is not None:
            entry = self._late()
        if entry is None:
            entry = self._densest(now_ns)
        return self._late() if entry is None else entry

    def heads(self, now_ns: int) -> dict[ProductClass, tuple[float, int]]:
        """Where the first ready ones stand, by class: (-key, identity)."""
        found = {}
        for klass, heap in enumerate(self._density):
            if (head := self._in_time(heap, now_ns)) is not None:
                found[ProductClass(klass)] = (-head.key, head.product.product_id)
        return found

    def taken(self, entry: Entry, length: int) -> None:
        """Accounts for bytes that were selected: shares earned and consumed."""
        floor = self._config.floor_permille
        klass = entry.product.klass
        if not floor or klass is ProductClass.EMERGENCY:
            return
        for other in range(1, _CLASSES):
            if other != klass and self._ready[other]:
                self._credit[other] = min(self._credit[other] + length * floor, _CREDIT_MAX)
        self._credit[klass] = max(self._credit[klass] - length * _PERMILLE, 0)

    def fall_behind(self, entry: Entry) -> None:
        """Makes an entry mere fill, because it has missed its deadline."""
        if not entry.late:
            entry.late = True
            self.late_marked += 1
            self.refresh(entry)

    def _late(self) -> Entry | None:
        return self._fill.head() if self._config.send_late else None

    def _overdue_class(self, now_ns: int, max_bytes: int) -> Entry | None:
        if not self._config.floor_permille:
            return None
        due = max_bytes * _PERMILLE
        for klass in range(1, _CLASSES):
            if self._credit[klass] >= due and self._ready[klass]:
                entry = self._in_time(self._density[klass], now_ns)
                if entry is not None:
                    self.floor_bytes += min(max_bytes, entry.pending.size)
                    return entry
        return None

    def _densest(self, now_ns: int) -> Entry | None:
        best: Entry | None = None
        for heap in self._density[1:]:
            head = self._in_time(heap, now_ns)
            if head is not None and (best is None or head.key > best.key):
                best = head
        return best

    def _in_time(self, heap: EntryHeap[float] | EntryHeap[Rank], now_ns: int) -> Entry | None:
        """The head of a heap whose deadline is still to come; the others fall behind."""
        while (entry := heap.head()) is not None:
            deadline_ns = entry.product.deadline_ns
            if deadline_ns is None or deadline_ns > now_ns:
                return entry
            self.fall_behind(entry)
        return None

    def _make_plan(self, horizon: Horizon, now_ns: int) -> None:
        self._planned.clear()
        entries = self._plannable(now_ns)
        self._plan, ranks = make_plan(
            [self._candidate(entry, now_ns) for entry in entries],
            horizon,
            self._arrivals.cells(now_ns),
            self._config.plan,
            self._ageing_ns,
        )
        for entry, rank in zip(entries, ranks, strict=True):
            self._push_planned(rank, entry)
        self.plans += 1

    def _push_planned(self, rank: Rank, entry: Entry) -> None:
        if rank[0] != Tier.HOPELESS:
            self._planned.push(rank, entry)

    def _plannable(self, now_ns: int) -> list[Entry]:
        """The densest entries in time; beyond `candidates_max` only these are looked at."""
        limit, heaps = self._config.plan.candidates_max, self._density[1:]
        if sum(map(len, heaps)) <= 2 * limit:
            found = [entry for heap in heaps for entry in heap.living()]
            found.sort(key=lambda entry: (-entry.key, entry.product.product_id))
            found = found[:limit]
        else:
            found = []
            while len(found) < limit and (entry := self._densest(now_ns)) is not None:
                self._density[entry.product.klass].pop()
                found.append(entry)
            for entry in found:
                self._density[entry.product.klass].push(-entry.key, entry)
        for entry in found:
            if not _in_time(entry, now_ns):
                self.fall_behind(entry)
        return [entry for entry in found if not entry.late]

    def _candidate(self, entry: Entry, now_ns: int = 0) -> Candidate:
        """What is ranked by an old plan is not weighed any more, and needs no time."""
        product, size = entry.product, entry.pending.size
        key = density_key(product, size, self._ageing_ns)
        if entry.boost is not None and entry.boost > key:
            key = entry.boost
        age_ns = now_ns - product.created_ns
        value = value_after(product.value_millis, age_ns, self._config.half_life_ns)
        return Candidate(key, size, product.deadline_ns, value)


def _in_time(entry: Entry, now_ns: int) -> bool:
    return entry.product.deadline_ns is None or entry.product.deadline_ns > now_ns
