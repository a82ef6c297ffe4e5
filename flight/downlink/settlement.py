"""What the ground's reports mean for queue, store and ARQ, applied in one place.

The ARQ decides (pure), this passes each outcome on exactly once: acknowledged bytes, lost bytes
back into the queue, completed products to the store (durable first), open questions to
reconciliation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flight.downlink.queue_values import AckResult
from flight.wire.errors import WireError
from flight.wire.product_packet import ProductClass
from flight.wire.reconcile import decode_answer
from flight.wire.report import decode as decode_report
from flight.wire.space_packet import Apid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.downlink.arq_sender import ArqSender
    from flight.downlink.arq_values import ArqOutcome
    from flight.downlink.downlink_queue import DownlinkQueue
    from flight.downlink.product_lives import EventTaker, ProductLives
    from flight.wire.space_packet import SpacePacket


class DeliveryTaker(Protocol):
    """Who makes completions durable and frees the space."""

    def delivered(self, product_ids: Sequence[int]) -> None:
        """The ground verified these end to end."""
        ...


@dataclass(slots=True)
class SettlementCounts:
    """What reports brought since start."""

    reports: int = 0
    refused: int = 0
    segments_acked: int = 0
    segments_lost: int = 0
    reconciled: int = 0


class Settlement:
    """Applies reports and reconcile answers, whichever link they came by.

    Attributes:
        senders: of the links, by the channel that reports speak of. A report of another channel is
            the first one's to refuse.
    """

    def __init__(
        self,
        arq: ArqSender,
        queue: DownlinkQueue,
        intake: DeliveryTaker,
        events: EventTaker,
        lives: ProductLives | None = None,
    ) -> None:
        self._arq = arq
        self.senders = {arq.vcid: arq}
        self._queue = queue
        self._intake = intake
        self._events = events
        self._lives = lives
        self.counts = SettlementCounts()

    def take(self, packet: SpacePacket, now_ns: int) -> None:
        """One packet of the uplink's ARQ channel; unreadable ones are counted and told."""
        try:
            if packet.apid == Apid.REPORT:
                report = decode_report(packet.data)
                sender = self.senders.get(report.vcid, self._arq)
                outcome = sender.on_report(report, now_ns)
                self.counts.reports += 1
            else:
                outcome = self._arq.on_reconcile_answer(decode_answer(packet.data), now_ns)
                self._tell_reconciled(outcome, now_ns)
        except WireError as error:
            self.counts.refused += 1
            self._events.emit("REPORT_REJECTED", now_ns, reason=error.reason.name.lower())
            return
        if self._lives is not None:
            self._lives.settled(outcome, now_ns)
        self._apply(outcome, now_ns)

    def _apply(self, outcome: ArqOutcome, now_ns: int) -> None:
        queue, counts = self._queue, self.counts
        for segment in outcome.acked:
            span = (segment.offset, segment.offset + segment.length)
            result = queue.acknowledge(segment.product_id, [span], now_ns)
            counts.segments_acked += 1
            if result is AckResult.COMPLETE:
                product = queue.product(segment.product_id)
                if product is not None:
                    self._arq.all_reported(product)
        for segment in outcome.lost:
            counts.segments_lost += 1
            queue.requeue(segment.product_id, segment.offset, segment.length)
        self._intake.delivered(outcome.completed)
        self.question(outcome.undecided)
        for product_id, held in outcome.resume:
            queue.resume(product_id, held)

    def question(self, product_ids: Sequence[int], *, urgent: bool = False) -> None:
        """What is not known of these the ground is asked, by any link; until then they wait.

        Of emergencies alone if it is `urgent`: they are not left to a link that has gone.
        """
        for product_id in product_ids:
            product = self._queue.product(product_id)
            if product is None or (urgent and product.klass is not ProductClass.EMERGENCY):
                continue
            if self._queue.suspend(product_id):
                self._arq.unfinished((product,))

    def _tell_reconciled(self, outcome: ArqOutcome, now_ns: int) -> None:
        settled = len(outcome.completed) + len(outcome.resume)
        self.counts.reconciled += settled
        if settled:
            self._events.emit("RECONCILED", now_ns, products=settled)
