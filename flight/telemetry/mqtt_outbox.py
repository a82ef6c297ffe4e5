"""What waits for the broker: bounded, newest kept, every loss counted on the stream it is lost on.

Pure. A message gets its number when it is made and its bytes when it is its turn, so the drop
count in it is that of everything older. The head stays until the broker has taken it: a session
that ends in between costs a repetition, never a message.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flight.telemetry.dictionary import DICTIONARY_HASH, Severity
from flight.telemetry.mqtt_messages import (
    ACK_STREAM,
    Ack,
    EventTold,
    LoadTold,
    Numbered,
    ParameterReport,
    Telemetry,
    Topics,
    encode,
    group_values,
    parameter_values,
)
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.commanding.dispatcher import Dispatched
    from flight.commanding.loadable import Dumped
    from flight.telemetry.event_log import Event
    from flight.wire.parameter_report import ReportedParameter

_NS_PER_S = 1_000_000_000
LOAD_PIECE_BYTES = 32_768
"""Of a set in force: eight messages for the longest, each encoded in a tenth of a millisecond."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready for the broker."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A message that has its number and not yet its bytes."""

    stream: str
    topic: str
    seq: int
    t_ns: int
    kind: type[Numbered]
    body: dict[str, Any]


class Outbox:
    """Queue of the bridge: acknowledgements, events and reports before telemetry.

    Attributes:
        name, capacity, high_water, dropped: as of any bounded queue; capacity is that of both
            halves and of the message under way.

    Args:
        topics: of the node.
        capacity: messages that wait, telemetry and the others each; beyond it the oldest goes.
        utc_offset_ns: Unix time minus mission time, for the label.
        on_waiting: called when something new waits; set by whoever empties the box.
    """

    def __init__(self, topics: Topics, capacity: int, utc_offset_ns: int) -> None:
        assert capacity >= 1
        self.topics = topics
        self.on_waiting: Callable[[], None] = _nobody
        self._capacity = capacity
        self.name = "mqtt_outbox"
        self.capacity = 2 * capacity + 1
        self._utc_offset_ns = utc_offset_ns
        self._urgent: deque[_Waiting] = deque()
        self._telemetry: deque[_Waiting] = deque()
        self._head: Outgoing | None = None
        self._numbers: dict[str, int] = {}
        self._dropped: dict[str, int] = {}
        self.high_water = 0
        self.dropped = 0
        self.published = 0

    def __len__(self) -> int:
        return len(self._urgent) + len(self._telemetry) + (self._head is not None)

    def on_event(self, event: Event) -> None:
        """Takes an event; those of DEBUG stay on board."""
        if event.severity is Severity.DEBUG:
            return
        stream = f"evt/{event.severity.name.lower()}"
        body = {
            "event": event.event_id,
            "name": event.name,
            "severity": event.severity.name,
            "text": event.text,
            "args": event.args,
        }
        topic = self.topics.event(event.severity)
        self._offer(self._urgent, stream, topic, event.t_ns, EventTold, body)

    def on_answer(self, dispatched: Dispatched, now_ns: int) -> None:
        """Takes what the dispatcher says about a command."""
        for report in dispatched.reports:
            body = {
                "id": str(report.command_id),
                "command": dispatched.name,
                "stage": report.stage.name.lower(),
                "reason": report.reason.name.lower(),
            }
            topic = self.topics.ack(report.command_id)
            self._offer(self._urgent, ACK_STREAM, topic, now_ns, Ack, body)

    def on_report(self, rows: Sequence[ReportedParameter], now_ns: int) -> None:
        """Takes a report of the parameters."""
        body = {"dictionary": DICTIONARY_HASH[:8], "values": parameter_values(rows)}
        self._offer(
            self._urgent, "rpt/parameters", self.topics.parameters, now_ns, ParameterReport, body
        )

    def on_dump(self, dumped: Dumped, now_ns: int) -> None:
        """Takes a set in force, in pieces."""
        size_bytes, crc = len(dumped.data), crc32c(dumped.data)
        for offset in range(0, size_bytes, LOAD_PIECE_BYTES):
            body = {
                "kind": dumped.kind,
                "version": dumped.version,
                "size_bytes": size_bytes,
                "crc32c": crc,
                "offset": offset,
                "data": dumped.data[offset : offset + LOAD_PIECE_BYTES],
            }
            self._offer(self._urgent, "rpt/load", self.topics.loads, now_ns, LoadTold, body)

    def sample(self, row: Sequence[float], groups: Sequence[str], now_ns: int) -> None:
        """Takes one message a group from what may be told of every channel."""
        for group in groups:
            body = {"dictionary": DICTIONARY_HASH[:8], "values": group_values(group, row)}
            topic = self.topics.group(group)
            self._offer(self._telemetry, f"tm/{group}", topic, now_ns, Telemetry, body)

    def head(self, boot: int) -> Outgoing | None:
        """The next message, the same one until `sent`; None when nothing waits."""
        if self._head is None:
            queue = self._urgent or self._telemetry
            if not queue:
                return None
            self._head = self._finished(queue.popleft(), boot)
        return self._head

    def sent(self) -> None:
        """The broker has taken the head."""
        assert self._head is not None
        self._head = None
        self.published += 1

    def number(self, stream: str) -> int:
        """The next number of a stream; for state and dictionary, which never wait here."""
        self._numbers[stream] = self.newest(stream) + 1
        return self._numbers[stream]

    def newest(self, stream: str) -> int:
        """The number of the newest message of a stream, 0 before the first."""
        return self._numbers.get(stream, 0)

    def utc_s(self, t_ns: int) -> float:
        """Unix seconds of a mission time, to the microsecond."""
        return round((t_ns + self._utc_offset_ns) / _NS_PER_S, 6)

    def _offer(  # noqa: PLR0913, PLR0917  the fields of one message
        self,
        queue: deque[_Waiting],
        stream: str,
        topic: str,
        t_ns: int,
        kind: type[Numbered],
        body: dict[str, Any],
    ) -> None:
        if len(queue) >= self._capacity:
            lost = queue.popleft().stream
            self._dropped[lost] = self._dropped.get(lost, 0) + 1
            self.dropped += 1
        queue.append(_Waiting(stream, topic, self.number(stream), t_ns, kind, body))
        self.high_water = max(self.high_water, len(self))
        self.on_waiting()

    def _finished(self, waiting: _Waiting, boot: int) -> Outgoing:
        message = waiting.kind(
            boot=boot,
            seq=waiting.seq,
            dropped=self._dropped.get(waiting.stream, 0),
            t_ns=waiting.t_ns,
            utc_s=self.utc_s(waiting.t_ns),
            **waiting.body,
        )
        return Outgoing(waiting.topic, encode(message))


def _nobody() -> None:
    """Nobody empties the box yet."""
