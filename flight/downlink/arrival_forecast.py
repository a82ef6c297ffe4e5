"""What will be made until the next contacts: rates by worth and patience, learned from offers.

Image -> ground, hop "decided". A product that can wait may only be put off if what is made in the
meantime leaves room for it; how much that is, and how dense, the last offers tell.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product import log2_steps

if TYPE_CHECKING:
    from flight.downlink.product import Product

OFFERS_MAX = 2_048
_WORTH_CELLS = 12
_PATIENCE_CELLS = 3
_PATIENT_NS = 1 << 62
_OFFERS_LEAST = 16
_STALE_SHIFT = 5
_Offer = tuple[float, int, int, int]


class Expected(msgspec.Struct, frozen=True, gc=False):
    """Products alike: density rank without ageing, bytes made a second, time to the deadline."""

    key: float
    bytes_per_s: float
    patience_ns: int


class ArrivalForecast:
    """Remembers the last `OFFERS_MAX` offers and sums them up; pure."""

    def __init__(self) -> None:
        self._offers: deque[_Offer] = deque(maxlen=OFFERS_MAX)
        self._noted = self._summed_at = 0
        self._cells: tuple[Expected, ...] = ()

    def note(self, product: Product) -> None:
        """One more product was offered."""
        key = log2_steps(max(product.value_millis, 1)) - log2_steps(product.size_bytes)
        deadline_ns = product.deadline_ns
        patience_ns = _PATIENT_NS if deadline_ns is None else deadline_ns - product.created_ns
        self._offers.append((key, product.size_bytes, patience_ns, product.created_ns))
        self._noted += 1

    def cells(self, now_ns: int) -> tuple[Expected, ...]:
        """What to expect, densest first; () before there is experience."""
        fresh = self._noted - self._summed_at
        if len(self._offers) >= _OFFERS_LEAST and fresh > len(self._offers) >> _STALE_SHIFT:
            self._cells = self._sum_up(now_ns)
            self._summed_at = self._noted
        return self._cells

    def _sum_up(self, now_ns: int) -> tuple[Expected, ...]:
        offers = sorted(self._offers, reverse=True)
        span_s = max(now_ns - min(offer[3] for offer in offers), 1) / 1e9
        share = sum(offer[1] for offer in offers) / _WORTH_CELLS
        cells: list[Expected] = []
        group: list[_Offer] = []
        held = 0
        for offer in offers:
            group.append(offer)
            held += offer[1]
            if held >= share:
                cells += _by_patience(group, span_s)
                group, held = [], 0
        return tuple(cells + _by_patience(group, span_s))


def _by_patience(group: list[_Offer], span_s: float) -> list[Expected]:
    """Offers of like density, cut into like patience."""
    ranked = sorted(group, key=lambda offer: offer[2])
    step = -(-len(ranked) // _PATIENCE_CELLS) or 1
    cells = []
    for at in range(0, len(ranked), step):
        part = ranked[at : at + step]
        size = sum(offer[1] for offer in part)
        key = sum(offer[0] * offer[1] for offer in part) / size
        cells.append(Expected(key, size / span_s, part[len(part) // 2][2]))
    return cells
