"""What the bridge has done and refused, and how many commands it takes in a second.

Pure. Made once by the composition root, so the counts survive a bridge that failed and came back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flight.telemetry.mqtt_messages import BridgeCounts
from flight.telemetry.read_budget import ReadBudget

if TYPE_CHECKING:
    from flight.telemetry.mqtt_outbox import Outbox

INBOX_MAX = 64
"""Messages that wait to be looked at; a session with an operator's end has the same bound."""
COMMANDS_PER_S = 64
"""Far more than an operator sends, and a flood of them costs the cycle a few milliseconds."""
_NS_PER_S = 1_000_000_000


class InboxGauge:
    """What waits to be looked at, as one of the queues of the node; over sessions.

    Attributes:
        name, capacity, high_water, dropped: as of any bounded queue.
    """

    def __init__(self, capacity: int) -> None:
        self.name, self.capacity = "mqtt_inbox", capacity
        self.high_water = self.dropped = self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def now(self, waiting: int) -> None:
        """So many wait."""
        self._waiting = waiting
        self.high_water = max(self.high_water, waiting)


@dataclass(slots=True)
class BridgeLedger:
    """Every command message received is passed on, or counted here by why it was not.

    Attributes:
        connects: sessions with the broker.
        commands: command messages received, refused ones included.
        retained: kept by the broker, so nobody knows from when.
        flooded: more than `COMMANDS_PER_S` in one second, or than the queue holds.
        refused: no authentic new frame.
        reads: what the broker has made us read.
        inbox: what waits to be looked at.
    """

    connects: int = 0
    commands: int = 0
    retained: int = 0
    flooded: int = 0
    refused: int = 0
    reads: ReadBudget = field(default_factory=ReadBudget)
    inbox: InboxGauge = field(default_factory=lambda: InboxGauge(INBOX_MAX))
    _second: int = 0
    _in_second: int = 0

    def admit(self, now_ns: int, *, retained: bool) -> bool:
        """Books one command message; whether it may be looked at."""
        self.commands += 1
        second = now_ns // _NS_PER_S
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        if retained:
            self.retained += 1
            return False
        if self._in_second > COMMANDS_PER_S:
            self.flooded += 1
            return False
        return True

    def overflow(self) -> None:
        """Books a command message that found no room at all."""
        self.commands += 1
        self.flooded += 1
        self.inbox.dropped += 1

    @property
    def all_refused(self) -> int:
        """Command messages that reached nobody, any cause."""
        return self.retained + self.flooded + self.refused


def bridge_counts(ledger: BridgeLedger, outbox: Outbox) -> BridgeCounts:
    """What was done and lost so far, as the state tells it."""
    return BridgeCounts(
        connects=ledger.connects,
        published=outbox.published,
        dropped=outbox.dropped,
        waiting=len(outbox),
        high_water=outbox.high_water,
        commands=ledger.commands,
        retained=ledger.retained,
        flooded=ledger.flooded,
        refused=ledger.refused,
        cut=ledger.reads.cut,
    )
