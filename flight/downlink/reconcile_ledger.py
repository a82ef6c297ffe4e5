"""Open questions to the ground: which products have to be reconciled, asked, answered.

Image -> ground, after a reset or a change of the ground session. Part of the ARQ sender, apart from
it because its unit is the product and not the frame. Like the ARQ it has no timer: a question is
repeated when its frame was lost or when so many reports came without an answer.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from flight.wire.reconcile import ITEMS_MAX, Asked, Held, ReconcileAnswer, encode_request

if TYPE_CHECKING:
    from collections.abc import Iterable


class ReconcileLedger:
    """Products whose state on the ground is unknown; pure.

    Args:
        ask_again_after_reports: accepted reports after which an unanswered question is repeated.
    """

    def __init__(self, ask_again_after_reports: int) -> None:
        self._again = ask_again_after_reports
        self._open: dict[int, Asked] = {}
        self._unasked: dict[int, None] = {}
        self._asked_at: dict[int, int] = {}  # in the order of asking, so its head is the oldest

    def __len__(self) -> int:
        return len(self._open)

    def add(self, item: Asked) -> None:
        """Opens a question; idempotent."""
        self._open[item.product_id] = item
        if item.product_id not in self._asked_at:
            self._unasked[item.product_id] = None

    def forget(self, product_id: int) -> None:
        """Closes a question, whatever the answer would be."""
        self._open.pop(product_id, None)
        self._unasked.pop(product_id, None)
        self._asked_at.pop(product_id, None)

    def due(self, accepted_reports: int, limit: int) -> tuple[int, ...]:
        """Identities to ask about now, new questions first, at most `limit` and one packet."""
        limit = min(limit, ITEMS_MAX)
        found = list(islice(self._unasked, limit))
        for product_id, at in self._asked_at.items():
            if len(found) >= limit or accepted_reports - at < self._again:
                break
            found.append(product_id)
        return tuple(found)

    def request(self, product_ids: tuple[int, ...]) -> bytes:
        """The request about these identities; those closed meanwhile are left out."""
        return encode_request(tuple(self._open[i] for i in product_ids if i in self._open))

    def asked(self, product_ids: Iterable[int], accepted_reports: int) -> None:
        """A request about these went out; they move behind all others."""
        for product_id in product_ids:
            if product_id in self._open:
                self._unasked.pop(product_id, None)
                self._asked_at.pop(product_id, None)
                self._asked_at[product_id] = accepted_reports

    def ask_again(self, product_ids: Iterable[int]) -> None:
        """The frame with this request was lost: ask at once."""
        for product_id in product_ids:
            if self._asked_at.pop(product_id, None) is not None:
                self._unasked[product_id] = None

    def ask_all_again(self) -> None:
        """A new ground session: answers of the old one are worth nothing."""
        self.ask_again(tuple(self._asked_at))

    def answer(
        self, answer: ReconcileAnswer
    ) -> tuple[tuple[int, ...], tuple[tuple[int, tuple[tuple[int, int], ...]], ...]]:
        """Closes what was answered: (complete ids, (id, ranges held) to continue from)."""
        complete: list[int] = []
        resume: list[tuple[int, tuple[tuple[int, int], ...]]] = []
        for item in answer.items:
            asked = self._open.get(item.product_id)
            if asked is None or item.product_id not in self._asked_at:
                continue
            if item.ranges and item.ranges[-1][1] > asked.size_bytes:
                continue  # not about this product; the question stays open
            self.forget(item.product_id)
            if item.held is Held.COMPLETE:
                complete.append(item.product_id)
            else:
                resume.append((item.product_id, item.ranges))
        return tuple(complete), tuple(resume)
