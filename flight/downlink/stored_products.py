"""Products the store has from before and those the queue need not know yet, read when they are due.

Image -> ground, hop "durable before it counts". Rows of the catalogue say enough to rank, to give
up and to find; a name, a check value or a dependency costs a look at the medium.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.store_values import ProductState, Recovered

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from flight.downlink.product import Producer, Product, ProductClass
    from flight.downlink.product_catalogue import CatalogueRow, ProductCatalogue
    from flight.downlink.store_request import Ranges

UNTOLD_MAX = 1_024
"""Told at a start; after a lost index there may be a million, told one by one as they come near."""
_UNDELIVERED = (ProductState.NEW, ProductState.SENDING)


class StoredFarProducts:
    """What the store has and the queue need not know yet: its `FarProducts`.

    Args:
        catalogue: the rows, at any time.
        describe: reads a product from its record; None where the medium lost it.

    Attributes:
        untold: products nobody was told of, found at a start or come near.
        asking: products come near that the ground has to be asked about; both to be taken.
    """

    def __init__(
        self,
        catalogue: Callable[[], ProductCatalogue],
        describe: Callable[[int], Product | None],
    ) -> None:
        self._catalogue, self._describe = catalogue, describe
        self.untold: list[Product] = []
        self.asking: list[Product] = []

    def begin(self) -> None:
        """After a start: everything undelivered is far; what was under way asks."""
        catalogue = self._catalogue()
        catalogue.put_all_away()
        for row in catalogue.untold(UNTOLD_MAX):
            product = self._describe(row.product_id)
            if product is not None:
                self._tell(product)

    def sums(self, producer: Producer) -> tuple[int, int, int]:
        """Of a producer: how many, their bytes, their value in thousandths."""
        sums = self._catalogue().sums(far=True, producers=(producer,))
        return sums.products, sums.size_bytes, sums.value_millis

    def put_away(self, product: Product, key: float) -> None:
        """One more, ranked by `key`, at its present value."""
        catalogue = self._catalogue()
        catalogue.revalue(product.product_id, product.value_millis, key)
        catalogue.put_away(product.product_id)

    def find(self, product_id: int) -> CatalogueRow | None:
        """The row of a product; None for one that is not far."""
        row = self._catalogue().find(product_id)
        return row if row is not None and row.far else None

    def fetch(self, product_id: int) -> Product | None:
        """The product itself, far no more; None where the medium lost it."""
        row = self.find(product_id)
        product = self._describe(product_id)
        self.drop(product_id)
        if row is not None and product is not None:
            if row.untold:
                self._tell(product)
            if row.asks:
                self.asking.append(product)
        return product

    def drop(self, product_id: int) -> None:
        """It is far no more."""
        self._catalogue().bring_near(product_id)

    def densest(
        self, klasses: Collection[ProductClass], count: int, *, asks: bool
    ) -> list[CatalogueRow]:
        """Those that go first: of those that ask, or of those that do not."""
        return self._catalogue().densest(klasses, count, asks=asks)

    def least_dense(self, producers: Collection[Producer], count: int) -> list[CatalogueRow]:
        """Those that give way first; emergencies never do."""
        return self._catalogue().least_dense(producers, count)

    def due(self, now_ns: int, count: int) -> list[CatalogueRow]:
        """Those whose deadline is over, the earliest first."""
        return self._catalogue().due(now_ns, count)

    def _tell(self, product: Product) -> None:
        self._catalogue().told(product.product_id)
        self.untold.append(product)


class RecoveredProducts:
    """Undelivered products found at a start, by identity, each read from its record when it is due.

    Attributes:
        size_bytes: of all together.
        damaged: those gone through that the medium could not tell any more.
        lost: those that a sector which cannot be read took with it; they are not among the others.
    """

    def __init__(
        self,
        catalogue: ProductCatalogue,
        acked: Mapping[int, Ranges],
        describe: Callable[[int], Product | None],
        size_bytes: int,
        lost: tuple[int, ...] = (),
    ) -> None:
        self._catalogue, self._acked, self._describe = catalogue, acked, describe
        self.size_bytes, self.lost = size_bytes, lost
        self.damaged: list[int] = []

    def __len__(self) -> int:
        """How many there are, damaged ones included."""
        return self._catalogue.count(_UNDELIVERED)

    def __iter__(self) -> Iterator[Recovered]:
        """Once, as they are then."""
        for row in self._catalogue.rows(_UNDELIVERED):
            product = self._describe(row.product_id)
            if product is None:
                self.damaged.append(row.product_id)
            else:
                acked = self._acked.get(row.product_id, ())
                yield Recovered(product, row.state, acked, not row.untold)
