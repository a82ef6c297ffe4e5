"""Everything the product store holds, 48 bytes a product: the face of `product_catalogue.h`.

Image -> ground, hop "durable before it counts". A million products wait on a node that has gone
without contacts, so what waits is columns in C and no Python objects. Names, check values and
dependencies are in each record's manifest on the medium. Rows are near (the queue knows the product
itself) or far (known here alone); selecting looks at the far ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flight.downlink.segment_record import NOWHERE, Place, record_bytes
from flight.downlink.store_values import ProductState
from flight.wire.product_packet import Producer, ProductClass
from hal.native_library import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from flight.downlink.product import Product

SELECT_MAX: int = lib.CATALOGUE_SELECT_MAX
"""Rows one selection gives at most."""
PIECE_ROWS = 256
_NEVER_NS = (1 << 63) - 1
_FAR, _ASKS, _UNTOLD = lib.CATALOGUE_FAR, lib.CATALOGUE_ASKS, lib.CATALOGUE_UNTOLD


class CatalogueRow(msgspec.Struct, frozen=True, gc=False):
    """What is known of a product without reading its record.

    Attributes:
        product_id, klass, producer, size_bytes, value_millis, deadline_ns: as in `Product`.
        state: its life in the store.
        key: rank by value per byte as `density_key` gives it.
        place: where its record begins.
        manifest_bytes: how long its manifest is there.
        far: known here alone.
        asks: the ground has to be asked before it is sent.
        untold: found in the log alone: nobody was told that it is durable.
    """

    product_id: int
    klass: ProductClass
    producer: Producer
    state: ProductState
    key: float
    value_millis: int
    deadline_ns: int | None
    size_bytes: int
    manifest_bytes: int
    place: Place
    far: bool = False
    asks: bool = False
    untold: bool = False

    @property
    def record_bytes(self) -> int:
        """Room its record takes in a segment."""
        return record_bytes(self.manifest_bytes, self.size_bytes)


class CatalogueSums(msgspec.Struct, frozen=True, gc=False):
    """What a number of rows amounts to."""

    products: int = 0
    size_bytes: int = 0
    value_millis: int = 0


class ProductCatalogue:
    """Rows in order of identity; no thread, no clock.

    Raises:
        MemoryError: there is no more; nothing was changed.
    """

    def __init__(self) -> None:
        catalogue = lib.catalogue_new()
        if catalogue == ffi.NULL:
            raise MemoryError
        self.native: Any = ffi.gc(catalogue, lib.catalogue_free)
        self._rows = ffi.new("struct catalogue_row[]", PIECE_ROWS)

    def __len__(self) -> int:
        """Rows there are."""
        return self.count(tuple(ProductState))

    def __contains__(self, product_id: int) -> bool:
        """Whether there is such a row."""
        return bool(lib.catalogue_find(self.native, product_id, ffi.NULL) == lib.CATALOGUE_OK)

    def rows(
        self, states: Collection[ProductState] = tuple(ProductState)
    ) -> Iterator[CatalogueRow]:
        """Every row of these states by identity; changes meanwhile are seen later on."""
        rows, behind = ffi.new("struct catalogue_row[]", PIECE_ROWS), 0
        choice = _choice(states=states)
        while found := lib.catalogue_list(self.native, behind, choice, PIECE_ROWS, rows):
            behind = rows[found - 1].product_id + 1
            yield from [_row_of(rows[at]) for at in range(found)]

    @property
    def memory_bytes(self) -> int:
        """Taken for the rows, those to come included."""
        return int(lib.catalogue_memory_bytes(self.native))

    def count(self, states: Collection[ProductState]) -> int:
        """Rows of these states."""
        return int(lib.catalogue_count(self.native, _mask(states)))

    def add(self, row: CatalogueRow) -> None:
        """A row more; cheap where its identity is the greatest so far.

        Raises:
            ValueError: a number that has no room in its field, or an identity that is there.
        """
        deadline_ns = _NEVER_NS if row.deadline_ns is None else row.deadline_ns
        flags = row.far * _FAR | row.asks * _ASKS | row.untold * _UNTOLD
        try:
            self._rows[0] = (
                row.product_id, row.key, row.value_millis, deadline_ns, row.size_bytes,
                row.place.segment, row.place.offset, row.manifest_bytes, row.klass, row.producer,
                row.state, flags,
            )  # fmt: skip
        except OverflowError as error:
            raise ValueError(str(error)) from None
        code = lib.catalogue_append(self.native, self._rows)
        if code == lib.CATALOGUE_E_MEMORY:
            raise MemoryError
        if code != lib.CATALOGUE_OK:
            raise ValueError(f"product {row.product_id}: {code}")

    def find(self, product_id: int) -> CatalogueRow | None:
        """The row of a product, None for an unknown one."""
        if lib.catalogue_find(self.native, product_id, self._rows) != lib.CATALOGUE_OK:
            return None
        return _row_of(self._rows[0])

    def state_of(self, product_id: int) -> ProductState | None:
        """The state of a product, None for an unknown one."""
        if lib.catalogue_find(self.native, product_id, self._rows) != lib.CATALOGUE_OK:
            return None
        return _STATES[int(self._rows[0].state)]

    def set_state(self, product_id: int, state: ProductState) -> bool:
        """False for an unknown product, as in everything below."""
        return _changed(lib.catalogue_set_state(self.native, product_id, state))

    def move(self, product_id: int, place: Place) -> bool:
        """Its record begins there."""
        return _changed(lib.catalogue_move(self.native, product_id, place.segment, place.offset))

    def revalue(self, product_id: int, value_millis: int, key: float) -> bool:
        """It is worth that much, and ranked so."""
        return _changed(lib.catalogue_revalue(self.native, product_id, value_millis, key))

    def put_away(self, product_id: int, *, asks: bool = False) -> bool:
        """It is far from now on; `asks`: the ground has to be asked before it is sent."""
        return _changed(
            lib.catalogue_set_flags(self.native, product_id, _FAR | _ASKS, _FAR | asks * _ASKS)
        )

    def bring_near(self, product_id: int) -> bool:
        """It is near from now on, and whoever holds it knows whether it asks."""
        return _changed(lib.catalogue_set_flags(self.native, product_id, _FAR | _ASKS, 0))

    def drop(self, product_id: int) -> bool:
        """It is gone."""
        return _changed(lib.catalogue_drop(self.native, product_id))

    def sums(
        self,
        *,
        far: bool = False,
        producers: Collection[Producer] = tuple(Producer),
        klasses: Collection[ProductClass] = tuple(ProductClass),
    ) -> CatalogueSums:
        """What all rows, or the far ones alone, of these producers and classes amount to."""
        sums = ffi.new("struct catalogue_sums *")
        products = size_bytes = value_millis = 0
        for producer in producers:
            for klass in klasses:
                lib.catalogue_sums_of(self.native, far, producer, klass, sums)
                products += sums.products
                size_bytes += sums.size_bytes
                value_millis += sums.value_millis
        return CatalogueSums(products, size_bytes, value_millis)

    def put_all_away(self) -> None:
        """Whatever is not delivered is far from now on; what was under way asks."""
        waiting = _mask((ProductState.NEW, ProductState.SENDING))
        lib.catalogue_put_all_away(self.native, waiting, _mask((ProductState.SENDING,)))

    def untold(self, count: int) -> list[CatalogueRow]:
        """Undelivered products nobody was told of, by identity, at most `count`."""
        states = (ProductState.NEW, ProductState.SENDING)
        choice = _choice(states=states, flag_mask=_UNTOLD, flags=_UNTOLD)
        return _selected(
            count, lambda most, rows: lib.catalogue_list(self.native, 0, choice, most, rows)
        )

    def told(self, product_id: int) -> bool:
        """Somebody was told of it."""
        return _changed(lib.catalogue_set_flags(self.native, product_id, _UNTOLD, 0))

    def densest(
        self, klasses: Collection[ProductClass], count: int, *, asks: bool
    ) -> list[CatalogueRow]:
        """The far products that go first, best first: those that ask, or those that do not."""
        choice = _choice(klasses=klasses, flag_mask=_ASKS, flags=asks * _ASKS)
        return self._select(lib.CATALOGUE_DENSEST, choice, count)

    def least_dense(self, producers: Collection[Producer], count: int) -> list[CatalogueRow]:
        """The far products of these producers that give way first; emergencies never do."""
        klasses = [klass for klass in ProductClass if klass is not ProductClass.EMERGENCY]
        choice = _choice(klasses=klasses, producers=producers)
        return self._select(lib.CATALOGUE_LEAST_DENSE, choice, count)

    def due(self, now_ns: int, count: int) -> list[CatalogueRow]:
        """Far products whose deadline is over, at most `count`, the earliest first."""
        return _selected(
            count, lambda most, rows: lib.catalogue_due(self.native, now_ns, most, rows)
        )

    def _select(self, order: int, choice: Any, count: int) -> list[CatalogueRow]:
        return _selected(
            count, lambda most, rows: lib.catalogue_select(self.native, order, choice, most, rows)
        )


def row_of(product: Product, manifest_bytes: int) -> CatalogueRow:
    """A product that is not written yet; the queue ranks it."""
    return CatalogueRow(
        product.product_id,
        product.klass,
        product.producer,
        ProductState.NEW,
        0.0,
        product.value_millis,
        product.deadline_ns,
        product.size_bytes,
        manifest_bytes,
        NOWHERE,
    )


def _choice(
    *,
    klasses: Collection[ProductClass] = tuple(ProductClass),
    producers: Collection[Producer] = tuple(Producer),
    states: Collection[ProductState] = tuple(ProductState),
    flag_mask: int = 0,
    flags: int = 0,
) -> Any:
    masks = _mask(klasses), _mask(producers), _mask(states), flag_mask, flags
    return ffi.new("struct catalogue_choice *", masks)


def _mask(values: Collection[int]) -> int:
    return sum(1 << value for value in values)


def _selected(count: int, select: Callable[[int, Any], int]) -> list[CatalogueRow]:
    most = min(count, SELECT_MAX)
    if most <= 0:
        return []
    rows = ffi.new("struct catalogue_row[]", most)
    return [_row_of(rows[at]) for at in range(select(most, rows))]


def _changed(code: int) -> bool:
    if code == lib.CATALOGUE_E_RANGE:
        raise ValueError("a number that has no room in its field")
    return bool(code == lib.CATALOGUE_OK)


def _row_of(row: Any) -> CatalogueRow:
    deadline_ns, flags = row.deadline_ns, row.flags
    return CatalogueRow(
        row.product_id,
        _KLASSES[row.klass],
        _PRODUCERS[row.producer],
        _STATES[row.state],
        row.key,
        row.value_millis,
        None if deadline_ns == _NEVER_NS else deadline_ns,
        row.size_bytes,
        row.manifest_bytes,
        Place(row.segment, row.offset),
        far=bool(flags & _FAR),
        asks=bool(flags & _ASKS),
        untold=bool(flags & _UNTOLD),
    )


_KLASSES, _PRODUCERS, _STATES = tuple(ProductClass), tuple(Producer), tuple(ProductState)
