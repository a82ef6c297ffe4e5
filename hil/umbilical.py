"""What a node tells its bench about itself, read: space packets of housekeeping and events.

Hop "told", its far end on a bench: beside the laser, so what no contact carried is judged, too.
Pure. A record made with another dictionary is not read at all.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS, EVENT_BY_ID, GROUPS
from flight.telemetry.event_log import Event
from flight.wire.errors import WireError, WireReason
from flight.wire.space_packet import Apid, decode_all
from flight.wire.telemetry import decode_event, decode_housekeeping

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.wire.space_packet import SpacePacket

_LAST_GROUP = tuple(GROUPS)[-1]


class OtherDictionaryError(Exception):
    """The node flies other channels and events than this bench knows."""


class Umbilical:
    """Takes records, gives rows and events.

    Args:
        on_event: called with each event, in the order in which they were raised.

    Attributes:
        row: latest value of every channel, in the order of the dictionary; NaN for none.
        row_t_ns: node's time of the last complete row, None before.
        rows: complete rows so far.
        refused: records that are no packets of ours.
    """

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self._building = [nan] * len(CHANNELS)
        self.row: list[float] = [nan] * len(CHANNELS)
        self.row_t_ns: int | None = None
        self.rows = 0
        self.refused = 0

    def take(self, record: bytes) -> None:
        """One record; raises `OtherDictionaryError`."""
        try:
            for packet in decode_all(record):
                self._take(packet)
        except WireError as error:
            if error.reason is WireReason.BAD_VERSION:
                raise OtherDictionaryError(
                    f"the node flies another dictionary than this bench: {error}"
                ) from None
            self.refused += 1

    def forget(self) -> None:
        """The node is without power: nothing is known of it."""
        self.row = [nan] * len(CHANNELS)
        self._building = [nan] * len(CHANNELS)
        self.row_t_ns = None

    def value(self, channel: str) -> float:
        """Latest value of a channel."""
        return self.row[CHANNEL_INDEX[channel]]

    def _take(self, packet: SpacePacket) -> None:
        if packet.apid == Apid.HOUSEKEEPING:
            told = decode_housekeeping(packet.data)
            for channel, value in zip(told.channels, told.values, strict=True):
                self._building[channel] = value
            if told.group == _LAST_GROUP:
                self.row, self.row_t_ns = list(self._building), packet.time_ns
                self.rows += 1
        elif packet.apid == Apid.EVENT:
            record = decode_event(packet.data)
            if record.event_id not in EVENT_BY_ID:
                raise WireError(WireReason.BAD_VERSION, f"event {record.event_id} is not known")
            args = {
                name: value if isinstance(value, int | float | str) else str(value)
                for name, value in record.args.items()
            }
            self._on_event(Event(record.event_id, packet.time_ns, args))
        else:
            self.refused += 1
