"""Products and segments: the values every core of the downlink passes on.

Second hop of image -> ground: inference makes a `Product`, the store makes it durable, the queue
cuts it into `Segment`s, and the ARQ says what became of them. All compare products by the same
rank: value per byte.
"""

from __future__ import annotations

from math import frexp

import msgspec

from flight.wire.product_packet import (
    PRODUCT_ID_MAX,
    SIZE_BYTES_MAX,
    Manifest,
    Producer,
    ProductClass,
    valid_name,
    value_after,
)
from flight.wire.reconcile import Asked

__all__ = [
    "AGEING_NS", "Producer", "Product", "ProductClass", "Segment", "asked_about", "density_key",
    "density_of", "log2_steps", "manifest_of", "net_ageing_ns", "product_of", "value_after",
]  # fmt: skip


_FOREVER_NS = 1 << 62
AGEING_NS = 6 * 3_600_000_000_000
"""Waiting this long doubles a product's density. Six hours (four orbits) move it by a factor of 16
in a day, about the spread of densities within one class."""


class Product(msgspec.Struct, frozen=True, gc=False):
    """A result that is to reach the ground, without its bytes.

    Attributes:
        product_id: 0..2^48-1, never used twice.
        klass: what it is; EMERGENCY overtakes everything else.
        size_bytes: 1..2^40-1.
        value_millis: worth in thousandths of a value unit, >= 0.
        deadline_ns: mission time after which it is worthless, or None.
        created_ns: mission time of its making.
        crc32c: over all its bytes; the ground verifies it end to end.
        name: logical file name on the ground.
        depends_on: product that has to be sent before this one, or None.
        supersedes: older product that is worth nothing once this one is queued, or None. It acts
            when the product is offered, and does not travel.
        producer: whose quota of the store it counts to.

    Raises:
        ValueError: an identity, size, value or name that could not travel (the maker's mistake).
    """

    product_id: int
    klass: ProductClass
    size_bytes: int
    value_millis: int
    deadline_ns: int | None
    created_ns: int
    crc32c: int
    name: str
    depends_on: int | None = None
    supersedes: int | None = None
    producer: Producer = Producer.UNKNOWN

    def __post_init__(self) -> None:
        if not 1 <= self.size_bytes <= SIZE_BYTES_MAX or self.value_millis < 0:
            raise ValueError(f"size {self.size_bytes} B, value {self.value_millis}")
        if not 0 <= self.product_id <= PRODUCT_ID_MAX or not valid_name(self.name):
            raise ValueError(f"product {self.product_id} named {self.name!r}")


class Segment(msgspec.Struct, frozen=True, gc=False):
    """Bytes [offset, offset + length) of a product of `total_bytes`; what one packet carries."""

    product_id: int
    offset: int
    length: int
    total_bytes: int


def manifest_of(product: Product) -> Manifest:
    """The product in the words of the wire."""
    return Manifest(
        product_id=product.product_id,
        klass=product.klass,
        size_bytes=product.size_bytes,
        crc32c=product.crc32c,
        value_millis=product.value_millis,
        deadline_ns=product.deadline_ns,
        created_ns=product.created_ns,
        name=product.name,
        depends_on=product.depends_on,
        producer=product.producer,
    )


def product_of(manifest: Manifest) -> Product:
    """A product from the words of the wire, as the store keeps them."""
    return Product(
        product_id=manifest.product_id,
        klass=manifest.klass,
        size_bytes=manifest.size_bytes,
        value_millis=manifest.value_millis,
        deadline_ns=manifest.deadline_ns,
        created_ns=manifest.created_ns,
        crc32c=manifest.crc32c,
        name=manifest.name,
        depends_on=manifest.depends_on,
        producer=manifest.producer,
    )


def asked_about(product: Product) -> Asked:
    """The line that asks the ground what it holds of this product."""
    return Asked(product.product_id, product.size_bytes, product.crc32c)


def log2_steps(value: float) -> float:
    """A strictly growing, piecewise linear stand-in for log2, exact at powers of two.

    Linear pieces keep the ranking identical on every machine; a maths library's last bit need not.
    """
    mantissa, exponent = frexp(value)
    return exponent + 2.0 * mantissa


def net_ageing_ns(ageing_ns: int | None, half_life_ns: int | None) -> int | None:
    """Time in which waiting doubles a product's rank; negative: halves it; None: it does neither.

    Ageing is fair to what has waited, decay says that old results are worth less. Both move all
    products by the same factor at any moment, so the ranking of two never changes with time.
    """
    if half_life_ns is None:
        return ageing_ns
    if ageing_ns is None:
        return -half_life_ns
    if ageing_ns == half_life_ns:
        return None
    net_ns = ageing_ns * half_life_ns // (half_life_ns - ageing_ns)
    return net_ns if abs(net_ns) < _FOREVER_NS else None


def density_key(product: Product, remaining_bytes: int, ageing_ns: int | None) -> float:
    """Rank by value per remaining byte with `net_ageing_ns`; greater goes first."""
    return density_of(product.value_millis, remaining_bytes, product.created_ns, ageing_ns)


def density_of(
    value_millis: int, remaining_bytes: int, created_ns: int, ageing_ns: int | None
) -> float:
    """The same, of a product that is not made yet."""
    key = log2_steps(max(value_millis, 1)) - log2_steps(max(remaining_bytes, 1))
    return key if ageing_ns is None else key - created_ns / ageing_ns
