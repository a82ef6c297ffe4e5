"""What goes into the next downlink frame: control first, then live telemetry, then products.

Pure but for the store it reads payload bytes from. One frame carries whole space packets only
(construction rule 111, CCSDS 732.1-B 4.1.4.2): small products share a frame, large ones fill it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from flight.downlink.product import manifest_of
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.wire.product_packet import (
    SEGMENT_HEADER_BYTES,
    Freed,
    encode_list,
    encode_manifest,
    encode_segment,
    manifest_bytes,
)
from flight.wire.space_packet import HEADER_BYTES, Apid, SequenceCounts

if TYPE_CHECKING:
    from flight.downlink.arq_sender import ArqSender
    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.product import Product, Segment

SEGMENT_OVERHEAD_BYTES = HEADER_BYTES + SEGMENT_HEADER_BYTES
SEGMENT_BYTES_LEAST = 64
"""A smaller rest of a frame is left empty: its headers would weigh more than its bytes."""
RECONCILE_ITEMS = 32
GONE = frozenset({StoreErrorKind.DAMAGED, StoreErrorKind.UNKNOWN})
"""One product is lost; any other error is the whole store's and costs no product."""


class PayloadStore(Protocol):
    """Where the bytes of a durable product are, and who remembers that some of them went."""

    def mark_sending(self, product_ids: tuple[int, ...]) -> None:
        """First bytes of these are about to go: after a reset the ground is asked first."""
        ...

    def read(self, product_id: int, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`."""
        ...


def manifest_overhead(product: Product) -> int:
    """Octets that travel with the first segment of a product, for the queue's own reckoning."""
    return HEADER_BYTES + manifest_bytes(product.name)


@dataclass(slots=True)
class FrameContent:
    """Packets of one frame, and what the ARQ must know of them."""

    packets: list[bytes] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    freed: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()


class FrameFiller:
    """Fills frames of one link's product channel from queue, ARQ and store.

    Args:
        urgent: of products only emergencies go by this link.
    """

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        queue: DownlinkQueue,
        arq: ArqSender,
        store: PayloadStore,
        sequence: SequenceCounts,
        frame_room_bytes: int,
        *,
        urgent: bool = False,
    ) -> None:
        self._queue = queue
        self._arq = arq
        self._store = store
        self._sequence = sequence
        self.room_bytes = frame_room_bytes
        """Octets of packets in the next frame; a terminal that changes its rate changes it."""
        self._urgent = urgent
        self.closed = False
        """No product is to go: what is left are confirmations and probes."""
        self.unreadable: list[int] = []
        """Products whose record does not verify any more, for the intake to drop."""

    def urgent_waits(self, now_ns: int) -> bool:
        """Whether an emergency would be in the next frame."""
        return self._queue.urgent_waits(now_ns)

    def fill(self, now_ns: int) -> FrameContent | None:
        """Content of the next frame, or `None` when there is nothing to send."""
        content = FrameContent()
        room = self.room_bytes - self._control(content, now_ns)
        while not self.closed and room > SEGMENT_OVERHEAD_BYTES + SEGMENT_BYTES_LEAST:
            segment = self._queue.next_segment(
                now_ns, room - SEGMENT_OVERHEAD_BYTES, urgent=self._urgent
            )
            used = None if segment is None else self._segment(content, segment, now_ns)
            if used is None:
                break
            room -= used
        if not content.packets and self._arq.probe_due(now_ns):
            self._add(content, Apid.PRODUCT_MANIFEST, encode_list(Freed(())), now_ns)
        return content if content.packets else None

    def _control(self, content: FrameContent, now_ns: int) -> int:
        content.freed = self._arq.next_freed()
        used = 0
        if content.freed:
            used += self._add(
                content, Apid.PRODUCT_MANIFEST, encode_list(Freed(content.freed)), now_ns
            )
        # A question must not overtake what it is about: it goes by the link that carries products.
        asked = () if self.closed else self._arq.reconcile_items(RECONCILE_ITEMS)
        if asked:
            content.asked = asked
            request = self._arq.reconcile_request(asked)
            used += self._add(content, Apid.RECONCILE_REQUEST, request, now_ns)
        return used

    def _segment(self, content: FrameContent, segment: Segment, now_ns: int) -> int | None:
        """Octets the segment took, 0 for one that is lost; `None` when the store fails as such."""
        used = 0
        try:
            data = self._store.read(segment.product_id, segment.offset, segment.length)
        except StoreError as error:
            if error.kind not in GONE:
                self._queue.requeue(segment.product_id, segment.offset, segment.length)
                return None
            # Bit rot on board: what cannot be read whole is given up, and the ground is told.
            self.unreadable.append(segment.product_id)
            self._queue.delete(segment.product_id, now_ns)
            return 0
        self._store.mark_sending((segment.product_id,))
        if segment.offset == 0:
            product = self._queue.product(segment.product_id)
            if product is not None:
                manifest = encode_manifest(manifest_of(product))
                used += self._add(content, Apid.PRODUCT_MANIFEST, manifest, now_ns)
        packet = encode_segment(segment.product_id, segment.offset, segment.total_bytes, data)
        used += self._add(content, Apid.PRODUCT_SEGMENT, packet, now_ns)
        content.segments.append(segment)
        return used

    def _add(self, content: FrameContent, apid: Apid, data: bytes, now_ns: int) -> int:
        packet = self._sequence.packet(apid, data, now_ns)
        content.packets.append(packet)
        return len(packet)
