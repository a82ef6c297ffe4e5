"""Every bounded queue of the node, told in one group of channels.

Hop "told". The composition root registers each queue it makes; one that a restarted service made
anew takes the place of the former one, and what that one had lost stays counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flight.base.channels import Bounded, Overflow
from flight.telemetry.dictionary import CHANNEL_INDEX
from flight.telemetry.queue_table import QUEUES

if TYPE_CHECKING:
    from flight.telemetry.channel_values import ChannelValues

_BY_NAME = {queue.name: queue for queue in QUEUES}
_POLICY = {Overflow.DROP_OLDEST: "oldest", Overflow.REJECT_NEWEST: "newest"}


class QueueLike(Protocol):
    """What can be told of a queue: how much it may hold, holds, has held, and has lost."""

    @property
    def name(self) -> str:
        """In the table of queues."""
        ...

    @property
    def capacity(self) -> int:
        """Items it may hold."""
        ...

    @property
    def high_water(self) -> int:
        """Most it ever held."""
        ...

    @property
    def dropped(self) -> int:
        """Items it lost."""
        ...

    def __len__(self) -> int:
        """Items it holds."""
        ...


class QueueBoard:
    """Registered queues, and their row in telemetry."""

    def __init__(self, channels: ChannelValues) -> None:
        self._values = channels.values
        self._queues: dict[str, QueueLike] = {}
        self._lost_before: dict[str, int] = {}
        self._told: dict[str, tuple[int, int, int]] = {}

    def add(self, *queues: QueueLike) -> None:
        """Registers queues; a name or a policy that the table does not have is our own fault."""
        for queue in queues:
            told = _BY_NAME.get(queue.name)
            assert told is not None, f"queue {queue.name} is not in flight/telemetry/queue_table.py"
            if isinstance(queue, Bounded):
                assert _POLICY[queue.policy] == told.policy, f"queue {queue.name}: another policy"
            former = self._queues.get(queue.name)
            if former is not None:
                before = self._lost_before.get(queue.name, 0)
                self._lost_before[queue.name] = before + former.dropped
            self._queues[queue.name] = queue
            self._told.pop(queue.name, None)

    @property
    def names(self) -> frozenset[str]:
        """Queues registered so far."""
        return frozenset(self._queues)

    def tell(self) -> None:
        """Writes the channels of every queue that has moved."""
        values, told = self._values, self._told
        for name, queue in self._queues.items():
            state = (len(queue), queue.high_water, queue.dropped)
            if told.get(name) == state:
                continue
            told[name] = state
            at = CHANNEL_INDEX[f"queues.{name}_capacity"]
            values[at] = queue.capacity
            values[at + 1], values[at + 2] = state[0], state[1]
            values[at + 3] = state[2] + self._lost_before.get(name, 0)
