"""The whole ground as one acknowledgement authority: link, receiver, operator, archive.

Every station and relay hands its frames here, so a product may come down in pieces through several
of them. Pure of time: `now_ns` comes in, frames go out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import EVENT_BY_ID
from flight.wire.counter_reserve import CounterReserve
from flight.wire.errors import WireError
from flight.wire.repair_packet import decode_repair
from flight.wire.space_packet import Apid, SequenceCounts, decode_all, encode
from flight.wire.telemetry import decode_event, decode_housekeeping
from flight.wire.transfer_frame import LIGHT, RADIO, LinkChannels, VirtualChannel
from hil.ground.ground_link import GroundLink, Received
from hil.ground.operator import Operator
from hil.ground.receiver import GroundReceiver
from hil.ground.uploader import Uploader

if TYPE_CHECKING:
    from flight.keys import LinkKeys
    from flight.telemetry.dictionary import Command
    from flight.wire.channel_coding import ChannelCoder
    from hil.ground.archive import Archive
    from hil.ground.repair_receiver import RepairReceiver

REPORT_BYTES_MAX = 1_024
OTHER_REPORT_BYTES_MAX = 256
"""A report about another link's frames: what it lost in its last moments, no more."""


class GroundSegment:
    """What one node's ground knows and says.

    Args:
        counters: of the uplink key, as durable as the key; in memory alone for keys of a seed.
        coder: takes the channel coding off, where the terminals leave it to the node.
        repair: makes lost frames good, where the node sends repair symbols.
        radio_frame_bytes: of a frame by radio, at most; None where the node has none.
    """

    def __init__(  # noqa: PLR0913  the managed parameters of a ground, each by its name
        self,
        *,
        keys: LinkKeys,
        scid: int,
        frame_bytes_max: int,
        archive: Archive,
        counters: CounterReserve | None = None,
        coder: ChannelCoder | None = None,
        repair: RepairReceiver | None = None,
        radio_frame_bytes: int | None = None,
    ) -> None:
        counters = counters or CounterReserve(load=lambda: 0, store=lambda _value: None)
        self.link = GroundLink(keys, scid=scid, counters=counters, frame_bytes_max=frame_bytes_max)
        self.links = {LIGHT: self.link}
        """Every one with numbers and window of its own; who has arrived is known to all."""
        if radio_frame_bytes is not None:
            self.links[RADIO] = GroundLink(
                keys, scid=scid, counters=counters, frame_bytes_max=radio_frame_bytes,
                channels=RADIO,
            )  # fmt: skip
        self.receiver = GroundReceiver(epoch=1, archive=archive)
        self.operator = Operator()
        self.uploader = Uploader(self.operator)
        self.coder = coder
        self.repair = repair
        self.housekeeping: dict[str, tuple[float, ...]] = {}
        self.events_heard: Counter[str] = Counter()
        self.packets_unreadable = 0
        self.frames_refused: Counter[str] = Counter()
        self._sequence = SequenceCounts()

    def on_frame(self, frame: bytes, now_ns: int, by: LinkChannels = LIGHT) -> bool:
        """One frame as it fell from the sky; False when it was refused (counted by verdict)."""
        if self.coder is not None and by is LIGHT:
            decoded = self.coder.decode(frame)
            if not isinstance(decoded, bytes):
                self.frames_refused[decoded.name.lower()] += 1
                return False
            frame = decoded
        received = self.links[by].on_frame(frame)
        if not isinstance(received, Received):
            self.frames_refused[received.name.lower()] += 1
            return False
        self._keep_for_repair(received)
        self.receiver.on_packets(received.frame_no, received.vcid, received.packets, now_ns)
        for packet in received.packets:
            try:
                self._on_packet(packet.apid, packet.data, now_ns)
            except WireError:
                self.packets_unreadable += 1
        return True

    def _keep_for_repair(self, received: Received) -> None:
        if self.repair is not None and received.vcid == VirtualChannel.PRODUCTS:
            packets = (
                encode(p.apid, p.seq_count, p.data, time_ns=p.time_ns, utc_quality=p.utc_quality)
                for p in received.packets
            )
            self.repair.on_frame(received.frame_no, b"".join(packets))

    def _make_good(self, data: bytes, now_ns: int) -> None:
        """Frames that a repair symbol brings back count as if they had arrived now."""
        if self.repair is None:
            return
        for frame_no, plain in self.repair.on_repair(decode_repair(data)):
            self.receiver.on_packets(frame_no, VirtualChannel.PRODUCTS, decode_all(plain), now_ns)

    def command(self, command: Command, now_ns: int) -> int:
        """Takes a command on for the next uplink; returns its identity."""
        return self.operator.send(command, now_ns)

    def upload(self, kind: str, version: int, data: bytes) -> None:
        """Takes a load on for the next contacts; `uploader` knows what became of it."""
        self.uploader.add(kind, version, data)

    def uplink(self, now_ns: int, *, report: bool, by: LinkChannels = LIGHT) -> list[bytes]:
        """Frames to send up now: commands, reconcile answers and, when asked, a report.

        Where there are several links, each tells of the others' frames as well.
        """
        self.uploader.step(now_ns)
        packets = self.operator.due(now_ns)
        packets += [
            self._up(Apid.RECONCILE_ANSWER, a, now_ns) for a in self.receiver.take_answers()
        ]
        if report:
            for link in (by, *(other for other in self.links if other is not by)):
                most = REPORT_BYTES_MAX if link is by else OTHER_REPORT_BYTES_MAX
                data = self.receiver.make_report(most, now_ns, vcid=int(link.products))
                packets.append(self._up(Apid.REPORT, data, now_ns))
        return self.links[by].frames_for(packets) if packets else []

    def _up(self, apid: Apid, data: bytes, now_ns: int) -> bytes:
        return encode(apid, self._sequence.take(apid), data, time_ns=now_ns, telecommand=True)

    def _on_packet(self, apid: int, data: bytes, now_ns: int) -> None:
        if apid == Apid.PRODUCT_REPAIR:
            self._make_good(data, now_ns)
        elif apid == Apid.VERIFICATION:
            self.operator.on_report(data, now_ns)
        elif apid == Apid.HOUSEKEEPING:
            heard = decode_housekeeping(data)
            self.housekeeping[heard.group] = heard.values
        elif apid == Apid.EVENT:
            definition = EVENT_BY_ID.get(decode_event(data).event_id)
            self.events_heard["unknown" if definition is None else definition.name] += 1
