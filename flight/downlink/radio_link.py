"""The radio link beside the laser: slow, blind to clouds, for what cannot wait for light.

Image -> ground, hop "acted", and command -> ack, hop "enters", by another way. It has its own
modem, virtual channels, frame numbers, anti-replay window and report gate; queue, store and the
account of whole products are the laser's too, so what one link has taken the other leaves alone and
what the ground has is known to both. There is nothing to point and nothing to protect: a contact of
the plan and the modem's own lock are all it needs. Stepped by the contact loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.commanding.authentication import Intake
from flight.wire.errors import WireError
from flight.wire.report import decode as decode_report
from flight.wire.space_packet import Apid
from hal.sample import HalError, SensorBit, TermFlag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flight.commanding.authentication import UplinkAuthenticator
    from flight.commanding.uplink_service import UplinkService
    from flight.downlink.arq_sender import ArqSender
    from flight.downlink.frame_filler import FrameFiller
    from flight.downlink.pass_plan import Contact, PassPlan
    from flight.downlink.product_lives import ProductLives
    from flight.downlink.settlement import Settlement
    from flight.link_config import LinksConfig
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from flight.wire.secure_link import SecureLink
    from hal.protocols import FrameModem

RECEIVED_AT_ONCE = 16
FIFO_FRAMES = 2
"""In the modem's FIFO at most: what lies there can no longer be overtaken."""
PUBLISHED = (
    "radio.contact", "radio.locked", "radio.frames_sent", "radio.frames_lost",
    "radio.frames_refused", "radio.in_flight", "radio.frames_received", "radio.frames_rejected",
    "radio.packets_refused",
)  # fmt: skip


class RadioLink:
    """One link of several; see the module.

    Attributes:
        arq: of this link's frames.
        in_contact: a contact of the plan goes on.
    """

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        modem: FrameModem,
        plan: PassPlan,
        names: Mapping[int, str],
        link: SecureLink,
        authenticator: UplinkAuthenticator,
        filler: FrameFiller,
        arq: ArqSender,
        light: ArqSender,
        settlement: Settlement,
        uplink: UplinkService,
        config: LinksConfig,
        lives: ProductLives,
        channels: ChannelValues,
        events: EventLog,
    ) -> None:
        self._modem = modem
        self._plan = plan
        self._names = names
        self._link = link
        self._authenticator = authenticator
        self._filler = filler
        self.arq = arq
        self._light = light
        self._settlement = settlement
        self._uplink = uplink
        self._carries_all = config.radio_carries == "all"
        self._believes_all = config.radio_reports == "all"
        self._lives = lives
        self._values = channels.values
        self._events = events
        self._index = tuple(channels.index(name) for name in PUBLISHED)
        self._contact: Contact | None = None
        self._fifo_frames = 0
        self._acquired = self._locked = self._light_was_up = False
        self._sent = self._sent_before = self._refused = self._distrusted = 0

    @property
    def unreadable(self) -> list[int]:
        """Products found to be lost while they were to be sent, for the intake to drop."""
        return self._filler.unreadable

    @property
    def in_contact(self) -> bool:
        """A contact of the plan goes on."""
        return self._contact is not None

    def receive(self, now_ns: int) -> None:
        """Takes what came up, with the same checks as what comes by light."""
        for _ in range(RECEIVED_AT_ONCE):
            try:
                frame = self._modem.receive_frame()
            except HalError as error:
                self._hal_failed(error, now_ns)
                return
            if frame is None:
                return
            self._uplink.take_frame(frame, now_ns, self)

    def take(self, frame: bytes) -> Intake:
        """What a received frame brings; reports that this link is not trusted with are left out."""
        intake = self._authenticator.take(frame)
        if self._believes_all:
            return intake
        own = tuple(
            packet
            for packet in intake.arq_packets
            if packet.apid != Apid.REPORT or self._is_own(packet.data)
        )
        self._distrusted += len(intake.arq_packets) - len(own)
        return Intake(intake.verdict, intake.telecommands, own)

    def step(self, now_ns: int, *, light: bool, live: Callable[[int, int], list[bytes]]) -> None:
        """One look at plan and modem, and what the line takes until the next one.

        Args:
            now_ns: mission time.
            light: the laser terminal takes frames now.
            live: packets that are to be told now, as many as fit into so many octets.
        """
        self._hand_over()
        contact = self._plan.active(now_ns)
        if contact is not self._contact:
            self._change(contact, now_ns)
        credit = self._look(now_ns) if contact is not None else 0
        if self._locked:
            self._pump(now_ns, credit, live, light=light)
        self._publish()

    def _is_own(self, data: bytes) -> bool:
        try:
            return decode_report(data).vcid == self.arq.vcid
        except WireError:
            return True  # whoever reads it counts it

    def _hand_over(self) -> None:
        """The light has gone: what it carried of emergencies and nobody reported is asked about."""
        up = self._light.link_up
        if self._light_was_up and not up:
            self._settlement.question(self._light.undecided_products(), urgent=True)
        self._light_was_up = up

    def _change(self, contact: Contact | None, now_ns: int) -> None:
        before, self._contact = self._contact, contact
        if before is not None:
            self._locked = False
            self.arq.on_link_down(now_ns)
            # The next contact may be hours away: another link finishes what this one began.
            self._settlement.question(self.arq.give_up())
            self._tell_end(before, now_ns)
        if contact is not None:
            self._acquired, self._sent_before = False, self._sent
            self._events.emit(
                "CONTACT_STARTED", now_ns, contact=contact.contact_id, peer=self._peer(contact)
            )

    def _tell_end(self, contact: Contact, now_ns: int) -> None:
        peer = self._peer(contact)
        if not self._acquired:
            self._events.emit("CONTACT_FAILED", now_ns, contact=contact.contact_id, peer=peer)
            return
        frames = self._sent - self._sent_before
        self._events.emit(
            "RADIO_ENDED", now_ns, contact=contact.contact_id, peer=peer, frames=frames
        )

    def _look(self, now_ns: int) -> int:
        """Frames to give the modem now; 0 without its lock."""
        try:
            frame = self._modem.snapshot()
        except HalError as error:
            self._hal_failed(error, now_ns)
            self._lock(now_ns, locked=False)
            return 0
        known = frame.valid & SensorBit.TERM_FLAGS and frame.valid & SensorBit.TX_FIFO
        self._lock(now_ns, locked=bool(known and frame.term_flags & TermFlag.SYNC))
        if not self._locked:
            return 0
        free = frame.tx_fifo_free
        self._fifo_frames = max(self._fifo_frames, free)
        return max(0, min(free, FIFO_FRAMES - (self._fifo_frames - free)))

    def _lock(self, now_ns: int, *, locked: bool) -> None:
        if locked is self._locked:
            return
        self._locked = locked
        contact = self._contact
        assert contact is not None, "out of contact nobody asks the modem"
        peer = self._peer(contact)
        if locked:
            self.arq.on_link_up(now_ns)
            self._acquired = True
            seconds = (now_ns - contact.start_ns) * 1e-9
            self._events.emit("LINK_ACQUIRED", now_ns, peer=peer, seconds=seconds)
        else:
            self.arq.on_link_down(now_ns)
            self._events.emit("LINK_LOST", now_ns, peer=peer, state="no carrier")

    def _pump(
        self, now_ns: int, credit: int, live: Callable[[int, int], list[bytes]], *, light: bool
    ) -> None:
        given = 0
        if credit and not light and self._link.ready():
            packets = live(now_ns, self._link.packets_bytes_max)
            if packets:
                self._submit(self._link.seal(self._link.channels.telemetry, packets).frame)
                given = 1
        # While there is light, it is the faster way for whatever waits.
        self._filler.closed = light and not self._carries_all
        while given < credit and self._link.ready() and self._send_products(now_ns):
            given += 1
        self._sent += given

    def _send_products(self, now_ns: int) -> bool:
        """One frame of products, if there is something for it."""
        if self._filler.closed and not self.arq.probe_due(now_ns):
            return False
        if not self.arq.can_send(urgent=not self._carries_all):
            return False
        self._link.make_ready(1)  # from here on nothing may fail
        vcid = self._link.channels.products
        frame_no = self._link.next_frame_no(vcid)
        content = self._filler.fill(now_ns)
        if content is None:
            return False
        self.arq.sent(frame_no, content.segments, now_ns, freed=content.freed, asked=content.asked)
        self._lives.sent(frame_no, content.segments, content.asked, now_ns, "radio")
        self._submit(self._link.seal(vcid, content.packets).frame)
        return True

    def _submit(self, frame: bytes) -> None:
        try:
            taken = self._modem.submit_frame(frame)
        except HalError:
            taken = False
        self._refused += not taken

    def _hal_failed(self, error: HalError, now_ns: int) -> None:
        self._events.emit("HAL_FAILED", now_ns, device=error.device, kind=error.kind.name)

    def _peer(self, contact: Contact) -> str:
        return self._names.get(contact.contact_id, f"station {contact.peer_id}")

    def _publish(self) -> None:
        ledger = self._link.ledger
        row = (
            0 if self._contact is None else self._contact.contact_id,
            self._locked,
            self._sent,
            self.arq.counters.lost_frames,
            self._refused,
            self.arq.in_flight_frames,
            ledger.accepted,
            ledger.received - ledger.accepted,
            self._authenticator.packets_refused + self._distrusted,
        )
        for index, value in zip(self._index, row, strict=True):
            self._values[index] = value
