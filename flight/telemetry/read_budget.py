"""How much a broker may make us read in a second; beyond it the connection is cut.

Pure. A flood costs the loop its turns, whatever is in it: what is over the budget is a broker that
is broken or hostile, and hanging up on it costs nothing but messages, which are counted.
"""

from __future__ import annotations

READS_PER_S = 2_048
"""Four reads a small packet: eight times the commands that are looked at in a second."""
BYTES_PER_S = 1_048_576
PACKET_BYTES_MAX = 262_144
"""The longest that is right: the dictionary is 80 kB, a frame 64 kB."""
_NS_PER_S = 1_000_000_000


class ReadBudget:
    """Counts by whole seconds.

    Attributes:
        cut: seconds in which the budget was spent, or a packet announced that is longer than any
            of ours.
    """

    def __init__(self) -> None:
        self.cut = 0
        self._second = -1
        self._reads = 0
        self._bytes = 0
        self._is_cut = False

    def allows(self, announced_bytes: int, now_ns: int) -> bool:
        """Whether the next read may be made; `announced_bytes` of the packet are still to come."""
        second = now_ns // _NS_PER_S
        if second != self._second:
            self._second, self._reads, self._bytes, self._is_cut = second, 0, 0, False
        self._reads += 1
        if (
            announced_bytes > PACKET_BYTES_MAX
            or self._reads > READS_PER_S
            or self._bytes > BYTES_PER_S
        ):
            self.cut += not self._is_cut
            self._is_cut = True
            return False
        return True

    def took(self, count_bytes: int) -> None:
        """Books what a read brought."""
        self._bytes += count_bytes
