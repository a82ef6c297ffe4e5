"""Sets of whole numbers as half-open ranges: bytes of a product, frames of a channel.

Both ends of the link keep them (bytes acknowledged, bytes held, frames received), and both reports
and reconcile answers are made of them. Kept as two sorted lists, so a query is a bisection.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Span = tuple[int, int]


class RangeSet:
    """A mutable set of integers stored as disjoint, non-touching ranges [start, end)."""

    __slots__ = ("_ends", "_starts", "size")

    def __init__(self, ranges: Iterable[Span] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.size = 0
        """How many integers are in the set."""
        for start, end in ranges:
            self.add(start, end)

    def __iter__(self) -> Iterator[Span]:
        return iter(zip(self._starts, self._ends, strict=True))

    def __reversed__(self) -> Iterator[Span]:
        return iter(zip(reversed(self._starts), reversed(self._ends), strict=True))

    def __len__(self) -> int:
        """Number of ranges, not of integers."""
        return len(self._starts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RangeSet):
            return NotImplemented
        return self._starts == other._starts and self._ends == other._ends

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, value: int) -> bool:
        index = bisect_right(self._starts, value) - 1
        return index >= 0 and value < self._ends[index]

    def first(self) -> Span:
        """The lowest range; the set must not be empty."""
        return self._starts[0], self._ends[0]

    def last(self) -> Span:
        """The highest range; the set must not be empty."""
        return self._starts[-1], self._ends[-1]

    def add(self, start: int, end: int) -> int:
        """Puts [start, end) in; returns how many integers were new. Idempotent."""
        if end <= start:
            return 0
        starts, ends = self._starts, self._ends
        if ends and start == ends[-1]:  # the usual case: the next bytes, the next frame
            ends[-1] = end
            self.size += end - start
            return end - start
        low = bisect_left(ends, start)  # first range that touches or lies behind
        high = bisect_right(starts, end)  # first range wholly behind
        held = 0
        for index in range(low, high):
            held += min(end, ends[index]) - max(start, starts[index])
        new = end - start - held
        if low < high:
            start, end = min(start, starts[low]), max(end, ends[high - 1])
        starts[low:high] = [start]
        ends[low:high] = [end]
        self.size += new
        return new

    def remove(self, start: int, end: int) -> int:
        """Takes [start, end) out; returns how many integers were there. Idempotent."""
        if end <= start:
            return 0
        starts, ends = self._starts, self._ends
        low = bisect_right(ends, start)
        high = bisect_left(starts, end)
        if low >= high:
            return 0
        kept = [(starts[low], start), (end, ends[high - 1])]
        gone = sum(min(end, ends[index]) - max(start, starts[index]) for index in range(low, high))
        kept = [pair for pair in kept if pair[0] < pair[1]]
        starts[low:high] = [pair[0] for pair in kept]
        ends[low:high] = [pair[1] for pair in kept]
        self.size -= gone
        return gone

    def gaps(self, start: int, end: int) -> list[Span]:
        """What of [start, end) is not in the set, in order."""
        missing: list[Span] = []
        at = start
        index = bisect_right(self._ends, start)
        while at < end:
            if index == len(self._starts) or self._starts[index] >= end:
                missing.append((at, end))
                break
            if self._starts[index] > at:
                missing.append((at, self._starts[index]))
            at = self._ends[index]
            index += 1
        return missing

    def covers(self, start: int, end: int) -> bool:
        """Whether every integer of [start, end) is in the set."""
        if end <= start:
            return True
        index = bisect_right(self._starts, start) - 1
        return index >= 0 and end <= self._ends[index]

    def descending(self, below: int) -> Iterator[Span]:
        """The ranges under `below`, highest first, cut at `below`."""
        for index in range(bisect_left(self._starts, below) - 1, -1, -1):
            yield self._starts[index], min(self._ends[index], below)

    def drop_lowest(self) -> Span:
        """Forgets the lowest range and returns it: how a bounded set stays bounded."""
        start, end = self._starts.pop(0), self._ends.pop(0)
        self.size -= end - start
        return start, end

    def take_first(self, length: int) -> Span:
        """Takes up to `length` >= 1 integers off the lowest range; the set must not be empty."""
        start, end = self._starts[0], self._ends[0]
        if end - start > length:
            end = start + length
            self._starts[0] = end
        else:
            del self._starts[0], self._ends[0]
        self.size -= end - start
        return start, end
