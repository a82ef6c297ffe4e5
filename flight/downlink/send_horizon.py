"""What the contacts to come are expected to carry: the axis on which the downlink plans.

Image -> ground, hop "decided": the forecast of contacts makes it, the plan of sending reads it. A
deadline in mission time becomes a number of bytes that the line will have carried by then.

An order by deadlines gains where the line carries what the forecast says and loses where it does
not: whatever was put off to a day that failed. How much of either depends on the spread of the
yields, which is learned; so candidate orders are played through each course that the contacts may
take (sample average approximation; Kleywegt, Shapiro, Homem-de-Mello 2002).
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


ITEMS_MAX = 512
"""The first so many of an order are played; behind them all orders are alike."""

_WASTE_PRICE = 0.02
_NORMAL_OCTILES = (-1.53, -0.89, -0.49, -0.16, 0.16, 0.49, 0.89, 1.53)


class Stretch(msgspec.Struct, frozen=True, gc=False):
    """A part of a contact: mission times and the bytes it is expected to deliver."""

    start_ns: int
    end_ns: int
    carries_bytes: float


class Horizon(msgspec.Struct, frozen=True):
    """Stretches in order of time, none overlapping.

    Attributes:
        now_ns: mission time of the forecast.
        present: how many of them belong to the contact going on now.
        spread: standard deviation of a contact's yield over its mean, > 0.
        stretches: at most a few hundred.
        courses: equally likely ways in which it may turn out, each the bytes of every stretch;
            () where only the expectation is known.
    """

    now_ns: int
    present: int
    spread: float
    stretches: tuple[Stretch, ...]
    courses: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of_one_contact(
        cls, carries_bytes: float, until_ns: int, now_ns: int, spread: float = 0.3
    ) -> Horizon:
        """A contact that ends at `until_ns`, evenly cut, with nothing known behind it."""
        pieces = 4
        step_ns = max((until_ns - now_ns) // pieces, 1)
        cuts = [now_ns + index * step_ns for index in range(pieces)] + [max(until_ns, now_ns + 4)]
        stretches = tuple(
            Stretch(start, end, carries_bytes / pieces) for start, end in pairwise(cuts)
        )
        return cls(now_ns, pieces, spread, stretches)


class ByteTime:
    """The horizon as numbers of bytes from now on.

    Args:
        horizon: the forecast.
        present_permille: share of the present contact's yield to reckon with.
        future_permille: the same of later contacts; what is put off is put off to them.
    """

    def __init__(self, horizon: Horizon, present_permille: int, future_permille: int) -> None:
        self.starts_ns = [each.start_ns for each in horizon.stretches]
        self.ends_ns = [each.end_ns for each in horizon.stretches]
        self.carries = [
            each.carries_bytes
            * (present_permille if index < horizon.present else future_permille)
            / 1_000
            for index, each in enumerate(horizon.stretches)
        ]
        self.by_the_end = list(accumulate(self.carries))
        self.now_ns = horizon.now_ns

    def last_stretch(self, deadline_ns: int | None) -> int:
        """Index of the last stretch that counts before a deadline; -1 for none.

        A stretch counts when the deadline lies in its second half; the present one always does, or
        a product with seconds to go would be given up.
        """
        count = len(self.ends_ns)
        if deadline_ns is None:
            return count - 1
        index = bisect_right(self.ends_ns, deadline_ns)
        if index < count:
            start_ns = self.starts_ns[index]
            if 2 * (deadline_ns - start_ns) > self.ends_ns[index] - start_ns:
                return index
        if index == 0:
            started = bool(count) and self.starts_ns[0] <= self.now_ns
            return 0 if started and deadline_ns > self.now_ns else -1
        return index - 1

    def bytes_until(self, last_stretch: int) -> float:
        """Bytes carried up to the end of that stretch; 0 for -1."""
        return self.by_the_end[last_stretch] if last_stretch >= 0 else 0.0


class Item(msgspec.Struct, frozen=True, gc=False):
    """A product as the trial sees it: worth, bytes, last stretch that counts (-1: none)."""

    value: int
    size_bytes: int
    last_stretch: int


class Trial:
    """Courses of a horizon; without any, a normal distribution of its spread."""

    def __init__(self, horizon: Horizon) -> None:
        expected = [each.carries_bytes for each in horizon.stretches]
        self._courses: Sequence[Sequence[float]] = horizon.courses or [
            [max(1 + horizon.spread * octile, 0.0) * each for each in expected]
            for octile in _NORMAL_OCTILES
        ]
        self._until = [list(accumulate(course)) for course in self._courses]
        self._spread = horizon.spread
        columns = list(zip(*self._until, strict=True))
        self._mean = [sum(column) / len(column) for column in columns]
        self._most = [max(column) for column in columns]

    def most_bytes(self, last_stretch: int) -> float:
        """Bytes carried up to the end of that stretch on the best course; 0 for -1."""
        return self._most[last_stretch] if last_stretch >= 0 else 0.0

    def chance(self, last_stretch: int, size_bytes: int, booked_bytes: float) -> float:
        """Share of the courses on which room that is expected to be `booked_bytes` suffices."""
        if last_stretch < 0 or booked_bytes <= 0:
            return 0.0
        enough = size_bytes / booked_bytes * self._mean[last_stretch]
        suffices = sum(1 for until in self._until if until[last_stretch] >= enough)
        return suffices / len(self._until)

    def reserve(self, taken: Sequence[float]) -> None:
        """Bytes of each stretch that what is still to be made will take, on every course."""
        self._until = [
            list(accumulate(max(c - t, 0.0) for c, t in zip(course, taken, strict=True)))
            for course in self._courses
        ]

    def value(self, order: Sequence[Item]) -> float:
        """Mean value on time of products sent in this order, less a little for bytes in vain.

        A course stands for all around it, as far apart as the spread says: between sixteen of them
        there are gaps in which a large product's chance would not depend on what goes before it.

        What is late has cost its bytes; they might have been of use to something else, so of two
        orders that bring the same the one that wastes less is worth more.
        """
        items = [each for each in order[:ITEMS_MAX] if each.last_stretch >= 0]
        total = wasted = 0.0
        for until in self._until:
            sent = 0.0
            for each in items:
                due = until[each.last_stretch]
                spare = due - sent - each.size_bytes
                total += each.value * _likely(spare, 2.0 * self._spread * due)
                if spare >= 0.0:
                    sent += each.size_bytes
                elif sent < due:
                    wasted += due - sent
                    sent = due
        density = sum(each.value for each in items) / max(sum(i.size_bytes for i in items), 1)
        return (total - _WASTE_PRICE * density * wasted) / len(self._until)


def _likely(spare_bytes: float, width_bytes: float) -> float:
    """Chance that what is finished with so much to spare on a course is so on those around it."""
    if width_bytes <= 0.0:
        return float(spare_bytes >= 0.0)
    return min(max(0.5 + spare_bytes / width_bytes, 0.0), 1.0)
