"""The other end's clock by four timestamps: offset, delay, and how far either may be wrong.

Offset and delay of one exchange as in RFC 5905, section 8; of the last eight the one with the
shortest delay counts, as its clock filter does (section 10): queues only ever add delay.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

KEPT = 8


class Exchange(NamedTuple):
    """One request and its reply, nanoseconds.

    `offset_ns` is the peer's clock minus ours; its error is at most half of `delay_ns`.
    """

    offset_ns: int
    delay_ns: int


class ClockEstimate:
    """Fed with exchanges; `best` is None before the first."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=KEPT)
        self.exchanges = 0

    def add(self, t1_ns: int, t2_ns: int, t3_ns: int, t4_ns: int) -> None:
        """Request left (ours), came (theirs), reply left (theirs), came (ours).

        An exchange whose delay is negative is none: one of the stamps is not of this exchange.
        """
        delay_ns = (t4_ns - t1_ns) - (t3_ns - t2_ns)
        if delay_ns >= 0:
            self.exchanges += 1
            self._kept.append(Exchange(((t2_ns - t1_ns) + (t3_ns - t4_ns)) // 2, delay_ns))

    def restart(self) -> None:
        """Another peer, another clock."""
        self._kept.clear()

    @property
    def best(self) -> Exchange | None:
        """The exchange of the last eight with the shortest delay."""
        return min(self._kept, key=lambda each: each.delay_ns, default=None)
