"""Value per byte as a rank: what products are compared by, everywhere in the downlink.

Image -> ground, hop "acted": the queue, the plan of sending and the order of eviction share it.
"""

from __future__ import annotations

from math import frexp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.downlink.product import Product


def log2_steps(value: float) -> float:
    """A strictly growing, piecewise linear stand-in for log2, exact at powers of two.

    Linear pieces keep the ranking identical on every machine; a maths library's last bit need not.
    """
    mantissa, exponent = frexp(value)
    return exponent + 2.0 * mantissa


def density_key(product: Product, remaining_bytes: int, ageing_ns: int | None) -> float:
    """Rank by value per remaining byte with ageing; greater goes first."""
    key = log2_steps(max(product.value_millis, 1)) - log2_steps(max(remaining_bytes, 1))
    return key if ageing_ns is None else key - product.created_ns / ageing_ns
