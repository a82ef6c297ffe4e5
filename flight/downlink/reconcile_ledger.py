"""What the ground has said of whole products, and what it has to be asked about them.

Image -> ground, hop "told", the way back. Apart from the ARQ sender because its unit is the product
and not the frame: frames are numbered link by link, products are complete or not whichever link
carried them, so there is one `ProductAccount` for the senders of all links. Like the ARQ it has no
timer: a question is repeated when its frame was lost, or so many reports came without an answer.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from flight.downlink.product import asked_about
from flight.wire.product_packet import LIST_MAX
from flight.wire.reconcile import ITEMS_MAX, Asked, Held, ReconcileAnswer, encode_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flight.downlink.arq_values import ArqConfig, ArqCounters
    from flight.downlink.product import Product


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


class ProductAccount:
    """Completions and open questions of all links; pure.

    Args:
        config: bounds.
        counters: where losses are counted.

    Attributes:
        epoch: the newest ground session that any link heard of; None before the first report.
        accepted: reports believed, of all links.
        questions: see `ReconcileLedger`.
    """

    def __init__(self, config: ArqConfig, counters: ArqCounters) -> None:
        self._config = config
        self._counters = counters
        self._completing: set[int] = set()
        self._to_confirm: dict[int, None] = {}
        self._confirm_in_flight: set[int] = set()
        self._unverified: dict[int, tuple[Product, int]] = {}
        self.questions = ReconcileLedger(config.ask_again_after_reports)
        self.epoch: int | None = None
        self.accepted = 0

    def enter(self, epoch: int) -> tuple[int, ...]:
        """A link heard of this session: products to be asked about when it is new to all links."""
        first = self.epoch is None
        if self.epoch is not None and epoch <= self.epoch:
            return ()
        self.epoch = epoch
        self.questions.ask_all_again()
        # What the old session held of unverified products may be gone with it.
        return () if first else tuple(self._unverified)

    def all_reported(self, product: Product) -> None:
        """Every byte of it is reported: now the digest has to follow."""
        self._unverified.setdefault(product.product_id, (product, self.accepted))

    def freed(self, product_ids: Iterable[int]) -> None:
        """Completions are durable here: the ground is told that it need not repeat them."""
        for product_id in product_ids:
            self._completing.discard(product_id)
            self._unverified.pop(product_id, None)
            self.questions.forget(product_id)
            if len(self._to_confirm) < self._config.completing_max:
                self._to_confirm[product_id] = None
            else:
                self._counters.completions_deferred += 1

    def next_freed(self, limit: int = LIST_MAX) -> tuple[int, ...]:
        """Up to `limit` confirmations for the next frame of any link."""
        return tuple(self._to_confirm)[:limit] if self._to_confirm else ()

    def confirming(self, product_ids: Iterable[int]) -> None:
        """A frame went out with these confirmations."""
        for product_id in product_ids:
            self._to_confirm.pop(product_id, None)
            self._confirm_in_flight.add(product_id)

    def confirmed_or_lost(self, product_ids: Iterable[int]) -> None:
        """That frame is decided: arrived, the ground stops repeating; lost, it is told again."""
        self._confirm_in_flight.difference_update(product_ids)

    def unfinished(self, products: Iterable[Product]) -> None:
        """Products to be reconciled."""
        for product in products:
            self._unverified.pop(product.product_id, None)
            self.questions.add(asked_about(product))

    def forget(self, product_ids: Iterable[int]) -> None:
        """Products that were given up: no question about them is open any more."""
        for product_id in product_ids:
            self.questions.forget(product_id)
            self._unverified.pop(product_id, None)

    def completions(self, product_ids: Iterable[int]) -> tuple[int, ...]:
        """Those of these that are news; each is reported, by whichever link, until it is freed."""
        fresh = []
        for product_id in product_ids:
            if product_id in self._completing or product_id in self._to_confirm:
                continue
            if product_id in self._confirm_in_flight:
                continue
            if len(self._completing) >= self._config.completing_max:
                self._counters.completions_deferred += 1  # the ground repeats it
                continue
            self._completing.add(product_id)
            fresh.append(product_id)
        return tuple(fresh)

    def overdue(self) -> tuple[int, ...]:
        """Products wholly reported whose digest never came: oldest first, so the scan is short."""
        limit = self.accepted - self._config.confirm_after_reports
        overdue = []
        for product_id, (_, since) in self._unverified.items():
            if since > limit:
                break
            if product_id not in self._completing:
                overdue.append(product_id)
        for product_id in overdue:
            del self._unverified[product_id]
        self._counters.unverified += len(overdue)
        return tuple(overdue)
