"""Lines of the book of lives in the index: kept, bounded, and never at the cost of a product."""

import errno
import sqlite3

import pytest

from flight.downlink import store_index_sqlite
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product_lives import Deed, LifeLine
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.store_index_sqlite import IndexBatch, StoreIndex


def lines_of(path, product_id):
    index = StoreIndex(path)
    try:
        return index.lives(product_id)
    finally:
        index.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "index.sqlite"


def opened(path, files=None):
    store = ProductStore(files or MemoryFileStore(), path, segment_bytes=1 << 16)
    store.recover()
    return store


def test_lines_survive_and_come_back_with_those_of_the_node_alone(path):
    high = 2**64 - 1
    store = opened(path)
    told = [
        LifeLine(high, 1, Deed.MADE, note="a.msk"),
        LifeLine(2, 2, Deed.SENT, 5, 9, 0, 700),
        LifeLine(None, 3, Deed.STARTED, note="start 2"),
        LifeLine(high, 4, Deed.SENT, 2**40, 2**40 + 1, 10, 2**32 - 1),
    ]
    assert store.keep_lives(told[:2])
    assert store.keep_lives(told[2:])
    store.close()
    assert lines_of(path, high) == [told[0], *told[2:]]
    assert lines_of(path, 2) == told[1:3]


def test_the_oldest_lines_go_first(path, monkeypatch):
    monkeypatch.setattr(store_index_sqlite, "LIVES_MAX", 10)
    store = opened(path)
    for number in range(25):
        store.keep_lives([LifeLine(1, number, Deed.SENT)])
    store.close()
    assert [line.t_ns for line in lines_of(path, 1)] == list(range(15, 25))


@pytest.mark.parametrize("version", [1, 2])
def test_an_index_of_an_earlier_version_gets_its_book(path, version):
    store = opened(path)
    store.store_counter("iv", 7)
    store.close()
    db = sqlite3.connect(path)
    db.execute("DROP TABLE lives")
    if version == 1:
        db.execute("DROP TABLE segments")
        db.execute("DROP INDEX products_of_segment")
    db.execute(f"PRAGMA user_version = {version}")
    db.commit()
    db.close()
    index = StoreIndex(path)
    index.write([IndexBatch(lives=[LifeLine(1, 2, Deed.FREED)])])
    assert index.lives(1) == [LifeLine(1, 2, Deed.FREED)]
    assert index.counters() == {"iv": 7}
    index.close()


def test_a_store_that_is_closed_or_has_failed_takes_none(path):
    store = opened(path)
    store.close()
    assert not store.keep_lives([LifeLine(1, 2, Deed.FREED)])


def test_while_the_index_cannot_be_written_lines_do_not_pile_up(path, monkeypatch):
    store = opened(path)
    written = StoreIndex.write

    def full(_index, _batches):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(StoreIndex, "write", full)
    for number in range(20):
        store.keep_lives([LifeLine(1, number, Deed.SENT)])
    monkeypatch.setattr(StoreIndex, "write", written)
    store.keep_lives([LifeLine(1, 99, Deed.FREED)])
    store.close()
    assert [line.t_ns for line in lines_of(path, 1)] == [0]
