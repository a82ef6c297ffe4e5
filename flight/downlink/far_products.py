"""What the queue asks of products that wait far away: known as rows, described when they are due.

Image -> ground, hop "acted". The queue decides (`near_window.py`), the store has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flight.downlink.product import Producer, Product, ProductClass


class Held(Protocol):
    """What a product and a far row have in common."""

    @property
    def product_id(self) -> int: ...  # noqa: D102  as in `Product`, all of them
    @property
    def klass(self) -> ProductClass: ...  # noqa: D102
    @property
    def producer(self) -> Producer: ...  # noqa: D102
    @property
    def value_millis(self) -> int: ...  # noqa: D102
    @property
    def size_bytes(self) -> int: ...  # noqa: D102
    @property
    def deadline_ns(self) -> int | None: ...  # noqa: D102


class FarRow(Held, Protocol):
    """A far product; `asks`: the ground has to be asked before it is sent."""

    @property
    def key(self) -> float: ...  # noqa: D102  as in `density_key`
    @property
    def asks(self) -> bool: ...  # noqa: D102


class FarProducts(Protocol):
    """Products that wait elsewhere. Lists have `count` rows at most; equal keys: by identity."""

    def sums(self, producer: Producer) -> tuple[int, int, int]:
        """Of a producer: how many, their bytes, their value in thousandths."""

    def put_away(self, product: Product, key: float) -> None:
        """One more, ranked by `key`."""

    def find(self, product_id: int) -> FarRow | None:
        """The row of a product; None for one that is not far."""

    def fetch(self, product_id: int) -> Product | None:
        """The product itself, far no more; None where nothing tells any more what it is."""

    def drop(self, product_id: int) -> None:
        """It is far no more."""

    def densest(
        self, klasses: Collection[ProductClass], count: int, *, asks: bool
    ) -> Sequence[FarRow]:
        """Those that go first: of those that ask, or of those that do not."""

    def least_dense(self, producers: Collection[Producer], count: int) -> Sequence[FarRow]:
        """Those that give way first; emergencies never do."""

    def due(self, now_ns: int, count: int) -> Sequence[FarRow]:
        """Those whose deadline is over, the earliest first."""
