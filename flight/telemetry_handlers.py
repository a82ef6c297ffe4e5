"""What the telecommands about telemetry do: reports, and which events are told.

Hop "acted" of command -> ack, beside `command_handlers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.base.channels import Offer
from flight.commanding.dispatcher import COMPLETED, Binding, HandlerResult, failed
from flight.downlink.store_values import StoreError
from flight.telemetry.command_table import DumpParameters, FilterEvents, HoldEvent
from flight.telemetry.definitions import Report, Severity
from flight.telemetry.dictionary import EVENT_BY_NAME
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.channels import Bounded
    from flight.telemetry.event_log import EventLog

FILTER = "event.filter"
"""The filter's state in the store."""


class TelemetryHandlers:
    """Three rows of the opcode table.

    Args:
        requests: where telemetry looks for reports to make.
        save: makes a state durable, or raises StoreError.
    """

    def __init__(
        self,
        requests: Bounded[Report],
        events: EventLog,
        save: Callable[[str, bytes], None],
    ) -> None:
        self._requests = requests
        self._events = events
        self._save = save

    def bindings(self) -> list[Binding[object]]:
        """Their commands with their handlers."""
        rows: list[tuple[type, Callable[..., HandlerResult]]] = [
            (DumpParameters, self._dump_parameters),
            (FilterEvents, self._filter_events),
            (HoldEvent, self._hold_event),
        ]
        return [Binding(kind, handler) for kind, handler in rows]

    def _dump_parameters(self, _command: DumpParameters, _now_ns: int) -> HandlerResult:
        offer = self._requests.offer(Report.PARAMETERS)
        return COMPLETED if offer is Offer.ACCEPTED else failed(CommandReason.BUSY)

    def _filter_events(self, command: FilterEvents, now_ns: int) -> HandlerResult:
        before = self._events.filter.dump()
        self._events.filter.severity = Severity[command.severity]
        return self._keep(before, now_ns)

    def _hold_event(self, command: HoldEvent, now_ns: int) -> HandlerResult:
        definition = EVENT_BY_NAME.get(command.event)
        if definition is None:
            return failed(CommandReason.NOT_FOUND)
        before = self._events.filter.dump()
        if not command.held:
            self._events.filter.release(definition)
        elif not self._events.filter.hold(definition):
            return failed(CommandReason.REFUSED)
        return self._keep(before, now_ns)

    def _keep(self, before: bytes, now_ns: int) -> HandlerResult:
        """Durable before it counts; the change is told whatever it holds back."""
        chosen = self._events.filter
        try:
            self._save(FILTER, chosen.dump())
        except StoreError as error:
            chosen.restore(before)
            self._events.emit("STORE_FAILED", now_ns, kind=error.kind.name)
            return failed(CommandReason.REFUSED)
        self._events.emit(
            "EVENT_FILTER_SET", now_ns, severity=chosen.severity.name, held=chosen.held
        )
        return COMPLETED


def recover_filter(events: EventLog, blob: bytes | None, now_ns: int) -> None:
    """The filter as it was before the last reset; told when it cannot be read."""
    if not events.filter.restore(blob):
        events.emit("EVENT_FILTER_LOST", now_ns)
