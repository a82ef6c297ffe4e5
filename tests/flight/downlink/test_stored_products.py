"""What the store has is known as rows, read when it is due, and told and asked about once."""

from __future__ import annotations

import pytest

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import Producer, Product, ProductClass, density_key
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.segment_file import segment_name
from flight.downlink.store_values import ProductState
from flight.wire.crc import crc32c

PAYLOAD = bytes(100)


def product(number, value=100, **options):
    return Product(
        number, ProductClass.MASK, 100, value, None, number, crc32c(PAYLOAD), f"p{number}",
        producer=Producer.IMAGING, **options,
    )  # fmt: skip


@pytest.fixture
def begin(tmp_path):
    opened = []

    def store_of(files=None):
        for each in opened:
            each.close()
        opened.append(ProductStore(files or MemoryFileStore(), tmp_path / "index.sqlite3"))
        opened[-1].recover()
        return opened[-1]

    yield store_of
    opened[-1].close()


def put(store, *products):
    for each in products:
        store.put(each, PAYLOAD)
    store.commit(0)


def test_everything_undelivered_is_far_after_a_start_and_what_was_under_way_asks(begin):
    store = begin()
    put(store, *(product(number, value=10 + number) for number in range(1, 6)))
    store.mark_sending((2, 3))
    store.mark_delivered((4,))
    store.commit(0)
    store = begin(store._payloads._reader._files.power_cut())
    store.far.begin()
    assert store.far.sums(Producer.IMAGING)[:2] == (4, 400)
    assert store.far.sums(Producer.TELEMETRY) == (0, 0, 0)
    masks = (ProductClass.MASK,)
    assert [row.product_id for row in store.far.densest(masks, 9, asks=True)] == [3, 2]
    assert [row.product_id for row in store.far.densest(masks, 9, asks=False)] == [5, 1]
    assert store.far.find(4) is None


def test_what_is_put_away_comes_back_as_it_was_at_its_present_value(begin):
    store = begin()
    first, second = product(1, depends_on=7), product(2, value=5_000)
    put(store, first, second)
    raised = product(2, value=9_000)
    store.far.put_away(first, density_key(first, 100, None))
    store.far.put_away(raised, density_key(raised, 100, None))
    assert [row.product_id for row in store.far.least_dense((Producer.IMAGING,), 9)] == [1, 2]
    assert store.far.fetch(2) == raised
    assert store.far.fetch(1) == first
    assert store.far.asking == store.far.untold == []
    assert store.far.find(1) is None
    assert store.catalogue.state_of(1) is ProductState.NEW, "far no more, and stored as before"


def test_one_that_asks_is_named_once_when_it_comes_near(begin):
    store = begin()
    put(store, product(1))
    store.mark_sending((1,))
    store.far.begin()
    assert store.far.fetch(1) == product(1)
    assert store.far.asking == [product(1)]
    store.far.put_away(product(1), 0.0)
    assert not store.far.find(1).asks


def test_what_only_the_log_knows_is_told_once(begin, tmp_path):
    store = begin()
    put(store, product(1), product(2))
    store.close()
    (tmp_path / "index.sqlite3").unlink()
    again = begin(store._payloads._reader._files)
    again.far.begin()
    assert again.far.untold == [product(1), product(2)]
    again.far.fetch(1)
    assert again.far.untold == [product(1), product(2)]
    assert again.far.asking == [product(1)], "without an index nobody knows what was sent"


def test_a_record_the_medium_lost_is_far_no_more_and_no_product(begin):
    store = begin()
    put(store, product(1))
    files, place = store._payloads._reader._files, store.catalogue.find(1).place
    store.far.begin()
    files.pwrite(files.open(segment_name(place.segment)), b"rot", place.offset)
    assert store.far.fetch(1) is None
    assert store.far.find(1) is None
