"""The gateway itself: space packets in UDP datagrams, the archive looked at, time passing.

A skin: it waits, sends and receives; what to say is the entity's decision. A datagram that is lost
on either side is what CFDP is for.
"""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

from flight.wire.errors import WireError
from hil.cfdp.pdu_packet import from_packet, to_packet

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.cfdp.archive_files import ArchiveFiles
    from hil.cfdp.sender_values import Told
    from hil.cfdp.sending_entity import SendingEntity

Address = tuple[str, int]

_S = 1_000_000_000
LOOK_NS = _S
"""Between two looks at the archive."""
IDLE_MS = 20
BURST_NS = 10_000_000
"""How far a sender that was late may catch up: a burst that a receiver's socket holds."""
DATAGRAM_BYTES_MAX = 65_536


class Gateway:
    """One archive to one ground system.

    Args:
        here: where the ground system's packets come in.
        there: where its packets are sent.
        apid: of the packets both ways.
        rate_bps: of the packets sent, bits per second.

    Raises:
        OSError: the address cannot be used.
    """

    def __init__(self, here: Address, there: Address, *, apid: int, rate_bps: float) -> None:
        self._there = there
        self._apid = apid
        self._ns_per_octet = 8 * _S / rate_bps
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(here)
        self.here: Address = self._socket.getsockname()
        self._packets = 0
        self._free_ns = 0.0

    def close(self) -> None:
        """Gives the address back."""
        self._socket.close()

    def serve(
        self,
        entity: SendingEntity,
        files: ArchiveFiles,
        *,
        tell: Callable[[list[Told]], None],
        until: Callable[[int, bool], bool],
    ) -> None:
        """Sends what the archive holds and what comes into it.

        Args:
            entity: decides what is sent.
            files: where new products appear.
            tell: is handed what happened.
            until: asked with the time since the start in ns and whether nothing is left to do.

        Raises:
            OSError: the archive cannot be read any more.
        """
        start_ns = look_ns = time.monotonic_ns()
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while True:
            now_ns = time.monotonic_ns()
            if now_ns >= look_ns:
                look_ns = now_ns + LOOK_NS
                for file in files.new_files():
                    entity.offer(file)
            self._receive(entity)
            wait_ms = self._send(entity)
            tell(entity.take_told())
            if until(now_ns - start_ns, entity.unfinished == 0):
                return
            poll.poll(wait_ms)

    def _receive(self, entity: SendingEntity) -> None:
        for _ in range(64):
            try:
                packet, sender = self._socket.recvfrom(DATAGRAM_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                entity.counts["receive_errors"] += 1
                return
            if sender[0] != self._there[0]:
                entity.counts["packets_of_strangers"] += 1
                continue
            try:
                pdu = from_packet(self._apid, packet)
            except WireError as error:
                entity.counts[f"packets_{error.reason.value}"] += 1
                continue
            entity.hear(pdu, time.monotonic_ns())

    def _send(self, entity: SendingEntity) -> int:
        """As much as the rate allows; how long to wait for the next look, ms."""
        for _ in range(64):
            now_ns = time.monotonic_ns()
            ahead_ns = self._free_ns - now_ns
            if ahead_ns > 0:
                return max(1, min(IDLE_MS, int(ahead_ns / 1e6)))
            pdu = entity.next_pdu(now_ns)
            if pdu is None:
                return IDLE_MS
            packet = to_packet(self._apid, self._packets, pdu)
            self._packets += 1
            self._free_ns = max(self._free_ns, now_ns - BURST_NS)
            self._free_ns += len(packet) * self._ns_per_octet
            try:
                self._socket.sendto(packet, self._there)
            except OSError:
                entity.counts["send_errors"] += 1
        return 0
