"""Frame, authenticate: from a received uplink frame to telecommands and ARQ packets.

Pure. The frame's MAC is the operator's signature, so nothing of a frame is looked at before the
link has opened it. Two ledgers leave no frame and no command unaccounted: the link's own for
frames, and `CommandLedger` for telecommands (received = accepted + rejected + malformed).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flight.wire.errors import WireError
from flight.wire.link_security import SecurityVerdict
from flight.wire.secure_link import Opened
from flight.wire.space_packet import UPLINK_APIDS, Apid
from flight.wire.telecommand import (
    CommandReason,
    Telecommand,
    Unusable,
    decode_telecommand,
)

if TYPE_CHECKING:
    from flight.wire.secure_link import SecureLink
    from flight.wire.space_packet import SpacePacket


REFUSALS = (
    CommandReason.UNKNOWN_COMMAND,
    CommandReason.OUT_OF_RANGE,
    CommandReason.WRONG_MODE,
    CommandReason.BUSY,
    CommandReason.STALE,
)
"""Every reason to reject a telecommand, in the order of their channels."""


@dataclass(slots=True)
class CommandLedger:
    """Every telecommand that came in an authentic frame, by what became of it.

    `duplicates` are retransmissions answered from memory; they are counted as rejected too, for
    they are not executed. `received` is counted here and by nobody else. What is rejected for a
    reason is in `by_reason`; of those accepted, `failed` are the ones that did not do it.
    """

    received: int = 0
    accepted: int = 0
    rejected: int = 0
    malformed: int = 0
    duplicates: int = 0
    failed: int = 0
    by_reason: dict[CommandReason, int] = field(default_factory=lambda: dict.fromkeys(REFUSALS, 0))

    def reject(self, reason: CommandReason) -> None:
        """Books a telecommand that is refused; KeyError for what is no reason to refuse one."""
        self.by_reason[reason] += 1
        self.rejected += 1


@dataclass(frozen=True, slots=True)
class Intake:
    """What one uplink frame brought. Everything is empty unless the verdict is OK."""

    verdict: SecurityVerdict
    telecommands: tuple[Telecommand | Unusable, ...] = ()
    arq_packets: tuple[SpacePacket, ...] = ()


class UplinkAuthenticator:
    """Opens uplink frames and sorts what they hold.

    Args:
        link: the node's end of the secured link.
        ledger: where telecommands are counted; the dispatcher books into the same one.
    """

    def __init__(self, link: SecureLink, ledger: CommandLedger) -> None:
        self._link = link
        self._ledger = ledger
        self.packets_refused = 0
        """Authentic packets that don't belong on the uplink: the ground's software is at fault."""

    def take(self, frame: bytes) -> Intake:
        """What a received frame brings; never raises on any bytes."""
        opened = self._link.open(frame)
        if not isinstance(opened, Opened):
            return Intake(opened)
        telecommands: list[Telecommand | Unusable] = []
        arq: list[SpacePacket] = []
        for packet in opened.packets:
            if not packet.telecommand or packet.apid not in UPLINK_APIDS:
                self.packets_refused += 1
            elif packet.apid != Apid.TELECOMMAND:
                arq.append(packet)
            else:
                self._take_telecommand(packet, telecommands)
        return Intake(SecurityVerdict.OK, tuple(telecommands), tuple(arq))

    def _take_telecommand(self, packet: SpacePacket, into: list[Telecommand | Unusable]) -> None:
        self._ledger.received += 1
        try:
            into.append(decode_telecommand(packet.data))
        except WireError:
            self._ledger.malformed += 1
