"""The contact loop: uplink, terminal, frames, settlement, in this order, as fast as there is need.

Hop "told" of image → ground. Outside a contact it looks up once a second; in a contact ten times;
while frames flow as often as the line takes one; and at once when the terminal says that a frame
has come. It gives the terminal one frame a credit and no more, so an alarm never waits behind a
full modem. Nothing is sent before the terminal has lock.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from flight.wire.product_packet import LIST_BYTES_MAX, LIST_MAX, Withdrawn, encode_list
from flight.wire.space_packet import Apid, SequenceCounts, packet_bytes
from flight.wire.transfer_frame import VirtualChannel
from hal.sample import HalError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flight.base.channels import Bounded
    from flight.base.clock import Clock
    from flight.commanding.uplink_service import UplinkService
    from flight.downlink.arq_sender import ArqSender
    from flight.downlink.contact_session import ContactSession
    from flight.downlink.frame_filler import FrameFiller
    from flight.downlink.product_intake import ProductIntake
    from flight.downlink.product_lives import ProductLives
    from flight.downlink.radio_link import RadioLink
    from flight.downlink.repair_coder import RepairCoder
    from flight.downlink.settlement import Settlement
    from flight.fdir.health_monitor import Heartbeat
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.telemetry_service import TelemetryService
    from flight.wire.channel_coding import ChannelCoder
    from flight.wire.secure_link import SecureLink
    from hal.protocols import NodeDevices

IDLE_NS = 1_000_000_000
CONTACT_NS = 100_000_000
LIVE_EVERY_NS = 1_000_000_000
BATCH_FRAMES = 16
"""Sealed together at most; each is still chosen when its turn comes, and memory stays small."""
REPAIRS_AT_ONCE = 8
WITHDRAWAL_BYTES_MAX = packet_bytes(LIST_BYTES_MAX)
PUBLISHED = (
    "link.frames_sent",
    "link.frames_retransmitted",
    "link.segments_acked",
    "link.reports_received",
    "link.in_flight",
)


class DownlinkService:
    """Serves until cancelled; queue, ARQ and link survive a restart because the root keeps them.

    `wait_until` is the rest after a turn on a board that hears frames come, see `FrameArrivals`.
    """

    name = "downlink"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        clock: Clock,
        devices: NodeDevices,
        session: ContactSession,
        link: SecureLink,
        filler: FrameFiller,
        arq: ArqSender,
        intake: ProductIntake,
        uplink: UplinkService,
        settlement: Settlement,
        telemetry: TelemetryService,
        sequence: SequenceCounts,
        channels: ChannelValues,
        heart: Heartbeat,
        coder: ChannelCoder | None = None,
        repair: RepairCoder | None = None,
        lives: ProductLives | None = None,
        radio: RadioLink | None = None,
        wait_until: Callable[[int, Callable[[], bool]], Awaitable[None]] | None = None,
    ) -> None:
        self._clock = clock
        self._wait_until = wait_until
        self._heart = heart
        self._coder, self._repair, self._lives, self._radio = coder, repair, lives, radio
        self._devices = devices
        self._session = session
        self._link = link
        self._filler = filler
        self._arq = arq
        self._intake = intake
        self._uplink = uplink
        self._settlement = settlement
        self._telemetry = telemetry
        self._sequence = sequence
        self._values = channels.values
        self._frames_sent = self._next_live_ns = self._credit_left = 0
        self._may_send = False
        self._index = tuple(channels.index(name) for name in PUBLISHED)

    async def serve(self) -> None:
        """The loop; each turn asks to be woken when there is something to do."""
        while True:
            now_ns = self._clock.now_ns()
            self._heart.beat()
            period_ns = self._turn(now_ns)
            due_ns = now_ns - now_ns % period_ns + period_ns
            if self._wait_until is None:
                await self._clock.sleep_until(due_ns)
            else:
                await self._wait_until(due_ns, self._hear)

    def _turn(self, now_ns: int) -> int:
        """One turn; returns the period of the grid to wake on next."""
        self._receive(now_ns)
        self._intake.hurry(now_ns)
        self._may_send = may_send = self._session.step(now_ns)
        if self._repair is not None:
            reports = self._arq.counters.reports
            self._repair.look(now_ns, self._session.contact, reports, may_send=may_send)
            self._filler.room_bytes = self._repair.room_bytes
        sent = self._pump(now_ns) if may_send else 0
        self._credit_left = self._session.credit - sent
        self._publish()
        in_contact = self._session.in_contact
        if self._radio is not None:
            self._radio.step(now_ns, light=may_send, live=self._live_packets)
            self._drop_unreadable(self._radio.unreadable, now_ns)
            in_contact = in_contact or self._radio.in_contact
        if self._lives is not None:
            self._lives.step(now_ns, in_contact=in_contact)
        if not in_contact:
            return IDLE_NS
        return self._session.turn_ns if sent or self._session.flowing else CONTACT_NS

    def _receive(self, now_ns: int) -> None:
        """Commands are done, reports settled."""
        self._uplink.step(now_ns)
        if self._radio is not None:
            self._radio.receive(now_ns)
        while (packet := self._uplink.arq_inbox.take()) is not None:
            self._settlement.take(packet, now_ns)

    def _hear(self) -> bool:
        """Between two turns, as something has come: answers leave by what the last turn found.

        False when a whole turn is needed for them.
        """
        now_ns = self._clock.now_ns()
        self._receive(now_ns)
        if not (self._may_send and len(self._uplink.verification)):
            return True
        if self._credit_left <= 0 or not self._link.ready():
            return False
        if self._send_live(now_ns):
            self._credit_left -= 1
            self._frames_sent += 1
            self._session.frames_sent += 1
        return True

    def _pump(self, now_ns: int) -> int:
        """Fills the terminal's credit; returns frames given."""
        credit = self._session.credit
        given = int(credit > 0 and self._link.ready() and self._send_live(now_ns))
        while given < credit and self._link.ready(min(credit - given, BATCH_FRAMES)):
            repairs = self._send_repairs(now_ns, credit - given)
            given += repairs
            wanted = min(credit - given, BATCH_FRAMES - repairs)
            sent = self._send_products(now_ns, wanted) if wanted else 0
            given += sent
            if sent < wanted:
                given += self._send_repairs(now_ns, credit - given, idle=True)
                break
        self._frames_sent += given
        self._session.frames_sent += given
        return given

    def _send_live(self, now_ns: int) -> bool:
        """What is live, in one frame of its own."""
        packets = self._live_packets(now_ns, self._link.packets_bytes_max)
        if packets:
            self._submit(self._link.seal(VirtualChannel.TELEMETRY, packets).frame)
        return bool(packets)

    def _live_packets(self, now_ns: int, room_bytes: int) -> list[bytes]:
        """Verification reports at once, live telemetry once a second, by whichever link asks."""
        verification = self._uplink.verification
        if now_ns < self._next_live_ns and not len(verification):
            return []
        self._next_live_ns = now_ns - now_ns % LIVE_EVERY_NS + LIVE_EVERY_NS
        packets, room = _as_fits(verification, room_bytes)
        if self._intake.withdrawn and room >= WITHDRAWAL_BYTES_MAX:
            packets.append(self._withdrawal(now_ns))
            room -= len(packets[-1])
        return packets + _as_fits(self._telemetry.live, room)[0]

    def _withdrawal(self, now_ns: int) -> bytes:
        """Tells the ground what it will not get, so that it forgets the pieces."""
        withdrawn = self._intake.withdrawn
        ids = tuple(islice(iter(withdrawn.take, None), LIST_MAX))
        return self._sequence.packet(Apid.PRODUCT_MANIFEST, encode_list(Withdrawn(ids)), now_ns)

    def _send_products(self, now_ns: int, wanted: int) -> int:
        """Up to `wanted` frames, chosen one after the other and sealed together; how many went."""
        if not self._arq.can_send():
            return 0
        # Sealing must not fail any more: the ARQ hears of each frame before the next is filled.
        self._link.make_ready(wanted)
        first = self._link.next_frame_no(VirtualChannel.PRODUCTS)
        groups: list[list[bytes]] = []
        while len(groups) < wanted and (not groups or self._arq.can_send()):
            content = self._filler.fill(now_ns)
            self._drop_unreadable(self._filler.unreadable, now_ns)
            if content is None:
                break
            self._arq.sent(
                first + len(groups),
                content.segments,
                now_ns,
                freed=content.freed,
                asked=content.asked,
            )
            if self._lives is not None:
                frame_no = first + len(groups)
                self._lives.sent(frame_no, content.segments, content.asked, now_ns)
            groups.append(content.packets)
            if self._repair is not None:
                self._repair.sent(first + len(groups) - 1, b"".join(content.packets), now_ns)
        if groups:
            for sealed in self._link.seal_batch(VirtualChannel.PRODUCTS, groups):
                self._submit(sealed.frame)
        return len(groups)

    def _drop_unreadable(self, product_ids: list[int], now_ns: int) -> None:
        while product_ids:
            self._intake.drop_damaged(product_ids.pop(), now_ns)

    def _send_repairs(self, now_ns: int, room_frames: int, *, idle: bool = False) -> int:
        """Repair symbols whose turn it is, one a frame, behind any alarm; how many went."""
        if self._repair is None or not (idle or self._repair.owed()):
            return 0
        if self._filler.urgent_waits(now_ns):
            return 0
        given = 0
        while given < min(room_frames, REPAIRS_AT_ONCE) and self._link.ready():
            data = self._repair.take(now_ns, idle=idle)
            if data is None:
                break
            packet = self._sequence.packet(Apid.PRODUCT_REPAIR, data, now_ns)
            self._submit(self._link.seal(VirtualChannel.TELEMETRY, (packet,)).frame)
            given += 1
        return given

    def _submit(self, frame: bytes | memoryview) -> None:
        """Gives one frame to the terminal; a refusal is the HAL's error, the ARQ sends it again."""
        if self._coder is not None:
            frame = self._coder.encode(frame)
        try:
            taken = self._devices.submit_frame(frame)
        except HalError:
            taken = False
        if not taken:
            self._session.frames_refused += 1

    def _publish(self) -> None:
        settled = self._settlement.counts
        row = (
            self._frames_sent,
            self._arq.counters.lost_frames,
            settled.segments_acked,
            settled.reports,
            self._arq.in_flight_frames,
        )
        values = self._values
        for index, value in zip(self._index, row, strict=True):
            values[index] = value


def _as_fits(waiting: Bounded[bytes], room: int) -> tuple[list[bytes], int]:
    """Packets from the front that fit, and the room they leave; the next one keeps its place."""
    packets: list[bytes] = []
    while (packet := waiting.peek()) is not None and len(packet) <= room:
        packets.append(packet)
        waiting.take()
        room -= len(packet)
    return packets, room
