"""The ground's end of the link: downlink frames to packets, uplink packets to frames.

Pure. Whatever falls from the sky is counted: by verdict where it is refused, by virtual channel
where numbers are missing. What is missing for good is the ARQ's judgement, not made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.keys import Half
from flight.wire.errors import WireError, WireReason
from flight.wire.secure_link import Opened, SecureLink
from flight.wire.space_packet import UPLINK_APIDS, Apid
from flight.wire.transfer_frame import FRAME_BYTES_LOWEST_MAX, LIGHT, Direction, LinkChannels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.keys import LinkKeys
    from flight.wire.counter_reserve import CounterReserve
    from flight.wire.link_security import SecurityVerdict
    from flight.wire.replay_window import ReplayWindow
    from flight.wire.space_packet import SpacePacket

_DOWNLINK_APIDS = frozenset(Apid) - UPLINK_APIDS


@dataclass(slots=True)
class ChannelTally:
    """Frames of one downlink virtual channel.

    `gaps` counts numbers skipped so far when a frame arrived ahead of its turn, `late` those that
    came afterwards; a restart of the node skips numbers without losing frames.
    """

    frames: int = 0
    highest: int = 0
    gaps: int = 0
    late: int = 0

    def book(self, frame_no: int) -> None:
        """Counts one accepted frame."""
        if frame_no > self.highest:
            self.gaps += frame_no - self.highest - 1 if self.frames else 0
            self.highest = frame_no
        else:
            self.late += 1
        self.frames += 1


@dataclass(frozen=True, slots=True)
class Received:
    """An accepted downlink frame; packets that don't belong on the downlink are left out."""

    vcid: int
    frame_no: int
    packets: tuple[SpacePacket, ...]


class GroundLink:
    """The ground's half of a `SecureLink`.

    Args:
        keys: loaded from the ground's half, or derived from the seed in simulation.
        scid: spacecraft identifier of the node.
        counters: reserve of the uplink key's counters, as durable as the ground itself.
        frame_bytes_max: as agreed with the node, 2,048..65,536.
        window: anti-replay memory; in memory alone by default.
        channels: of this link; see `SecureLink` for what links that share keys share.
    """

    def __init__(  # noqa: PLR0913 - the managed parameters of a link, each by its name
        self,
        keys: LinkKeys,
        *,
        scid: int,
        counters: CounterReserve,
        frame_bytes_max: int = FRAME_BYTES_LOWEST_MAX,
        window: ReplayWindow | None = None,
        channels: LinkChannels = LIGHT,
    ) -> None:
        self._link = SecureLink(
            scid=scid,
            sends=keys.sends(Half.GROUND),
            receives=[keys.receives(Half.GROUND)],
            counters=counters,
            frame_bytes_max=frame_bytes_max,
            window=window,
            channels=channels,
        )
        self.ledger = self._link.ledger
        self.channels = {vcid: ChannelTally() for vcid in sorted(channels.of(Direction.DOWNLINK))}
        self.packets_refused = 0
        """Authentic packets that don't belong on the downlink: the node's software is at fault."""

    def on_frame(self, frame: bytes) -> Received | SecurityVerdict:
        """What a downlink frame holds, or why it is refused; never raises on any bytes."""
        opened = self._link.open(frame)
        if not isinstance(opened, Opened):
            return opened
        self.channels[opened.vcid].book(opened.frame_no)
        packets = tuple(
            packet
            for packet in opened.packets
            if packet.apid in _DOWNLINK_APIDS and not packet.telecommand
        )
        self.packets_refused += len(opened.packets) - len(packets)
        return Received(opened.vcid, opened.frame_no, packets)

    def frames_for(self, packets: Sequence[bytes]) -> list[bytes]:
        """Uplink frames that carry these packets in order, as few as their sizes allow.

        Raises:
            WireError: TOO_LONG for a packet that no frame can hold; nothing is sealed then.
            CounterExhausted: the uplink key is used up.
        """
        return [
            self._link.seal(self._link.channels.uplink, batch).frame
            for batch in self._batches(packets)
        ]

    def _batches(self, packets: Sequence[bytes]) -> list[list[bytes]]:
        room = self._link.packets_bytes_max
        batches: list[list[bytes]] = []
        used = room
        for packet in packets:
            if len(packet) > room:
                raise WireError(WireReason.TOO_LONG, f"packet of {len(packet)} octets")
            if used + len(packet) > room:
                batches.append([])
                used = 0
            batches[-1].append(packet)
            used += len(packet)
        return batches
