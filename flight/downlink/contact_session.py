"""One contact seen from the node: which peer, which PAT state, what the terminal is told.

Turns the pure PAT machine's outputs into HAL calls and tells the edges: contact begins, link
acquired, link lost, contact over or failed. Stepped by the downlink service.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from flight.downlink.contact_forecast import ContactForecast
from flight.downlink.link_experience import LineShare
from flight.downlink.pass_plan import ContactKind
from flight.downlink.terminal_health import TerminalHealth
from flight.downlink.terminal_state import (
    Effect,
    PatState,
    TerminalInputs,
    TerminalMachine,
    TerminalOutputs,
)
from flight.telemetry.dictionary import PAT_LABELS
from hal.sample import HalError, HalErrorKind, SensorBit, TermFlag
from hal.terminal_registers import TermRegister, from_word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flight.base.channels import Latest
    from flight.downlink.arq_sender import ArqSender
    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.pass_plan import Contact, PassPlan
    from flight.downlink.terminal_state import Row
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from hal.protocols import NodeDevices
    from hal.sample import SensorFrame

_NS = 1e-9
_STATE_NUMBER = {state: PAT_LABELS.index(state.name) for state in PatState}
HINT_EVERY_NS = 1_000_000_000
HEALTH_EVERY_NS = 1_000_000_000
PUBLISHED = (
    *("link.pat_state", "link.peer", "link.laser_on", "link.contact"),
    "link.terminal_faults",
)
FIFO_LINE_S = 0.003
"""What lies in the terminal's FIFO can no longer be overtaken; three turns of the fastest loop."""
FIFO_FRAMES_LEAST = 2
"""On a slow line this many, or it would run dry between two turns."""
TURN_NS_LEAST, TURN_NS_MOST = 1_000_000, 100_000_000


class ContactSession:
    """Owns the terminal: nobody else points it or switches its laser.

    Attributes:
        in_contact: the PAT machine has a contact to work on, or one is due.
        credit: frames to give the terminal now. It is kept shallow: what lies in its FIFO can no
            longer be overtaken, so no more is put there than the line carries until the next look.
        flowing: frames lie in its FIFO.
        turn_ns: to the next look while frames flow: what one takes on this contact's line.
        frames_sent: in the present contact, counted by the downlink.
        frames_refused: the terminal would not take them; the ARQ sends them again.
    """

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        devices: NodeDevices,
        plan: PassPlan,
        names: Mapping[int, str],
        queue: DownlinkQueue,
        arq: ArqSender,
        status: Latest[NodeStatus],
        delivered: Callable[[], int],
        learned: Callable[[int], None],
        frame_bytes: int,
        channels: ChannelValues,
        events: EventLog,
    ) -> None:
        self._devices = devices
        self._plan = plan
        self._names = names
        self._queue = queue
        self._arq = arq
        self._status = status
        self._delivered = delivered
        self._learned = learned
        self._frame_bytes = frame_bytes
        self._fifo_frames = 0
        self._values = channels.values
        self._events = events
        self._machine = TerminalMachine()
        self._health = TerminalHealth()
        self._next_health_ns: int | None = 0
        self._contact: Contact | None = None
        self._target_id = 0
        self._laser_on = False
        self._delivered_before = 0
        self._forecast = ContactForecast(plan)
        self._share = LineShare()
        self._next_hint_ns = 0
        self.in_contact = False
        self.credit = 0
        self.flowing = False
        self.turn_ns = TURN_NS_MOST
        self.frames_sent = 0
        self.frames_refused = 0
        self._index = tuple(channels.index(name) for name in PUBLISHED)

    @property
    def contact(self) -> Contact | None:
        """The contact under way."""
        return self._contact

    def step(self, now_ns: int) -> bool:
        """One look at plan and terminal; True when frames may be given to the modem."""
        status = self._status.get()
        contact = self._plan.active(now_ns)
        self.in_contact = contact is not None or self._contact is not None
        self._ask_health(now_ns)
        if status is None or self._at_rest():
            self._publish(now_ns)
            return False
        acquired = self._machine.acquired
        frame = self._look(now_ns)
        lit = _valid(frame, SensorBit.LASER_ON, "laser_on")
        if lit is not None:
            self._laser_on = bool(lit)
        outputs = self._machine.step(
            TerminalInputs(
                now_ns=now_ns,
                contact=contact,
                flags=self._flags(frame),
                target_id=_valid(frame, SensorBit.TARGET_ID, "target_id"),
                inhibit=not status.link_allowed,
            )
        )
        self.credit = self._credit(frame, contact)
        if outputs.row is not None:
            self._tell_edge(outputs.row, contact, now_ns, acquired=acquired)
        self._command(outputs, now_ns)
        self._look_ahead(contact, outputs, now_ns)
        self._publish(now_ns)
        return outputs.may_send

    def _at_rest(self) -> bool:
        """Nothing to do, and the terminal has obeyed: dark and stowed."""
        dark_and_stowed = not self._laser_on and self._target_id == 0
        return not self.in_contact and self._machine.state is PatState.IDLE and dark_and_stowed

    def _credit(self, frame: SensorFrame | None, contact: Contact | None) -> int:
        """Free places, but no more frames in the FIFO than `FIFO_LINE_S` of this contact's line."""
        shown = _valid(frame, SensorBit.TX_FIFO, "tx_fifo_free")
        free = shown or 0
        self._fifo_frames = max(self._fifo_frames, free)
        waiting = self._fifo_frames - free
        self.flowing = shown is not None and waiting > 0
        if contact is None:
            return free
        frame_s = 8 * self._frame_bytes / contact.rate_bps
        self.turn_ns = min(max(int(frame_s * 1e3) * 1_000_000, TURN_NS_LEAST), TURN_NS_MOST)
        line_frames = int(FIFO_LINE_S / frame_s)
        return max(0, min(free, max(line_frames, FIFO_FRAMES_LEAST) - waiting))

    def _look(self, now_ns: int) -> SensorFrame | None:
        try:
            return self._devices.snapshot()
        except HalError as error:
            self._events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)
            return None

    def _flags(self, frame: SensorFrame | None) -> int | None:
        flags = _valid(frame, SensorBit.TERM_FLAGS, "term_flags")
        return flags if flags is None or not self._health.faulty else flags | TermFlag.FAULT

    def _ask_health(self, now_ns: int) -> None:
        """Once a second, contact or not; a node without a terminal is never asked again."""
        if self._next_health_ns is None or now_ns < self._next_health_ns:
            return
        self._next_health_ns = now_ns - now_ns % HEALTH_EVERY_NS + HEALTH_EVERY_NS
        try:
            (word,) = self._devices.read_registers(TermRegister.FAULT, 1)
            faults = from_word(TermRegister.FAULT, word)
        except HalError as error:
            if error.kind is HalErrorKind.UNSUPPORTED:
                self._next_health_ns = None
                return
            faults = None
        edge = self._health.learn(faults)
        if edge is not None:
            self._events.emit(edge.event, now_ns, **edge.args)

    def _command(self, outputs: TerminalOutputs, now_ns: int) -> None:
        """Laser off before pointing moves, on only after it has come to rest."""
        try:
            if self._laser_on and not outputs.laser_on:
                self._laser_on = bool(self._devices.set_laser(False))
                if self._laser_on:
                    return  # it reads back as lit: asked again next time, and no beam is swept
            if outputs.target_id != self._target_id:
                self._target_id = self._devices.point_terminal(outputs.target_id)
            if outputs.laser_on and not self._laser_on:
                self._laser_on = bool(self._devices.set_laser(True))
        except HalError as error:
            self._events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)

    def _look_ahead(self, contact: Contact | None, outputs: TerminalOutputs, now_ns: int) -> None:
        """Tells the queue what the contacts will carry, once a second, and learns how this does."""
        self._share.look(may_send=outputs.may_send)
        if now_ns < self._next_hint_ns:
            return
        self._next_hint_ns = now_ns + HINT_EVERY_NS
        counters = self._arq.counters
        share = self._share.take(counters.acked_frames, counters.lost_frames)
        if self._forecast.follow(contact, now_ns, share):
            self._learned(now_ns)
        self._queue.look_ahead(None if contact is None else self._forecast.horizon(now_ns), now_ns)

    def _tell_edge(self, row: Row, contact: Contact | None, now_ns: int, *, acquired: bool) -> None:
        """`acquired`: whether data flowed in the contact that the machine had before this step."""
        peer = self._peer(contact or self._contact)
        if row.effect is Effect.START_CONTACT and contact is not None:
            if self._contact is not None:
                self._end(self._peer(self._contact), now_ns, acquired=acquired)
            self._contact = contact
            self.frames_sent, self._delivered_before = 0, self._delivered()
            self._events.emit("CONTACT_STARTED", now_ns, contact=contact.contact_id, peer=peer)
        elif row.effect is Effect.LINK_UP:
            self._arq.on_link_up(now_ns)
            since_ns = now_ns - (contact.start_ns if contact is not None else now_ns)
            self._events.emit("LINK_ACQUIRED", now_ns, peer=peer, seconds=since_ns * _NS)
        elif row.effect is Effect.RETRY and self._machine.acquired:
            self._arq.on_link_down(now_ns)
            self._events.emit("LINK_LOST", now_ns, peer=peer, state=row.cause)
        elif row.effect in {Effect.END_CONTACT, Effect.MAKE_SAFE}:
            self._end(self._peer(self._contact), now_ns, acquired=acquired)
        self._events.emit("PAT_STATE", now_ns, old="", new=row.to.name, cause=row.cause)

    def _end(self, peer: str, now_ns: int, *, acquired: bool) -> None:
        self._arq.on_link_down(now_ns)
        contact, self._contact = self._contact, None
        if contact is None:
            return
        if not acquired:
            self._events.emit("CONTACT_FAILED", now_ns, contact=contact.contact_id, peer=peer)
            return
        products = self._delivered() - self._delivered_before
        self._events.emit(
            "CONTACT_ENDED",
            now_ns,
            contact=contact.contact_id,
            peer=peer,
            frames=self.frames_sent,
            products=products,
        )

    def _peer(self, contact: Contact | None) -> str:
        if contact is None:
            return "no peer"
        kind = "station" if contact.kind is ContactKind.OGS else "relay"
        return self._names.get(contact.contact_id, f"{kind} {contact.peer_id}")

    def _publish(self, now_ns: int) -> None:
        del now_ns
        values = self._values
        state, peer, laser, contact, faults = self._index
        values[state] = _STATE_NUMBER[self._machine.state]
        values[peer] = self._target_id
        values[laser] = self._laser_on
        values[contact] = 0 if self._contact is None else self._contact.contact_id
        values[faults] = nan if self._health.faults is None else self._health.faults


def _valid(frame: SensorFrame | None, bit: SensorBit, field: str) -> int | None:
    """A field of the frame, or `None` when there is no frame or the field is not valid."""
    if frame is None or not frame.valid & bit:
        return None
    return int(getattr(frame, field))
