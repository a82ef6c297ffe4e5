"""Which queued products the queue knows itself, and which wait far away, a row in a catalogue each.

Image -> ground, hop "acted". A node that has gone without contacts holds a million products, of
which the next minutes concern a few thousand. Near are the densest, and whatever is not merely
waiting: what was sent in part, what the ground was asked about, emergencies. All else may be far.

The order of sending does not depend on it: of every class, what is far and may be sent comes behind
the first one near, or it is fetched before anything is selected. Late ones are left to `due`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from flight.downlink.product import Producer, Product, ProductClass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from flight.downlink.far_products import FarProducts, FarRow, Held
    from flight.downlink.queue_entry import Entry

_ORDINARY: tuple[ProductClass, ...] = tuple(
    each for each in ProductClass if each is not ProductClass.EMERGENCY
)
_CHAIN_MAX = 8
_ROWS_MAX = 4_096
_PIECES_MAX = 4  # fetched for one segment
_QUESTIONS_AT_ONCE = 256
Rank = tuple[float, int]
"""-key and identity: lower goes first."""
_FIRST, _NOWHERE = (-inf, -1), (inf, -1)


class _Front:
    """The first far products of a class, as far as they were looked up.

    Attributes:
        rows: the first one last.
        whole: there are no others.
        top: none that may be sent ranks before this.
    """

    __slots__ = ("rows", "top", "whole")

    def __init__(self) -> None:
        self.rows: list[FarRow] = []
        self.whole = True
        self.top = _NOWHERE

    def joined(self, rank: Rank) -> None:
        """One more is far: it belongs to the rows, or behind them."""
        if self.rows and rank < _rank_of(self.rows[0]):
            self.rows.clear()
        self.top = min(self.top, rank)
        self.whole = False

    def begin(self) -> None:
        """Nothing is known."""
        self.rows, self.whole, self.top = [], False, _FIRST

    def look_up(self, far: FarProducts, klass: ProductClass, count: int) -> None:
        """The first `count`."""
        found = far.densest((klass,), count, asks=False)
        self.rows, self.whole = list(reversed(found)), len(found) < count
        self.settle()

    def settle(self) -> None:
        """Rows were taken."""
        if self.rows:
            self.top = _rank_of(self.rows[-1])
        else:
            self.top = _NOWHERE if self.whole else _FIRST


class NearWindow:
    """Keeps the densest near and the others far.

    Args:
        entries: the queue's own table: all that is near.
        far: where the others wait.
        near_products: how many are near at least, as far as there are so many.
        enter: makes a product an entry, suspended or not, that was ranked by a key.
        leave: makes an entry none.
    """

    def __init__(
        self,
        entries: Mapping[int, Entry],
        far: FarProducts,
        near_products: int,
        enter: Callable[[Product, bool, float], None],
        leave: Callable[[Entry], None],
    ) -> None:
        self._entries, self._far = entries, far
        self._near, self._enter, self._leave = near_products, enter, leave
        self._slack, self._piece = near_products // 8 + 1, near_products // 64 + 1
        self._surplus_at = near_products + self._slack
        self._fronts = {klass: _Front() for klass in _ORDINARY}
        self._asking: set[int] = set()
        self._asks_wait = False
        self._least: float | None = inf
        self._count = 0
        self._unreadable: list[FarRow] = []
        self._depth = 0

    def begin(self) -> Iterator[tuple[Producer, tuple[int, int, int]]]:
        """Far products were there before the queue was; by producer what they amount to."""
        self._asks_wait, self._least = True, None
        for front in self._fronts.values():
            front.begin()
        for producer in Producer:
            sums = self._far.sums(producer)
            self._count += sums[0]
            yield producer, sums

    def fill(self) -> None:
        """After a start: emergencies and the densest come near."""
        for asks in (False, True):
            while rows := self._far.densest((ProductClass.EMERGENCY,), _ROWS_MAX, asks=asks):
                for row in rows:
                    self._fetch(row)
        for row in self._far.densest(_ORDINARY, min(self._near, _ROWS_MAX), asks=False):
            self._fetch(row)
        self.tend()

    def entry(self, product_id: int) -> Entry | None:
        """The entry of a far product, which comes near; None for an unknown one.

        Entering brings near what is depended on, which enters: `_CHAIN_MAX` deep at most.
        """
        if self._depth < _CHAIN_MAX and (row := self.row(product_id)) is not None:
            self._fetch(row)
        return self._entries.get(product_id)

    def row(self, product_id: int) -> FarRow | None:
        """A far product, left where it is."""
        return self._far.find(product_id) if self._count else None

    def forget(self, product_id: int) -> None:
        """A product is gone, near or far; unknown ones pass."""
        self._asking.discard(product_id)
        if (row := self.row(product_id)) is not None:
            self._far.drop(product_id)
            self._gone(row)

    def answered(self, product_id: int) -> None:
        """No question about it is open any more."""
        self._asking.discard(product_id)

    def tend(self) -> None:
        """About once a second: puts away what is too much, asks about what has to be asked."""
        if len(self._entries) > self._surplus_at:
            self._put_surplus_away()
        room = min(self._slack - len(self._asking), _QUESTIONS_AT_ONCE)
        if self._asks_wait and room > 0:
            rows = self._far.densest(_ORDINARY, room, asks=True)
            self._asks_wait = len(rows) == room
            for row in rows:
                self._fetch(row)

    def meet(self, heads: Callable[[], Mapping[ProductClass, Rank]], now_ns: int) -> None:
        """Before anything is selected: fetches whatever ranks before the `heads` of its class."""
        if not self._count:
            return
        for _ in range(_PIECES_MAX):
            near, met = heads(), True
            for klass, front in self._fronts.items():
                if near.get(klass, _NOWHERE) > front.top:
                    met &= not self._fetch_piece(klass, front, now_ns)
            if met:
                return

    def rising(self, producers: Collection[Producer]) -> Iterator[FarRow]:
        """Those that would give way, the least dense first; 4,096 at most."""
        seen, count = 0, 16
        while self._count:
            rows = self._far.least_dense(producers, count)
            yield from rows[seen:]
            if len(rows) < count or count == _ROWS_MAX:
                return
            seen, count = count, min(16 * count, _ROWS_MAX)

    def lowest_key(self) -> float:
        """Of the one that would give way first; infinite when none would."""
        if self._least is None:
            self._least = min(
                (row.key for row in self._far.least_dense(tuple(Producer), 1)), default=inf
            )
        return self._least

    def take_unreadable(self) -> list[FarRow]:
        """Those that came near and could not be told any more; room is still taken for them."""
        rows, self._unreadable = self._unreadable, []
        return rows

    def due(self, now_ns: int) -> Sequence[FarRow]:
        """Those whose deadline is over; a bounded number of them."""
        return self._far.due(now_ns, _ROWS_MAX) if self._count else ()

    def _put_surplus_away(self) -> None:
        waiting = sorted(filter(_only_waits, self._entries.values()), key=_entry_rank)
        room, staying = self._near - len(self._entries) + len(waiting), dict.fromkeys(_ORDINARY, 0)
        for entry in waiting:
            klass = entry.product.klass
            staying[klass] += 1
            room -= 1
            if room >= 0 or staying[klass] <= self._piece or entry.dependents:
                continue
            self._leave(entry)
            key = entry.key
            self._far.put_away(entry.product, key)
            self._count += 1
            self._fronts[klass].joined((-key, entry.product.product_id))
            if self._least is not None:
                self._least = min(self._least, key)
        self._surplus_at = max(self._near, len(self._entries)) + self._slack

    def _fetch_piece(self, klass: ProductClass, front: _Front, now_ns: int) -> bool:
        """Whether any of a class came near; none where the first one is late, or there is none."""
        fetched = 0
        while fetched < self._piece:
            if not front.rows and not front.whole:
                front.look_up(self._far, klass, 8 * self._piece)
            if not front.rows:
                break
            row = front.rows[-1]
            if _is_over(row, now_ns) and self._far.find(row.product_id) is not None:
                break
            fetched += self._fetch(front.rows.pop())
        front.settle()
        return fetched > 0

    def _fetch(self, row: FarRow) -> bool:
        """Whether it came near; since the row was read it may have been near, or gone."""
        found = self._far.find(row.product_id)
        if found is None:
            return False
        row = found
        product = self._far.fetch(row.product_id)
        self._gone(row)
        if product is None:
            self._unreadable.append(row)
            return False
        if row.asks:
            self._asking.add(row.product_id)
        self._depth += 1
        self._enter(product, row.asks, row.key)
        self._depth -= 1
        return True

    def _gone(self, row: FarRow) -> None:
        self._count -= 1
        if self._least is not None and row.key <= self._least:
            self._least = None if self._count else inf


def _only_waits(entry: Entry) -> bool:
    """Nothing was sent of it, nothing of it is under way, nobody was asked about it."""
    product = entry.product
    untouched = entry.pending.size == product.size_bytes and not entry.sent_once
    ordinary = product.klass is not ProductClass.EMERGENCY
    return untouched and ordinary and not (entry.suspended or entry.late or entry.called)


def _entry_rank(entry: Entry) -> Rank:
    return -entry.key, entry.product.product_id


def _rank_of(row: FarRow) -> Rank:
    return -row.key, row.product_id


def _is_over(row: Held, now_ns: int) -> bool:
    return row.deadline_ns is not None and row.deadline_ns <= now_ns
