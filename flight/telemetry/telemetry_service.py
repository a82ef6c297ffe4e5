"""Telemetry out: channels, events and reports as packets, live while there is a link, recorded.

Hop "told" of all three flows. Live packets wait in a short queue that keeps the newest; the
recorder keeps everything and hands it down as products, so a gap in the live stream is no loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.channels import Bounded, Overflow
from flight.telemetry.definitions import Report
from flight.telemetry.packet_schedule import PacketSchedule
from flight.wire.parameter_report import encode_parameters
from flight.wire.space_packet import Apid, SequenceCounts
from flight.wire.telemetry import encode_event, encode_housekeeping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flight.commanding.parameters import ParameterTable
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from flight.telemetry.queue_board import QueueBoard
    from flight.telemetry.recorder import Recorder
    from flight.wire.parameter_report import ReportedParameter

LIVE_PACKETS = 256
EVENTS_PER_STEP = 64
REQUESTS = 4


class TelemetryService:
    """Stepped once a second.

    Attributes:
        live: packets for the link; the oldest gives way.
        requests: reports that were asked for; one a step is made.

    Args:
        measure_host: fills the channels measured on the machine; `None` where they would break
            determinism.
        on_report: told each report of parameters, and when; or `None`.
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
        queues: QueueBoard,
        measure_host: Callable[[list[float]], None] | None,
        on_report: Callable[[Sequence[ReportedParameter], int], None] | None = None,
    ) -> None:
        self._channels = channels
        self._events = events
        self._parameters = parameters
        self._recorder = recorder
        self._sequence = sequence
        self._queues = queues
        self._measure_host = measure_host
        self._on_report = on_report
        self._schedule = PacketSchedule(parameters)
        self.live: Bounded[bytes] = Bounded("live_telemetry", LIVE_PACKETS, Overflow.DROP_OLDEST)
        self.requests: Bounded[Report] = Bounded(
            "telemetry_requests", REQUESTS, Overflow.REJECT_NEWEST
        )
        queues.add(events.pending, self.live, self.requests)
        self._filter_at = tuple(
            channels.index(f"event.{name}")
            for name in ("filtered_total", "filter_severity", "filter_held")
        )

    def step(self, now_ns: int) -> None:
        """Events at once, what was asked for, and each group when it is due."""
        self._events.step(now_ns)
        for _ in range(EVENTS_PER_STEP):
            event = self._events.pending.take()
            if event is None:
                break
            self._out(
                Apid.EVENT, encode_event(event.event_id, event.severity, event.args), event.t_ns
            )
        if self.requests.take() is Report.PARAMETERS:
            self._report_parameters(now_ns)
        if self._measure_host is not None:
            self._measure_host(self._channels.values)
        self._queues.tell()
        self._tell_filter()
        row = self._channels.row(now_ns)
        for group in self._schedule.due(row, now_ns):
            self._out(Apid.HOUSEKEEPING, encode_housekeeping(group, row), now_ns)
        self._recorder.step(now_ns)

    def finish(self, now_ns: int) -> None:
        """Last step before a stop: what was told and recorded so far becomes a product."""
        self.step(now_ns)
        self._recorder.close(now_ns)

    def _tell_filter(self) -> None:
        events = self._events.filter
        row = (events.filtered_total, events.severity, events.held)
        for index, value in zip(self._filter_at, row, strict=True):
            self._channels.values[index] = value

    def _report_parameters(self, now_ns: int) -> None:
        rows = self._parameters.rows()
        for data in encode_parameters(rows):
            self._out(Apid.PARAMETERS, data, now_ns)
        if self._on_report is not None:
            self._on_report(rows, now_ns)

    def _out(self, apid: Apid, data: bytes, t_ns: int) -> None:
        packet = self._sequence.packet(apid, data, t_ns)
        self._recorder.record(packet)
        self.live.offer(packet)
