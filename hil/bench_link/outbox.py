"""What waits to be sent: a bounded queue a channel, the lower channel first.

Pure. A sample that has not left yet gives way to its successor; what closes a tick goes after
everything else that waits.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from hil.bench_link.layout import CHANNEL_OF, Channel, MessageType

if TYPE_CHECKING:
    from hil.bench_link.messages import Payload

CAPACITY = {Channel.CONTROL: 256, Channel.SAMPLE: 2, Channel.FRAME: 4096, Channel.TEST: 64}
_CLOSING = frozenset({MessageType.GRANT, MessageType.DONE})


class Waiting(NamedTuple):
    """One message that has not left."""

    kind: MessageType
    value: Payload


class Outbox:
    """Filled by `put`, emptied by `take`.

    Attributes:
        dropped: samples that gave way to newer ones, and messages without room.
    """

    def __init__(self) -> None:
        self._queues: dict[Channel, deque[Waiting]] = {channel: deque() for channel in Channel}
        self._closing: Waiting | None = None
        self.dropped = 0

    def __len__(self) -> int:
        return sum(map(len, self._queues.values())) + (self._closing is not None)

    def put(self, kind: MessageType, value: Payload) -> bool:
        """Queues one message; False when there was no room for it."""
        message = Waiting(kind, value)
        if kind in _CLOSING:
            self.dropped += self._closing is not None
            self._closing = message
            return True
        channel = CHANNEL_OF[kind]
        queue = self._queues[channel]
        if channel is Channel.SAMPLE:
            for place, other in enumerate(queue):
                if other.kind is kind:
                    queue[place] = message
                    self.dropped += 1
                    return True
        if len(queue) >= CAPACITY[channel]:
            self.dropped += 1
            return False
        queue.append(message)
        return True

    def take(self) -> Waiting | None:
        """The next one to leave."""
        for channel in Channel:
            if self._queues[channel]:
                return self._queues[channel].popleft()
        closing, self._closing = self._closing, None
        return closing

    def clear(self) -> None:
        """Everything outstanding is void: the session is over."""
        for queue in self._queues.values():
            queue.clear()
        self._closing = None
