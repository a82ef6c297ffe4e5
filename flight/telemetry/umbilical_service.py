"""Telemetry and events beside the laser, to whoever holds the other end of a test cable.

Hop "told", on a bench: every event when it is raised and every channel once a second, as the same
space packets that the laser carries. A record that finds no room is lost and counted: telling must
never hold the flight up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.telemetry.dictionary import GROUPS
from flight.wire.space_packet import Apid, SequenceCounts, encode
from flight.wire.telemetry import encode_event, encode_housekeeping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.base.clock import Clock
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import Event

PERIOD_NS = 1_000_000_000
AFTER_NS = 1_000_000
"""A row is told this long after the second, when the control cycle of that second is over."""
RECORD_BYTES_MAX = 4096
"""What one message of the bench link holds."""


class Umbilical:
    """Listener of the event log; tells rows when it is asked to.

    Args:
        tell: hands one record over; False when there was no room for it.

    Attributes:
        lost: records that found no room.
    """

    def __init__(self, tell: Callable[[bytes], bool]) -> None:
        self._tell = tell
        self._sequence = SequenceCounts()
        self.lost = 0

    def __call__(self, event: Event) -> None:
        """One event, at once."""
        data = encode_event(event.event_id, event.severity, event.args)
        self._say(encode(Apid.EVENT, self._sequence.take(Apid.EVENT), data, time_ns=event.t_ns))

    def tell_row(self, values: Sequence[float], now_ns: int) -> None:
        """Every channel, in as few records as they fit into."""
        record = b""
        for group in GROUPS:
            data = encode_housekeeping(group, values)
            count = self._sequence.take(Apid.HOUSEKEEPING)
            packet = encode(Apid.HOUSEKEEPING, count, data, time_ns=now_ns)
            if record and len(record) + len(packet) > RECORD_BYTES_MAX:
                self._say(record)
                record = b""
            record += packet
        self._say(record)

    def _say(self, record: bytes) -> None:
        if not self._tell(record):
            self.lost += 1


class UmbilicalService:
    """Tells a row each second until cancelled."""

    name = "umbilical"

    def __init__(self, umbilical: Umbilical, clock: Clock, channels: ChannelValues) -> None:
        self._umbilical = umbilical
        self._clock = clock
        self._channels = channels

    async def serve(self) -> None:
        """A row each second, just behind the control cycle."""
        while True:
            now_ns = self._clock.now_ns()
            due_ns = now_ns - now_ns % PERIOD_NS + AFTER_NS
            await self._clock.sleep_until(due_ns if due_ns > now_ns else due_ns + PERIOD_NS)
            self._umbilical.tell_row(self._channels.values, self._clock.now_ns())
