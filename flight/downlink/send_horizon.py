"""What the contacts to come are expected to carry: the axis on which the downlink plans.

Image -> ground, hop "decided": the forecast of contacts makes it, the plan of sending reads it. A
deadline in mission time becomes a number of bytes that the line will have carried by then.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise

import msgspec


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
    """

    now_ns: int
    present: int
    spread: float
    stretches: tuple[Stretch, ...]

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
