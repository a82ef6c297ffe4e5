"""The catalogue of everything stored answers as a plain table of rows would."""

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from flight.downlink.product_catalogue import (
    SELECT_MAX,
    CatalogueRow,
    CatalogueSums,
    ProductCatalogue,
)
from flight.downlink.segment_record import Place
from flight.downlink.store_values import ProductState
from flight.wire.product_packet import Producer, ProductClass

IDS = st.one_of(st.integers(0, 40), st.integers(0, (1 << 48) - 1))
KEYS = st.one_of(st.sampled_from([-1.5, 0.0, 2.0]), st.floats(allow_nan=False))
VALUES = st.integers(0, (1 << 63) - 1)
PLACES = st.builds(Place, st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))
ROWS = st.builds(
    CatalogueRow,
    IDS,
    st.sampled_from(ProductClass),
    st.sampled_from(Producer),
    st.sampled_from(ProductState),
    KEYS,
    VALUES,
    st.one_of(st.none(), st.integers(0, 20), st.integers(-(1 << 63), (1 << 63) - 2)),
    st.integers(1, (1 << 40) - 1),
    st.integers(0, (1 << 16) - 1),
    PLACES,
    far=st.booleans(),
    asks=st.booleans(),
    untold=st.booleans(),
)
ROW = CatalogueRow(
    1, ProductClass.MASK, Producer.IMAGING, ProductState.NEW, 0.5, 7, None, 10, 60, Place(1, 0)
)


class Catalogue(RuleBasedStateMachine):
    """The catalogue beside a dict of rows."""

    @initialize()
    def begin(self):
        self.catalogue, self.rows = ProductCatalogue(), {}

    @rule(row=ROWS)
    def add(self, row):
        if row.product_id in self.rows:
            with pytest.raises(ValueError, match=str(row.product_id)):
                self.catalogue.add(row)
        else:
            self.catalogue.add(row)
            self.rows[row.product_id] = row

    @rule(data=st.data(), state=st.sampled_from(ProductState))
    def set_state(self, data, state):
        self._change(data, lambda i: self.catalogue.set_state(i, state), state=state)

    @rule(data=st.data(), place=PLACES)
    def move(self, data, place):
        self._change(data, lambda i: self.catalogue.move(i, place), place=place)

    @rule(data=st.data(), value_millis=VALUES, key=KEYS)
    def revalue(self, data, value_millis, key):
        self._change(
            data,
            lambda i: self.catalogue.revalue(i, value_millis, key),
            value_millis=value_millis,
            key=key,
        )

    @rule(data=st.data(), asks=st.booleans())
    def put_away(self, data, asks):
        self._change(
            data,
            lambda i: self.catalogue.put_away(i, asks=asks),
            far=True,
            asks=asks,
        )

    @rule(data=st.data())
    def bring_near(self, data):
        self._change(data, self.catalogue.bring_near, far=False, asks=False)

    @rule(data=st.data())
    def drop(self, data):
        product_id = self._some(data)
        assert self.catalogue.drop(product_id) is (self.rows.pop(product_id, None) is not None)

    @rule(first=st.integers(100, 200), count=st.integers(300, 600))
    def many_come_and_go(self, first, count):
        many = [i for i in range(first, first + count) if i not in self.rows]
        for product_id in many:
            self.catalogue.add(msgspec.structs.replace(ROW, product_id=product_id))
        for product_id in many:
            assert self.catalogue.drop(product_id)

    @rule()
    def all_is_put_away(self):
        self.catalogue.put_all_away()
        for product_id, row in self.rows.items():
            if row.state < ProductState.DELIVERED:
                asks = row.state is ProductState.SENDING
                self.rows[product_id] = msgspec.structs.replace(row, far=True, asks=asks)

    @rule(count=st.integers(0, 8))
    def somebody_is_told(self, count):
        untold = [
            row.product_id
            for row in self._listed(tuple(ProductState))
            if row.untold and row.state < ProductState.DELIVERED
        ][:count]
        assert [row.product_id for row in self.catalogue.untold(count)] == untold
        for product_id in untold:
            assert self.catalogue.told(product_id)
            self.rows[product_id] = msgspec.structs.replace(self.rows[product_id], untold=False)

    @rule(
        klasses=st.sets(st.sampled_from(ProductClass)),
        count=st.integers(0, 8),
        asks=st.booleans(),
    )
    def densest(self, klasses, count, asks):
        best = sorted(
            (-r.key, r.product_id) for r in self._far() if r.klass in klasses and r.asks is asks
        )[:count]
        found = self.catalogue.densest(klasses, count, asks=asks)
        assert [(-row.key, row.product_id) for row in found] == best

    @rule(producers=st.sets(st.sampled_from(Producer)), count=st.integers(0, 8))
    def least_dense(self, producers, count):
        first = sorted(
            (row.key, row.product_id)
            for row in self._far()
            if row.producer in producers and row.klass is not ProductClass.EMERGENCY
        )[:count]
        found = self.catalogue.least_dense(producers, count)
        assert [(row.key, row.product_id) for row in found] == first

    @rule(now_ns=st.integers(-5, 25), count=st.integers(0, 8))
    def due(self, now_ns, count):
        late = sorted(
            (row.deadline_ns, row.product_id)
            for row in self._far()
            if row.deadline_ns is not None and row.deadline_ns <= now_ns
        )[:count]
        found = self.catalogue.due(now_ns, count)
        assert [(row.deadline_ns, row.product_id) for row in found] == late

    @invariant()
    def rows_and_sums_agree(self):
        assert list(self.catalogue.rows()) == self._listed(tuple(ProductState))
        assert len(self.catalogue) == len(self.rows)
        for far, rows in ((False, self.rows.values()), (True, self._far())):
            for producer in Producer:
                mine = [row for row in rows if row.producer is producer]
                assert self.catalogue.sums(far=far, producers=(producer,)) == _sums(mine)

    @rule(states=st.sets(st.sampled_from(ProductState)))
    def rows_of_states(self, states):
        assert list(self.catalogue.rows(states)) == self._listed(states)

    def _listed(self, states):
        return [row for _, row in sorted(self.rows.items()) if row.state in states]

    def _far(self):
        return [row for row in self.rows.values() if row.far]

    def _some(self, data):
        return data.draw(st.one_of(IDS, st.sampled_from(sorted(self.rows) or [0])))

    def _change(self, data, change, **fields):
        product_id = self._some(data)
        known = product_id in self.rows
        assert change(product_id) is known
        assert (product_id in self.catalogue) is known
        if known:
            self.rows[product_id] = msgspec.structs.replace(self.rows[product_id], **fields)
        row = self.rows.get(product_id)
        assert self.catalogue.find(product_id) == row
        assert self.catalogue.state_of(product_id) is (row.state if known else None)


def _sums(rows):
    """What C keeps modulo 2^64, class by class."""
    millis = dict.fromkeys(ProductClass, 0)
    for row in rows:
        millis[row.klass] = (millis[row.klass] + row.value_millis) % (1 << 64)
    return CatalogueSums(len(rows), sum(row.size_bytes for row in rows), sum(millis.values()))


TestCatalogue = Catalogue.TestCase
TestCatalogue.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    "field",
    [
        {"product_id": 1 << 48},
        {"product_id": -1},
        {"size_bytes": 1 << 40},
        {"manifest_bytes": 1 << 16},
        {"value_millis": -1},
        {"value_millis": 1 << 63},
        {"key": float("nan")},
        {"place": Place(1 << 32, 0)},
        {"place": Place(1, 1 << 32)},
    ],
)
def test_what_has_no_room_in_its_field_is_refused(field):
    catalogue = ProductCatalogue()
    with pytest.raises(ValueError, match=r"."):
        catalogue.add(msgspec.structs.replace(ROW, **field))
    assert len(catalogue) == 0


def test_a_value_that_no_product_has_changes_nothing():
    catalogue = ProductCatalogue()
    catalogue.add(ROW)
    with pytest.raises(ValueError, match="room"):
        catalogue.revalue(1, -1, 0.0)
    assert catalogue.find(1) == ROW


def test_a_selection_is_bounded_however_much_is_asked_for():
    catalogue = ProductCatalogue()
    for product_id in range(SELECT_MAX + 5):
        catalogue.add(msgspec.structs.replace(ROW, product_id=product_id, far=True))
    assert len(catalogue.densest((ProductClass.MASK,), 10 * SELECT_MAX, asks=False)) == SELECT_MAX


def test_a_hundred_thousand_products_take_five_megabytes():
    catalogue = ProductCatalogue()
    for product_id in range(100_000):
        catalogue.add(msgspec.structs.replace(ROW, product_id=product_id))
    assert 48 * 100_000 <= catalogue.memory_bytes <= 1.3 * 48 * 100_000
