"""Loads by command: each request to the working buffer, told and shown.

Hop "acted" of command -> ack for what is replaced in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.commanding.dispatcher import COMPLETED, Binding, HandlerResult, failed
from flight.commanding.loadable import Dumped, LoadVerdict
from flight.telemetry.command_table import (
    LoadActivate,
    LoadBegin,
    LoadDiscard,
    LoadDump,
    LoadPart,
    LoadRollBack,
    LoadValidate,
)
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.commanding.load_buffer import LoadBuffer
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog


class LoadHandlers:
    """The rows of the opcode table that deal with loads.

    Args:
        send_down: takes a set for the ground; False when there is no room for it.
    """

    def __init__(
        self,
        buffer: LoadBuffer,
        channels: ChannelValues,
        events: EventLog,
        send_down: Callable[[Dumped, int], bool],
    ) -> None:
        self._buffer = buffer
        self._send_down = send_down
        self._values = channels.values
        self._events = events
        self._index = tuple(
            channels.counter(f"load.{name}")
            for name in ("state", "bytes", "size_bytes", "activated_total", "refused_total")
        )

    def bindings(self) -> list[Binding[object]]:
        """Every command about loads with its handler."""
        rows: list[tuple[type, Callable[..., HandlerResult]]] = [
            (LoadBegin, self._begin),
            (LoadPart, self._part),
            (LoadValidate, self._validate),
            (LoadActivate, self._activate),
            (LoadDiscard, self._discard),
            (LoadRollBack, self._roll_back),
            (LoadDump, self._dump),
        ]
        return [Binding(kind, handler) for kind, handler in rows]

    def _begin(self, c: LoadBegin, now_ns: int) -> HandlerResult:
        verdict = self._buffer.begin(c.kind, c.size_bytes, c.crc32c, c.version)
        return self._answer("begun", c.kind, verdict, now_ns)

    def _part(self, command: LoadPart, now_ns: int) -> HandlerResult:
        verdict = self._buffer.part(command.offset, command.data)
        return self._answer("taken in", self._buffer.kind, verdict, now_ns)

    def _validate(self, _command: LoadValidate, now_ns: int) -> HandlerResult:
        kind, size = self._buffer.kind, self._buffer.size_bytes
        verdict = self._buffer.validate()
        if verdict is LoadVerdict.OK:
            self._events.emit("LOAD_VALIDATED", now_ns, kind=kind, bytes=size)
        return self._answer("validated", kind, verdict, now_ns)

    def _activate(self, _command: LoadActivate, now_ns: int) -> HandlerResult:
        kind = self._buffer.kind
        verdict = self._buffer.activate(now_ns)
        if verdict is LoadVerdict.OK:
            self._events.emit("LOAD_CHANGED", now_ns, kind=kind, how="activated")
        return self._answer("activated", kind, verdict, now_ns)

    def _discard(self, _command: LoadDiscard, now_ns: int) -> HandlerResult:
        kind = self._buffer.kind
        return self._answer("discarded", kind, self._buffer.discard(), now_ns)

    def _roll_back(self, command: LoadRollBack, now_ns: int) -> HandlerResult:
        verdict = self._buffer.roll_back(command.kind, now_ns)
        if verdict is LoadVerdict.OK:
            self._events.emit("LOAD_CHANGED", now_ns, kind=command.kind, how="rolled back")
        return self._answer("rolled back", command.kind, verdict, now_ns)

    def _dump(self, command: LoadDump, now_ns: int) -> HandlerResult:
        dumped = self._buffer.dump(command.kind)
        if isinstance(dumped, LoadVerdict):
            return self._answer("dumped", command.kind, dumped, now_ns)
        if not self._send_down(dumped, now_ns):
            return self._answer("dumped", command.kind, self._buffer.refuse_dump(), now_ns)
        size, crc = len(dumped.data), f"{crc32c(dumped.data):08x}"
        self._events.emit("LOAD_DUMPED", now_ns, kind=command.kind, bytes=size, crc32c=crc)
        return self._answer("dumped", command.kind, LoadVerdict.OK, now_ns)

    def _answer(self, what: str, kind: str, verdict: LoadVerdict, now_ns: int) -> HandlerResult:
        buffer = self._buffer
        row = (
            buffer.state,
            buffer.received_bytes,
            buffer.size_bytes,
            buffer.activated,
            buffer.refused,
        )
        for index, value in zip(self._index, row, strict=True):
            self._values[index] = value
        if verdict is LoadVerdict.OK:
            return COMPLETED
        reason = verdict.name.lower()
        self._events.emit("LOAD_REFUSED", now_ns, kind=kind, what=what, reason=reason)
        return failed(verdict.value)
