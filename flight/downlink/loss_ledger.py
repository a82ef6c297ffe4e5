"""Products lost on purpose: a counter for each reason, and a bounded record of which.

Image -> ground, hop "acted": nothing leaves the queue undelivered without a line here.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from flight.downlink.queue_values import AuditRecord, Loss

if TYPE_CHECKING:
    from flight.downlink.product import Product


class LossLedger:
    """Counts losses and keeps the newest `audit_max` of them until drained.

    Attributes:
        products: products lost, by reason.
        bytes: bytes that were still missing on the ground, by reason.
        dropped: records that nobody fetched in time.
    """

    def __init__(self, audit_max: int) -> None:
        self._records: deque[AuditRecord] = deque()
        self._max = audit_max
        self.products = dict.fromkeys(Loss, 0)
        self.bytes = dict.fromkeys(Loss, 0)
        self.dropped = 0

    def count(self, product: Product, reason: Loss, now_ns: int, missing_bytes: int) -> None:
        """One more loss."""
        self.products[reason] += 1
        self.bytes[reason] += missing_bytes
        if len(self._records) >= self._max:
            self._records.popleft()
            self.dropped += 1
        self._records.append(
            AuditRecord(product.product_id, reason, now_ns, missing_bytes, product.value_millis)
        )

    def drain(self) -> list[AuditRecord]:
        """The records since the last call, oldest first."""
        records = list(self._records)
        self._records.clear()
        return records
