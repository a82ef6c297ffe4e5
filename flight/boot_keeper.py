"""Keeps the boot record of the present run: its beats, its good flight, its end.

Hop: beside "told". What the start found becomes telemetry once; then the record follows the run,
so that whoever starts next knows when and in which mode it was last alive.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Final

from flight.boot_record import (
    BEAT_NS,
    GOOD_FLIGHT_NS,
    GRANTED,
    Ended,
    beaten,
    ending,
    following,
    forgiven,
    resume,
)
from flight.commanding.dispatcher import COMPLETED, Binding, HandlerResult, failed
from flight.reset_cause import Cause, Evidence, ResetLog, judge
from flight.telemetry.channel_table import RESET_LABELS
from flight.telemetry.command_table import ClearResets, ResetNode
from flight.telemetry.definitions import Mode
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.channels import Latest
    from flight.boot_record import BootRecord, Found, Resumed
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog

RESET_DELAY_NS: Final = 3_000_000_000
"""From the command to the reset: the answer leaves first, and one more look at telemetry."""
_NS: Final = 1e-9
_NS_PER_S: Final = 1_000_000_000
COUNTED: Final = {
    "reset.power_cut": Cause.POWER_CUT, "reset.commanded": Cause.COMMANDED,
    "reset.watchdog": Cause.WATCHDOG, "reset.software": Cause.SOFTWARE,
    "reset.stopped": Cause.STOPPED,
}  # fmt: skip
"""Channels of the causes that have one; all the others count in `reset.other`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootPorts:
    """What the machine does for the record.

    Attributes:
        offer: has a beat written soon, without waiting.
        finish: writes the last one of the run; raises OSError.
        failed: beats that could not be written, since the start.
        utc_trusted: whether a time source stands behind UTC now.
        reset: ends the run, so that whoever started it starts it again.
    """

    offer: Callable[[BootRecord], None]
    finish: Callable[[BootRecord], None]
    failed: Callable[[], int]
    utc_trusted: Callable[[], bool]
    reset: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BootStart:
    """What this start found, and the record of its run, which is durable by now.

    Attributes:
        before: the record of the run before.
        damaged: slots that were neither empty nor a record.
        resumed: how mission time goes on.
        aborted: the run before was ended by SIGABRT.
    """

    before: BootRecord | None
    damaged: int
    record: BootRecord
    resumed: Resumed
    ports: BootPorts
    aborted: bool = False

    def cause(self, board: Cause | None) -> Cause:
        """Why the node started; `board` is what the hardware layer says."""
        return judge(
            Evidence(
                record=self.before,
                power_up=self.record.power_up,
                board=board,
                aborted=self.aborted,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One moment on both clocks: the machine's monotonic one, and UTC."""

    mono_ns: int
    utc_ns: int
    utc_trusted: bool


def begin(
    found: Found, now: Instant, *, power_up: bytes, watched: bool = False, granted: bool = False
) -> tuple[BootRecord, Resumed]:
    """The first record of a new run, to be made durable before anything else is opened.

    With `granted` the clock is a bench's, which outlives the node: mission time is its time.
    """
    before = found.record
    resumed = (
        GRANTED
        if granted
        else resume(
            before,
            power_up=power_up,
            mono_ns=now.mono_ns,
            utc_ns=now.utc_ns,
            utc_trusted=now.utc_trusted,
        )
    )
    record = beaten(
        following(before, power_up=power_up, watched=watched),
        mode=Mode.BOOT if before is None else before.mode,
        mission_ns=now.mono_ns + resumed.offset_ns,
        offset_ns=resumed.offset_ns,
        utc_ns=now.utc_ns,
        utc_trusted=now.utc_trusted,
    )
    return record, resumed


class BootKeeper:
    """Stepped in the cycle.

    Attributes:
        record: as it was offered last.
    """

    name = "boot"

    def __init__(
        self,
        start: BootStart,
        *,
        status: Latest[NodeStatus],
        channels: ChannelValues,
        events: EventLog,
        now_ns: int,
    ) -> None:
        self._start = start
        self._ports = start.ports
        self._status = status
        self._events = events
        self._values = channels.values
        self._started_ns = self._beat_ns = now_ns
        self._reset_ns: int | None = None
        self._failed = 0
        self.record = start.record
        self._counts = {channels.counter(name): cause for name, cause in COUNTED.items()}
        self._other = channels.counter("reset.other")
        self._in_a_row = channels.counter("reset.unplanned_in_a_row")
        self._planned = channels.index("reset.planned")
        self._failures = channels.counter("reset.record_failures")

    def tell(self, cause: Cause, log: ResetLog, *, log_whole: bool, now_ns: int) -> None:
        """What the start found, as channels and events; the newest starts once more, each."""
        start, values, emit = self._start, self._values, self._events.emit
        for index, each in self._counts.items():
            values[index] = log.counts[each]
        values[self._other] = sum(log.counts) - sum(log.counts[c] for c in COUNTED.values())
        values[self._planned] = start.before is not None and start.before.planned
        values[self._in_a_row] = self.record.unplanned
        if start.damaged:
            emit("BOOT_RECORD_DAMAGED", now_ns, what=f"slots of the record: {start.damaged}")
        if not log_whole:
            emit("BOOT_RECORD_DAMAGED", now_ns, what="log of resets")
        if start.resumed.offset_ns:
            seconds = now_ns * _NS
            emit("MISSION_TIME_RESUMED", now_ns, seconds=seconds, how=start.resumed.how)
        for entry in log.entries:
            emit(
                "RESET_ENTRY", now_ns, boot=entry.boot, cause=RESET_LABELS[entry.cause],
                how="planned" if entry.planned else "unplanned", mode=Mode(entry.mode).name,
                seconds=entry.mission_ns * _NS,
            )  # fmt: skip
        if self.record.looping:
            emit("BOOT_LOOP", now_ns, count=self.record.unplanned, cause=RESET_LABELS[cause])

    def step(self, now_ns: int) -> None:
        """A beat when it is due; an ordered reset when its time has come."""
        if self._reset_ns is not None and now_ns >= self._reset_ns:
            self._reset_ns = None
            self._ports.reset()
            return
        if self.record.unplanned and now_ns - self._started_ns >= GOOD_FLIGHT_NS:
            self.forgive(now_ns, "a good flight")
        if now_ns - self._beat_ns >= BEAT_NS:
            self._beat_ns = now_ns
            self._offer(self._beaten(now_ns))
        self._count_failures(now_ns)

    def order_reset(self, now_ns: int) -> None:
        """The ground wants a reset: it comes once the answer has left."""
        self._events.emit("RESET_ORDERED", now_ns, seconds=RESET_DELAY_NS * _NS)
        self._reset_ns = now_ns + RESET_DELAY_NS

    def forgive(self, now_ns: int, source: str) -> None:
        """The starts in a row are forgotten; None of them: nothing to tell."""
        if not self.record.unplanned:
            return
        self._events.emit("BOOT_LOOP_CLEARED", now_ns, count=self.record.unplanned, source=source)
        self._offer(forgiven(self.record))
        self._values[self._in_a_row] = 0

    def end(self, ended: Ended, now_ns: int) -> None:
        """The last write: how the run ends. Raises OSError."""
        self.record = ending(self._beaten(now_ns), ended)
        self._ports.finish(self.record)

    def _beaten(self, now_ns: int) -> BootRecord:
        status = self._status.get()
        utc_ns = 0
        if status is not None and not isnan(status.utc_s):
            utc_ns = round(status.utc_s * _NS_PER_S) + now_ns - status.now_ns
        return beaten(
            self.record,
            mode=self.record.mode if status is None else status.mode,
            mission_ns=now_ns,
            offset_ns=self.record.offset_ns,
            utc_ns=utc_ns,
            utc_trusted=utc_ns != 0 and self._ports.utc_trusted(),
        )

    def _offer(self, record: BootRecord) -> None:
        self.record = record
        self._ports.offer(record)

    def _count_failures(self, now_ns: int) -> None:
        failed = self._ports.failed()
        if failed > self._failed:
            self._events.emit("BOOT_BEAT_FAILED", now_ns, count=failed)
        self._failed = self._values[self._failures] = failed


def boot_bindings(keeper: BootKeeper | None) -> list[Binding[object]]:
    """The rows of the opcode table; a node that nobody would start again refuses."""

    def reset(_command: object, now_ns: int) -> HandlerResult:
        if keeper is None:
            return failed(CommandReason.REFUSED)
        keeper.order_reset(now_ns)
        return COMPLETED

    def clear(_command: object, now_ns: int) -> HandlerResult:
        if keeper is None:
            return failed(CommandReason.REFUSED)
        keeper.forgive(now_ns, "command")
        return COMPLETED

    return [Binding(ResetNode, reset), Binding(ClearResets, clear)]
