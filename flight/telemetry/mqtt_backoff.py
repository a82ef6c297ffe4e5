"""How long to wait before the next try at a broker: doubling, bounded, spread without chance.

Pure. Flight draws no random numbers, so the spread comes from a counter times the golden ratio
(Weyl's sequence: its multiples fall evenly into the unit interval) and starts at a place of the
node's own: nodes that lost one broker together do not come back together.
"""

from __future__ import annotations

from flight.wire.crc import crc32c

_GOLDEN = 0x9E3779B9
"""2^32 divided by the golden ratio."""
_TURN = 1 << 32
_SPREAD = 4
"""A wait is longer than its base by up to a quarter."""


class Backoff:
    """Waits of one client.

    Args:
        name: of the node; gives the place in the spread.
        first_ns, longest_ns: base of the first wait, and where its doubling ends.
    """

    def __init__(self, name: str, first_ns: int, longest_ns: int) -> None:
        assert 0 < first_ns <= longest_ns
        self._first_ns = first_ns
        self._longest_ns = longest_ns
        self._place = crc32c(name.encode())
        self._failures = 0

    def next_ns(self) -> int:
        """The wait after one more failure."""
        base_ns = min(self._first_ns << min(self._failures, 32), self._longest_ns)
        self._failures += 1
        self._place = (self._place + _GOLDEN) % _TURN
        return base_ns + base_ns * self._place // (_TURN * _SPREAD)

    def reset(self) -> None:
        """The broker took a message: the next wait is a first one again."""
        self._failures = 0
