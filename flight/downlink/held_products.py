"""What the downlink queue holds, near and far, and what every change of it brings along.

Image -> ground, hop "acted". The queue decides; here an entry comes, is ranked for sending and for
giving way, waits for what it depends on, and goes.

Index before bulk: a product waits until the one it depends on has been sent once. Only products
that are queued already are waited for, so there are no circles, and nothing waits for what is gone;
nor for what the ground has to be asked about, which was under way before, and whose answer may
never come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.eviction import DeadlineWatch, QueueRoom
from flight.downlink.near_window import NearWindow
from flight.downlink.product import Product, density_key
from flight.downlink.queue_entry import Entry
from flight.wire.ranges import RangeSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flight.downlink.downlink_order import SendOrder
    from flight.downlink.far_products import FarProducts, FarRow, Held
    from flight.downlink.queue_values import QueueConfig


_CHAIN_MAX = 8


class HeldProducts:
    """Owns entries, room and deadlines; `near` and `held` take unknown identities.

    Args:
        config: bounds and tuning.
        order: ranks what is near.
        far: where the others wait; None: all are near.

    Attributes:
        entries: all that is near; `room`: all that is held, against its bounds.
        due: see `DeadlineWatch`, of what is near; `watch`, too.
    """

    def __init__(self, config: QueueConfig, order: SendOrder, far: FarProducts | None) -> None:
        self._order = order
        self._ageing_ns = config.order.net_ageing_ns
        self.entries: dict[int, Entry] = {}
        self._window: NearWindow | None = None
        if far is not None:
            near = config.near_products
            self._window = NearWindow(self.entries, far, near, self.enter, self._part)
        self.room = QueueRoom(self.entries, config, self._window)
        self._deadlines = DeadlineWatch(self.entries)
        self.watch, self.due = self._deadlines.watch, self._deadlines.due

    def near(self, product_id: int) -> Entry | None:
        """The entry of a product; what is far comes near."""
        entry = self.entries.get(product_id)
        if entry is None and self._window is not None:
            return self._window.entry(product_id)
        return entry

    def held(self, product_id: int) -> Held | None:
        """What is known of a product, near or far."""
        entry = self.entries.get(product_id)
        if entry is not None:
            return entry.product
        return None if self._window is None else self._window.row(product_id)

    def enter(
        self,
        product: Product,
        suspended: bool,  # noqa: FBT001  a callback, too
        far_key: float | None = None,
    ) -> None:
        """It is near from now on; a far one may have been boosted to its `far_key`."""
        entry = Entry(product, RangeSet([(0, product.size_bytes)]), RangeSet())
        entry.suspended = suspended
        if far_key is not None and far_key > density_key(
            product, product.size_bytes, self._ageing_ns
        ):
            entry.boost = far_key
        self.entries[product.product_id] = entry
        if product.depends_on is not None:
            self.near(product.depends_on)
            wait_for_leader(entry, self.entries)
        self.rank(entry)
        self.watch(product)

    def rank(self, entry: Entry) -> None:
        """Its value or its remaining bytes changed."""
        waiting = (self.entries[each].key for each in entry.dependents if each in self.entries)
        if (key := max(waiting, default=None)) is not None:
            entry.boost = key if entry.boost is None else max(entry.boost, key)
        self._order.rank(entry)
        self.room.rank(entry)
        for leader in boosted_leaders(entry, self.entries):
            self._order.rank(leader)
            self.room.rank(leader)

    def remove(self, held: Held) -> None:
        """It is held no more, near or far."""
        self.room.left(held)
        entry = self.entries.get(held.product_id)
        if entry is not None:
            self._part(entry)
            self.release_dependents(entry)
        if self._window is not None:
            self._window.forget(held.product_id)

    def release_dependents(self, entry: Entry) -> None:
        """What waited for it waits no more."""
        for waiting in released_dependents(entry, self.entries):
            self._order.refresh(waiting)

    def adopt(self) -> None:
        """After a start: what is far is held from now on."""
        assert self._window is not None, "nothing is far"
        for producer, sums in self._window.begin():
            self.room.adopted(producer, *sums)

    def fill(self) -> None:
        """The first of what was adopted come near."""
        if self._window is not None:
            self._window.fill()

    def tend(self) -> None:
        """About once a second, and when something came: `NearWindow.tend`."""
        if self._window is not None:
            self._window.tend()

    def meet(self, now_ns: int) -> None:
        """Before anything is selected: `NearWindow.meet`."""
        if self._window is not None:
            self._window.meet(lambda: self._order.heads(now_ns), now_ns)

    def answered(self, product_id: int) -> None:
        """The ground has said what it holds of it."""
        if self._window is not None:
            self._window.answered(product_id)

    def far_due(self, now_ns: int) -> Sequence[FarRow]:
        """Far products whose deadline is over."""
        return () if self._window is None else self._window.due(now_ns)

    def take_unreadable(self) -> list[FarRow]:
        """Far products that should have come near, and cannot."""
        return [] if self._window is None else self._window.take_unreadable()

    def _part(self, entry: Entry) -> None:
        self._order.remove(entry)
        del self.entries[entry.product.product_id]
        part_from_leader(entry, self.entries)


def wait_for_leader(entry: Entry, entries: Mapping[int, Entry]) -> None:
    """Makes a newcomer wait if what it depends on is queued and has not been sent yet."""
    depends_on = entry.product.depends_on
    leader = None if depends_on is None else entries.get(depends_on)
    if leader is None or leader is entry or leader.sent_once or leader.suspended:
        return
    entry.waits_on = depends_on
    leader.dependents.append(entry.product.product_id)


def part_from_leader(entry: Entry, entries: Mapping[int, Entry]) -> None:
    """It waits no more, because it leaves."""
    leader = None if entry.waits_on is None else entries.get(entry.waits_on)
    if leader is not None:
        leader.dependents.remove(entry.product.product_id)
    entry.waits_on = None


def boosted_leaders(entry: Entry, entries: Mapping[int, Entry]) -> Iterator[Entry]:
    """Leaders that have to be ranked anew, for what a dense product waits for must not wait itself.

    At most `_CHAIN_MAX` links are followed; longer chains still go in order, only later.
    """
    key = entry.key
    for _ in range(_CHAIN_MAX):
        leader = None if entry.waits_on is None else entries.get(entry.waits_on)
        if leader is None or leader.key >= key:
            return
        leader.boost = key
        yield leader
        entry = leader


def released_dependents(entry: Entry, entries: Mapping[int, Entry]) -> Iterator[Entry]:
    """Everything that waited for `entry`, waiting no more; each has to be looked at anew."""
    for product_id in entry.dependents:
        waiting = entries.get(product_id)
        if waiting is not None and waiting.waits_on == entry.product.product_id:
            waiting.waits_on = None
            yield waiting
    entry.dependents.clear()
