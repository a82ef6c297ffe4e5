"""Command flow, entry: uplink frames in, verification reports out, ARQ packets passed on.

Stepped by the contact loop. A frame is looked at by the authenticator alone; what it held goes to
the dispatcher (telecommands) or into a channel that the downlink empties (reports, answers).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from flight.base.channels import Bounded, Overflow
from flight.commanding.authentication import REFUSALS
from flight.commanding.durable_gate import DurableGate
from flight.telemetry.dictionary import Mode
from flight.wire.link_security import SecurityVerdict
from flight.wire.space_packet import Apid, SequenceCounts, SpacePacket
from flight.wire.telecommand import CommandReason, Stage, encode_report
from hal.sample import HalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.channels import Latest
    from flight.commanding.authentication import CommandLedger, Intake, UplinkAuthenticator
    from flight.commanding.dispatcher import Dispatched, Dispatcher
    from flight.commanding.durable_gate import Durability
    from flight.fdir.command_loss import CommandLoss
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from flight.telemetry.queue_board import QueueLike
    from hal.protocols import NodeDevices

FRAMES_PER_STEP = 64
ARQ_INBOX = 1024
REPORTS_OUT = 256
PUBLISHED = (
    *("link.frames_received", "link.frames_rejected"),
    *(f"link.rejected_{each.value}" for each in SecurityVerdict if each is not SecurityVerdict.OK),
    *("command.accepted_total", "command.rejected_total", "command.malformed_total"),
    *("command.duplicates_total", "command.running", "command.undurable_total"),
    *(f"command.rejected_{reason.name.lower()}" for reason in REFUSALS),
    *("command.failed_total", "command.foreign_total"),
)
"""What became of every frame and every telecommand."""
_STAGE_EVENT = {
    Stage.ACCEPTED: "COMMAND_ACCEPTED",
    Stage.COMPLETED: "COMMAND_COMPLETED",
    Stage.FAILED: "COMMAND_FAILED",
    Stage.REJECTED: "COMMAND_REJECTED",
}


class FrameOpener(Protocol):
    """What opens the received frames of one link."""

    def take(self, frame: bytes) -> Intake:
        """What a received frame brings; never raises on any bytes."""
        ...


class UplinkService:
    """Owns the receive side of the terminal.

    Attributes:
        arq_inbox: reports and reconcile answers, for the downlink.
        verification: packets that tell the operator what became of a command.

    Args:
        on_answer: told what the dispatcher said and when, whichever way the command came.
        hurry: called when there is something to do before the next step is due.
    """

    name = "uplink"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        devices: NodeDevices,
        authenticator: UplinkAuthenticator,
        dispatcher: Dispatcher,
        ledger: CommandLedger,
        command_loss: CommandLoss,
        status: Latest[NodeStatus],
        sequence: SequenceCounts,
        channels: ChannelValues,
        events: EventLog,
        store: Durability,
        on_answer: Callable[[Dispatched, int], None] | None = None,
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        self._devices = devices
        self._on_answer, self._hurry = on_answer, hurry
        self._authenticator = authenticator
        self._dispatcher = dispatcher
        self.ledger = ledger
        self._command_loss = command_loss
        self._status = status
        self._sequence = sequence
        self._values = channels.values
        self._events = events
        self._gate, self._store = DurableGate(store), store
        self._frames = dict.fromkeys(SecurityVerdict, 0)
        self.arq_inbox: Bounded[SpacePacket] = Bounded("arq_inbox", ARQ_INBOX, Overflow.DROP_OLDEST)
        self.verification: Bounded[bytes] = Bounded(
            "verification", REPORTS_OUT, Overflow.DROP_OLDEST
        )
        self._armed = channels.index("command.armed")
        self._index = tuple(channels.counter(name) for name in PUBLISHED)

    @property
    def queues(self) -> tuple[QueueLike, ...]:
        """Every queue on the way of a command, for telemetry."""
        return self.arq_inbox, self.verification, self._gate.commands, self._gate.answers

    def step(self, now_ns: int) -> None:
        """Takes what the terminal received since the last step, a bounded number of frames."""
        got_any = False
        for _ in range(FRAMES_PER_STEP):
            try:
                frame = self._devices.receive_frame()
            except HalError as error:
                self._events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
                break
            if frame is None:
                break
            got_any = True
            self._take(frame, now_ns, self._authenticator)
        else:
            self._hurry()  # there may be more
        ended = self._dispatcher.expire(now_ns)
        for dispatched in ended:
            self._gate.hold(dispatched, self._store.durable_mark, now_ns)
        self._serve(now_ns)
        self._follow_arming(now_ns)
        if got_any or ended:
            self._publish()

    def take_frame(
        self, frame: bytes, now_ns: int, by: FrameOpener | None = None
    ) -> SecurityVerdict:
        """Takes a frame that came another way than the terminal, with the same checks.

        `by`: what opens the frames of a link that has keys, numbers or channels of its own.
        """
        verdict = self._take(frame, now_ns, by or self._authenticator)
        self._publish()
        return verdict

    def _take(self, frame: bytes, now_ns: int, by: FrameOpener) -> SecurityVerdict:
        intake = by.take(frame)
        self._frames[intake.verdict] += 1
        if intake.verdict is not SecurityVerdict.OK:
            self._events.emit("FRAME_REJECTED", now_ns, verdict=intake.verdict.name.lower())
            return intake.verdict
        for telecommand in intake.telecommands:
            self._gate.admit(telecommand, now_ns)
        self._serve(now_ns)
        for packet in intake.arq_packets:
            self.arq_inbox.offer(packet)
        return intake.verdict

    def settle(self, now_ns: int) -> None:
        """The store has got further: goes on with what waited for it."""
        self._serve(now_ns)
        self._publish()
        if len(self.verification):
            self._hurry()

    def _serve(self, now_ns: int) -> None:
        """Does what may be done and says what may be said by now."""
        status = self._status.get()
        mode = Mode.BOOT if status is None else status.mode
        ready = partial(self._dispatcher.ready, mode=mode)
        while (telecommand := self._gate.next(now_ns, ready)) is not None:
            mark = self._store.mark
            dispatched = self._dispatcher.dispatch(telecommand, now_ns, mode)
            if dispatched.reports and dispatched.reports[0].stage is Stage.ACCEPTED:
                self._command_loss.on_valid_command(now_ns)
            self._gate.hold(dispatched, mark, now_ns)
        for dispatched in self._gate.release(now_ns):
            self._answer(dispatched, now_ns)

    def finish(
        self, command_id: int, now_ns: int, reason: CommandReason = CommandReason.NONE
    ) -> None:
        """A command that was STARTED has ended: completed, or failed when there is a reason."""
        dispatched = self._dispatcher.finish(command_id, reason=reason)
        if dispatched is not None:
            # What ended it may have asked the store for something, some time ago.
            self._gate.hold(dispatched, self._store.durable_mark, now_ns)
            self.settle(now_ns)

    def _follow_arming(self, now_ns: int) -> None:
        arming = self._dispatcher.arming
        for end in arming.ended(now_ns):
            self._events.emit("ARMING_ENDED", now_ns, name=end.name, how=end.how)
        self._values[self._armed] = bool(arming.name)

    def _answer(self, dispatched: Dispatched, now_ns: int) -> None:
        if self._on_answer is not None:
            self._on_answer(dispatched, now_ns)
        for report in dispatched.reports:
            event = _STAGE_EVENT.get(report.stage)
            if report.reason is CommandReason.ARMED:
                event = "COMMAND_ARMED"
            if event is not None and not dispatched.repeated:
                self._events.emit(
                    event,
                    now_ns,
                    command=report.command_id,
                    name=dispatched.name,
                    reason=report.reason.name.lower(),
                )
            data = encode_report(report)
            self.verification.offer(self._sequence.packet(Apid.VERIFICATION, data, now_ns))

    def _publish(self) -> None:
        ledger, values = self.ledger, self._values
        received, *refused = self._frames.values()
        row = (
            received,
            sum(refused),
            *refused,
            ledger.accepted,
            ledger.rejected,
            ledger.malformed,
            ledger.duplicates,
            self._dispatcher.running,
            self._gate.undurable + self._gate.dropped,
            *ledger.by_reason.values(),
            ledger.failed,
            self._authenticator.packets_refused,
        )
        for index, value in zip(self._index, row, strict=True):
            values[index] = value
