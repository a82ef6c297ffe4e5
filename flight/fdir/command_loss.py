"""The command-loss timer: silence from the ground for too long is a fault of its own.

Hop: "command to ack" feeds it, `recovery_table` hears it. Known traps it avoids: the time of the
last command is monotonic and so is never kept over a reset (a restarted node waits a full period);
only an authenticated, accepted command feeds it; the alarm does not end by itself.
"""

from enum import Enum
from typing import Final, final

CONDITION: Final = "command_loss"
"""The name under which `recovery_table` knows it."""


class CommandLossEdge(Enum):
    """What an update found."""

    NONE = "none"
    LOST = "lost"
    REGAINED = "regained"


@final
class CommandLoss:
    """Counts from its making (the boot) or from the last valid command.

    Attributes:
        lost: no valid command within the time-out.
        losses: times it ran out.
    """

    __slots__ = ("_fed_ns", "_timeout_ns", "losses", "lost")

    def __init__(self, timeout_ns: int, now_ns: int) -> None:
        assert timeout_ns > 0, "the time-out must be positive"
        self._timeout_ns = timeout_ns
        self._fed_ns = now_ns
        self.lost = False
        self.losses = 0

    def on_valid_command(self, now_ns: int) -> None:
        """Feed it: called for authenticated, accepted commands and for nothing else."""
        self._fed_ns = max(self._fed_ns, now_ns)

    def set_timeout(self, timeout_ns: int) -> None:
        """Another time-out, counted from the last valid command; range-checked by the caller."""
        assert timeout_ns > 0, "the time-out must be positive"
        self._timeout_ns = timeout_ns

    def remaining_ns(self, now_ns: int) -> int:
        """Nanoseconds until it runs out; 0 once it has."""
        return max(0, self._fed_ns + self._timeout_ns - now_ns)

    def update(self, now_ns: int) -> CommandLossEdge:
        """Judge the silence; only changes are edges."""
        silent = self.remaining_ns(now_ns) == 0
        if silent is self.lost:
            return CommandLossEdge.NONE
        self.lost = silent
        if not silent:
            return CommandLossEdge.REGAINED
        self.losses += 1
        return CommandLossEdge.LOST
