"""A reader's book of the messages it missed, by stream, and of who lost them.

Far end of hop "told". QoS 1 ends at the broker, so each message of a node carries its own number
and how many of its stream the node had to drop; from these a reader knows the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.telemetry.mqtt_messages import Numbered


@dataclass(frozen=True, slots=True)
class Missed:
    """What lies between a message and the one before it on its stream.

    Attributes:
        at_node: dropped by the node, which says so itself.
        on_the_way: sent by the node and lost by a broker or a slow reader.
        repeated: seen before; a message not acknowledged in time is sent again.
    """

    at_node: int = 0
    on_the_way: int = 0
    repeated: bool = False


@dataclass(slots=True)
class _Stream:
    boot: int
    seq: int
    dropped: int


class SequenceTally:
    """A reader's book of what it missed, by stream; counts from the first message it saw."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self.at_node = 0
        self.on_the_way = 0
        self.repeated = 0

    def take(self, stream: str, message: Numbered) -> Missed:
        """Books one message of `stream`."""
        last = self._streams.get(stream)
        if last is None:
            self._streams[stream] = _Stream(message.boot, message.seq, message.dropped)
            return Missed()
        if message.boot != last.boot:
            last.boot, last.seq, last.dropped = message.boot, 0, 0
        if message.seq <= last.seq:
            self.repeated += 1
            return Missed(repeated=True)
        at_node = max(0, message.dropped - last.dropped)
        on_the_way = max(0, message.seq - last.seq - 1 - at_node)
        last.seq, last.dropped = message.seq, max(last.dropped, message.dropped)
        self.at_node += at_node
        self.on_the_way += on_the_way
        return Missed(at_node, on_the_way)
