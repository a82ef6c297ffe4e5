"""Telemetry out: housekeeping and events as packets, live while there is a link, always recorded.

Hop "told" of all three flows. Live packets wait in a short queue that keeps the newest; the
recorder keeps everything and hands it down as products, so a gap in the live stream is no loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.channels import Bounded, Overflow
from flight.telemetry.dictionary import GROUPS
from flight.wire.space_packet import Apid, SequenceCounts, encode
from flight.wire.telemetry import encode_event, encode_housekeeping

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.commanding.parameters import ParameterTable
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from flight.telemetry.recorder import Recorder

LIVE_PACKETS = 256
EVENTS_PER_STEP = 64
_NS_PER_S = 1_000_000_000


class TelemetryService:
    """Stepped once a second.

    Args:
        measure_host: fills the channels measured on the machine; `None` where they would break
            determinism.
    """

    name = "telemetry"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        channels: ChannelValues,
        events: EventLog,
        parameters: ParameterTable,
        recorder: Recorder,
        sequence: SequenceCounts,
        measure_host: Callable[[list[float]], None] | None,
    ) -> None:
        self._channels = channels
        self._events = events
        self._parameters = parameters
        self._recorder = recorder
        self._sequence = sequence
        self._measure_host = measure_host
        self._sent_ns: int | None = None
        self.live: Bounded[bytes] = Bounded("live_telemetry", LIVE_PACKETS, Overflow.DROP_OLDEST)

    def step(self, now_ns: int) -> None:
        """Events at once, housekeeping when its period is over."""
        self._events.step(now_ns)
        for _ in range(EVENTS_PER_STEP):
            event = self._events.pending.take()
            if event is None:
                break
            self._out(
                Apid.EVENT, encode_event(event.event_id, event.severity, event.args), event.t_ns
            )
        period_ns = int(self._parameters["telemetry.period_s"] * _NS_PER_S)
        if self._sent_ns is None or now_ns // period_ns > self._sent_ns // period_ns:
            self._sent_ns = now_ns
            if self._measure_host is not None:
                self._measure_host(self._channels.values)
            for group in GROUPS:
                self._out(
                    Apid.HOUSEKEEPING, encode_housekeeping(group, self._channels.values), now_ns
                )
        self._recorder.step(now_ns)

    def finish(self, now_ns: int) -> None:
        """Last step before a stop: what was told and recorded so far becomes a product."""
        self.step(now_ns)
        self._recorder.close(now_ns)

    def _out(self, apid: Apid, data: bytes, t_ns: int) -> None:
        packet = encode(apid, self._sequence.take(apid), data, time_ns=t_ns)
        self._recorder.record(packet)
        self.live.offer(packet)
