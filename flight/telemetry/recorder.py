"""What telemetry makes products of: recordings, and a report when a fault has made the node safe.

A recording is closed when it is long or old enough; its payload is the plain sequence of space
packets under zlib (RFC 1950), so any tool that reads packets reads a recording. A report is JSON of
a few kilobytes and of class EMERGENCY: durable at once, and ahead of everything else on the line.
"""

from __future__ import annotations

import zlib
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from flight.modes.mode_table import AS_BEFORE
from flight.telemetry.definitions import Mode
from flight.telemetry.dictionary import CHANNELS
from flight.wire.product_packet import Producer, ProductClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flight.base.channels import Latest
    from flight.commanding.parameters import ParameterTable
    from flight.downlink.product_intake import ProductIntake
    from flight.modes.mode_table import ModeChange
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import Event, EventLog

CLOSE_BYTES = 256 * 1024
CLOSE_AFTER_NS = 600_000_000_000
VALUE_MILLIS = 500

MEMORY = "anomaly.told"
"""The name in the store."""
REPORT_BYTES_MAX = 8_192
REPORT_VALUE_MILLIS = 1_000_000
"""As much as a thousand clear pictures."""
REPORTS_MAX = 8
"""Reports that may wait on board: the next one takes the place of the oldest."""
CAUSES_MAX = 32
TEXT_MAX = 200
"""Characters of an event's sentence in a report."""
RETRY_NS = 10_000_000_000
TRIES_MAX = 30
"""Five minutes of a store that takes nothing; each refusal is counted by the intake."""
_GROUPS = ("mode", "power", "battery", "thermal", "governor", "health", "store", "terminal")
_AROUND = tuple((i, c.name) for i, c in enumerate(CHANNELS) if c.name.split(".")[0] in _GROUPS)
_RECOVERIES = tuple((i, c.name) for i, c in enumerate(CHANNELS) if c.name.startswith("recovery."))


class Recorder:
    """Collects packets; `step` closes a product when due."""

    def __init__(self, intake: ProductIntake) -> None:
        self._intake = intake
        self._buffer = bytearray()
        self._opened_ns: int | None = None

    def record(self, packet: bytes) -> None:
        """Adds one packet; bounded by `CLOSE_BYTES` plus one step's packets."""
        self._buffer += packet

    def step(self, now_ns: int) -> None:
        """Hands the recording on when it is long or old enough."""
        if not self._buffer:
            return
        if self._opened_ns is None:
            self._opened_ns = now_ns
        if len(self._buffer) >= CLOSE_BYTES or now_ns - self._opened_ns >= CLOSE_AFTER_NS:
            self.close(now_ns)

    def close(self, now_ns: int) -> None:
        """Hands on what there is, however little."""
        if not self._buffer:
            return
        if self._opened_ns is None:
            self._opened_ns = now_ns
        payload = zlib.compress(bytes(self._buffer), 6)
        name = f"telemetry-{self._opened_ns // 1_000_000_000:08d}s.tm.z"
        self._intake.submit(
            name=name,
            klass=ProductClass.TELEMETRY,
            producer=Producer.TELEMETRY,
            payload=payload,
            value_millis=VALUE_MILLIS,
            deadline_ns=None,
            now_ns=now_ns,
        )
        self._buffer.clear()
        self._opened_ns = None


class AnomalyMemory(msgspec.Struct, frozen=True, array_like=True):
    """What a reset must not forget, or a boot loop would fill the store.

    Attributes:
        causes: reported since the node was last out of SAFE.
        products: the last reports, oldest first.
    """

    causes: tuple[str, ...] = ()
    products: tuple[int, ...] = ()


class _Report(NamedTuple):
    cause: str
    name: str
    payload: bytes


class AnomalyReports:
    """One product for each fault that makes the node safe; none for SAFE by command.

    A reset neither leaves SAFE nor makes its cause another one: a cause is reported once until the
    ground has led the node out of SAFE. A member of the cycle of its own, after the mode is known,
    so that it needs neither telemetry nor inference, and may fail alone.

    Args:
        keep: makes the memory durable; it tells of a failure itself.
        kept: what it kept before the reset; one that cannot be read is none.
    """

    name = "anomaly"

    def __init__(  # noqa: PLR0913  what a report looks at, each named
        self,
        *,
        intake: ProductIntake,
        channels: ChannelValues,
        events: EventLog,
        parameters: ParameterTable,
        status: Latest[NodeStatus],
        keep: Callable[[bytes, int], object],
        kept: bytes | None,
    ) -> None:
        self._intake = intake
        self._channels = channels
        self._events = events
        self._parameters = parameters
        self._status = status
        self._keep = keep
        self._memory = _memory_of(kept)
        self._entry: tuple[ModeChange, int] | None = None
        self._waiting: _Report | None = None
        self._tries = self._due_ns = 0

    def on_mode(self, change: ModeChange, now_ns: int) -> None:
        """Takes note of an entry into SAFE by a fault, and of the way out."""
        if change.new is Mode.SAFE:
            self._entry = (change, now_ns)
        elif change.old is Mode.SAFE and self._memory.causes:
            self._remember(AnomalyMemory((), self._memory.products), now_ns)

    def step(self, now_ns: int) -> None:
        """Makes the report of an entry, and hands it in again while the store takes nothing."""
        if self._entry is not None:
            (change, at_ns), self._entry = self._entry, None
            cause = change.cause.removeprefix(AS_BEFORE)
            if cause != "command" and cause not in self._memory.causes:
                name = f"anomaly-{at_ns // 1_000_000_000:08d}s.report"
                self._waiting = _Report(cause, name, self._report(change, cause, at_ns))
                self._tries, self._due_ns = 0, now_ns
        if self._waiting is not None and now_ns >= self._due_ns:
            self._hand_in(self._waiting, now_ns)

    def _hand_in(self, report: _Report, now_ns: int) -> None:
        causes, products = self._memory.causes, self._memory.products
        self._waiting, self._tries, self._due_ns = None, self._tries + 1, now_ns + RETRY_NS
        product_id = self._intake.submit(
            name=report.name,
            klass=ProductClass.EMERGENCY,
            producer=Producer.TELEMETRY,
            payload=report.payload,
            value_millis=REPORT_VALUE_MILLIS,
            deadline_ns=None,
            now_ns=now_ns,
            supersedes=products[-REPORTS_MAX] if len(products) >= REPORTS_MAX else None,
        )
        if product_id is not None:
            told, made = (*causes, report.cause), (*products, product_id)
            self._remember(AnomalyMemory(told[-CAUSES_MAX:], made[-REPORTS_MAX:]), now_ns)
        elif self._tries < TRIES_MAX:
            self._waiting = report

    def _remember(self, memory: AnomalyMemory, now_ns: int) -> None:
        self._memory = memory
        self._keep(msgspec.msgpack.encode(memory), now_ns)

    def _report(self, change: ModeChange, cause: str, at_ns: int) -> bytes:
        status, values = self._status.get(), self._channels.values
        told = {
            "cause": cause,
            "told_as": change.cause,
            "from": change.old.name,
            "t_ns": at_ns,
            "utc_s": None if status is None else status.utc_s,
            "recoveries": {name: values[i] for i, name in _RECOVERIES if values[i] > 0.0},
            "channels": {
                name: float(f"{values[i]:.6g}") for i, name in _AROUND if not isnan(values[i])
            },
            "parameters": self._parameters.differing(),
        }
        return anomaly_report(told, reversed(self._events.recent))


def anomaly_report(told: dict[str, Any], newest_first: Iterable[Event]) -> bytes:
    """JSON of at most `REPORT_BYTES_MAX`: what is told, and as many of the events as find room."""
    head = msgspec.json.encode(told)[:-1] + b',"events":['
    lines, room = [], REPORT_BYTES_MAX - len(head) - len(b"]}")
    for event in newest_first:
        line = msgspec.json.encode(
            {"t_ns": event.t_ns, "name": event.name, "text": event.text[:TEXT_MAX]}
        )
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return head + b",".join(lines) + b"]}"


def _memory_of(kept: bytes | None) -> AnomalyMemory:
    try:
        return msgspec.msgpack.decode(kept or b"", type=AnomalyMemory)
    except msgspec.DecodeError:
        return AnomalyMemory()
