"""The downlink cores as they fly, put together without terminal, link and disk.

Queue, ARQ sender, settlement of reports, forecast and plan are flight's own objects; what is
replaced is the store (products are durable when they are offered, their bytes are never read) and
the sealing of frames, whose octets are counted all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flight.downlink.arq_sender import ArqSender
from flight.downlink.contact_forecast import ContactForecast
from flight.downlink.downlink_queue import DownlinkQueue
from flight.downlink.frame_filler import (
    RECONCILE_ITEMS,
    SEGMENT_BYTES_LEAST,
    SEGMENT_OVERHEAD_BYTES,
    manifest_overhead,
)
from flight.downlink.link_experience import LineShare
from flight.downlink.settlement import Settlement
from flight.wire.product_packet import Freed, encode_list
from flight.wire.space_packet import HEADER_BYTES, Apid, SpacePacket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.downlink.pass_plan import Contact, PassPlan
    from flight.downlink.product import Product, Segment
    from flight.downlink.queue_values import QueueConfig

VCID = 2
RESERVE_FRAMES = 4_096


class Content(NamedTuple):
    """One frame: its number and what is in it."""

    frame_no: int
    segments: tuple[Segment, ...]
    freed: tuple[int, ...]
    request: bytes


class _Silent:
    """The event log of a scored flight: nobody listens."""

    def emit(self, name: str, t_ns: int, /, **args: str | float) -> None:
        """Takes an event."""


class DownlinkStack:
    """One boot of the node's downlink.

    Args:
        config: of the queue.
        plan: contacts and the experience with them; it outlives a boot, as the store keeps it.
        first_frame_no: from the durable reserve, above every number ever used.

    Attributes:
        completed: (product, time) as the ground's verified word came in.
    """

    def __init__(
        self, config: QueueConfig, plan: PassPlan, first_frame_no: int, *, look_ahead: bool
    ) -> None:
        self.queue = DownlinkQueue(config, first_overhead_bytes=manifest_overhead)
        self.arq = ArqSender(VCID)
        self.completed: list[tuple[int, int]] = []
        self.sending: set[int] = set()
        self.next_frame_no = first_frame_no
        self._forecast = ContactForecast(plan)
        self._share = LineShare()
        self._looks_ahead = look_ahead
        self._now_ns = 0
        self._settlement = Settlement(self.arq, self.queue, self, _Silent())

    def delivered(self, product_ids: Sequence[int]) -> None:
        """Settlement's intake: durable at once, then free."""
        for product_id in product_ids:
            if self.queue.complete(product_id):
                self.completed.append((product_id, self._now_ns))
        self.arq.freed(product_ids)

    def look(self, contact: Contact | None, now_ns: int, lock_share: float, rate: float) -> None:
        """Once a second in a contact: how the line did, what it will do."""
        self._share.look(may_send=True, rate=lock_share * rate)
        counters = self.arq.counters
        share = self._share.take(counters.acked_frames, counters.lost_frames)
        self._forecast.follow(contact, now_ns, share)
        self.queue.expire(now_ns)
        if self._looks_ahead:
            self.queue.look_ahead(self._forecast.horizon(now_ns), now_ns)

    def frame(self, now_ns: int, room: int) -> Content | None:
        """The next frame of at most `room` octets of packets, or None."""
        arq, queue = self.arq, self.queue
        if not arq.can_send():
            return None
        freed, request = arq.next_freed(), b""
        if freed:
            room -= HEADER_BYTES + len(encode_list(Freed(freed)))
        asked = arq.reconcile_items(RECONCILE_ITEMS)
        if asked:
            request = arq.reconcile_request(asked)
            room -= HEADER_BYTES + len(request)
        segments = []
        while room > SEGMENT_OVERHEAD_BYTES + SEGMENT_BYTES_LEAST:
            segment = queue.next_segment(now_ns, room - SEGMENT_OVERHEAD_BYTES)
            if segment is None:
                break
            segments.append(segment)
            room -= SEGMENT_OVERHEAD_BYTES + segment.length
            product = queue.product(segment.product_id) if segment.offset == 0 else None
            if product is not None:
                self.sending.add(segment.product_id)
                room -= manifest_overhead(product)
        if not (segments or freed or asked or arq.probe_due(now_ns)):
            return None
        content = Content(self.next_frame_no, tuple(segments), freed, request)
        self.next_frame_no += 1
        arq.sent(content.frame_no, segments, now_ns, freed=freed, asked=asked)
        return content

    def on_report(self, report: bytes, answer: bytes | None, now_ns: int) -> None:
        """What came up."""
        self._now_ns = now_ns
        if answer is not None:
            packet = SpacePacket(Apid.RECONCILE_ANSWER, 0, now_ns, answer)
            self._settlement.take(packet, now_ns)
        self._settlement.take(SpacePacket(Apid.REPORT, 0, now_ns, report), now_ns)

    def recover(self, products: Sequence[Product], sending: set[int], now_ns: int) -> None:
        """After a reset: what was being sent asks the ground first, as `ProductIntake` does it."""
        for product in products:
            asked = product.product_id in sending
            if asked:
                self.arq.unfinished((product,))
            self.queue.offer(product, now_ns, suspended=asked)
        self.sending = set(sending)
