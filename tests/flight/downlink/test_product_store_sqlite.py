"""The product store: acknowledged means durable, and what is durable is never lost by accident."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from flight.downlink.file_store import FolderStore
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import Product, ProductClass
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.store_values import ProductState, StoreError, StoreErrorKind
from flight.wire.counter_reserve import CounterReserve
from flight.wire.crc import crc32c

SEGMENT = 1 << 16


def payload_of(product_id, size):
    return (product_id.to_bytes(8, "big") * (size // 8 + 1))[:size]


def product_of_size(product_id, size=1000):
    crc = crc32c(payload_of(product_id, size))
    return Product(product_id, ProductClass.MASK, size, 5, None, 0, crc, f"p{product_id}")


def put(store, product_id, size=1000):
    store.put(product_of_size(product_id, size), payload_of(product_id, size))


@pytest.fixture
def bench(tmp_path):
    """Opens stores over one folder and closes whatever is still open at the end."""
    opened = []

    def open_store(files, **options):
        while opened:
            opened.pop().close()
        store = ProductStore(files, tmp_path / "index.sqlite3", segment_bytes=SEGMENT, **options)
        opened.append(store)
        return store, list(store.recover())

    yield open_store
    for store in opened:
        store.close()


def test_what_commit_returned_survives_a_power_cut_and_nothing_else_counts(bench):
    files = MemoryFileStore()
    store, found = bench(files)
    assert found == []
    big = (1 << 48) - 1
    for product_id in (1, 2, big):
        put(store, product_id)
    assert store.dirty
    assert store.commit(0).durable == [1, 2, big]
    assert not store.dirty
    assert store.commit(0).durable == []
    put(store, 4)
    store, found = bench(files.power_cut())
    assert [item.product for item in found] == [product_of_size(i) for i in (1, 2, big)]
    assert {item.state for item in found} == {ProductState.NEW}
    assert store.read(2, 10, 20) == payload_of(2, 1000)[10:30]
    assert store.products == 3
    assert store.payload_bytes == 3000


def test_a_product_longer_than_a_record_can_be_is_refused_and_nothing_changes(bench):
    store, _ = bench(MemoryFileStore())
    size = 1 << 32
    with pytest.raises(StoreError) as error:
        store.put(product_of_size(1, size), range(size))
    assert error.value.kind is StoreErrorKind.FULL
    assert (store.products, store.payload_bytes, store.dirty) == (0, 0, False)


def test_a_sync_that_lies_loses_acknowledged_products(bench):
    """Negative control: were this to pass with sync_lies, the test above would prove nothing."""
    files = MemoryFileStore(sync_lies=True)
    store, _ = bench(files)
    put(store, 1)
    assert store.commit(0).durable == [1]
    store, found = bench(files.power_cut())
    assert store.products == 1  # the index believes in it
    assert found == []
    assert store.counters.records_damaged == 1
    with pytest.raises(StoreError) as caught:
        store.read(1, 0, 10)
    assert caught.value.kind is StoreErrorKind.DAMAGED
    assert store.counters.records_damaged == 2


def test_a_group_commit_costs_one_segment_sync(bench):
    files = MemoryFileStore()
    store, _ = bench(files)
    for product_id in range(1, 30):
        put(store, product_id, 200)
    before = files.syncs
    assert len(store.commit(0).durable) == 29
    assert files.syncs == before + 1


def test_a_failed_sync_is_fatal_and_never_retried(bench):
    files = MemoryFileStore()
    store, _ = bench(files)
    put(store, 1)
    files.sync_fails = True
    with pytest.raises(StoreError) as caught:
        store.commit(0)
    assert caught.value.kind is StoreErrorKind.SYNC
    files.sync_fails = False
    for again in (lambda: store.commit(0), lambda: put(store, 2), lambda: store.read(1, 0, 1)):
        with pytest.raises(StoreError) as caught:
            again()
        assert caught.value.kind is StoreErrorKind.CLOSED
    _, found = bench(files.power_cut())
    assert found == []


def test_a_full_medium_refuses_and_goes_on_when_space_is_back(bench):
    files = MemoryFileStore()
    store, _ = bench(files, capacity_bytes=2 * SEGMENT)
    ids = itertools.count(1)
    for product_id in itertools.islice(ids, 14):
        put(store, product_id, 9000)
    too_many = next(ids)
    put(store, too_many, 9000)
    settled = store.commit(0)
    durable = settled.durable
    assert len(durable) == 14
    assert settled.refused == [too_many]
    store.mark_delivered(durable)
    store.commit(0)
    assert store.payload_bytes == 14 * 9000, "delivered is durable first, freed next"
    store.commit(0)
    assert store.payload_bytes == 0
    assert store.counters.segments_freed == 1
    put(store, next(ids), 9000)
    assert len(store.commit(0).durable) == 1


def test_a_medium_that_is_really_full_gives_the_same_error(bench):
    store, _ = bench(MemoryFileStore(capacity_bytes=SEGMENT))
    put(store, 1, 40_000)
    put(store, 2, 40_000)
    settled = store.commit(0)
    assert (settled.durable, settled.refused) == ([1], [2])


def test_states_and_ranges_survive_and_freed_products_do_not_come_back(bench):
    files = MemoryFileStore()
    store, _ = bench(files)
    for product_id in range(1, 6):
        put(store, product_id)
    store.commit(0)
    store.mark_sending([2, 99])
    store.mark_acked_ranges(3, [(0, 100), (300, 1000)])
    store.mark_acked_ranges(99, [(0, 1)])
    store.mark_delivered([4, 99])
    assert store.delete(5, "evicted")
    assert not store.delete(5, "evicted")
    assert not store.delete(99, "evicted")
    store.commit(0)
    assert not store.delete(4, "too late"), "what the ground has is not given up"
    files = files.power_cut()
    store, found = bench(files)
    states = {item.product.product_id: (item.state, item.acked) for item in found}
    assert states == {
        1: (ProductState.NEW, ()),
        2: (ProductState.SENDING, ()),
        3: (ProductState.SENDING, ((0, 100), (300, 1000))),
    }
    store.mark_delivered([4, 5])  # acknowledgements of lost and freed products are idempotent
    store.commit(0)
    with pytest.raises(StoreError) as caught:
        store.read(5, 0, 1)
    assert caught.value.kind is StoreErrorKind.UNKNOWN
    assert store.products == 3
    assert store.counters.records_unindexed == 0


def test_counters_never_repeat_over_power_cuts_even_when_the_index_is_lost(bench, tmp_path):
    files = MemoryFileStore()
    seen = set()
    for boot in range(6):
        store, _ = bench(files)
        reserve = CounterReserve(
            lambda store=store: store.load_counter("iv"),
            lambda highest, store=store: store.store_counter("iv", highest),
            block=16,
        )
        taken = {reserve.take() for _ in range(40)}
        start = store.reserve_counter("frames", 100)
        taken |= {-value for value in range(start, start + 100)}
        assert not taken & seen
        seen |= taken
        put(store, boot + 1, 30_000)
        store.commit(0)
        files = files.power_cut()
        if boot in {2, 4}:
            store.close()
            for path in tmp_path.glob("index*"):
                path.unlink()
    assert min(seen) == -600


def test_state_blobs_survive_and_the_newest_wins(bench, tmp_path):
    files = MemoryFileStore()
    store, _ = bench(files)
    assert store.load_state("parameters") is None
    for value in range(40):
        store.store_state("parameters", b"%d" % value)
        put(store, value + 1, 5000)
        store.commit(0)
    assert len(files.names()) > 2
    store, _ = bench(files.power_cut())
    assert store.load_state("parameters") == b"39"
    store.close()
    for path in tmp_path.glob("index*"):
        path.unlink()
    store, _ = bench(files.power_cut())
    assert store.load_state("parameters") == b"39"


@pytest.mark.parametrize("damage", ["garbage", "missing"])
def test_a_lost_index_is_rebuilt_from_the_log_and_everything_is_asked_about(
    bench, tmp_path, damage
):
    files = MemoryFileStore()
    store, _ = bench(files)
    for product_id in range(1, 20):
        put(store, product_id, 5000)
    store.commit(0)
    store.close()
    for path in tmp_path.glob("index*"):
        path.unlink()
    if damage == "garbage":
        (tmp_path / "index.sqlite3").write_bytes(b"this is no database" * 300)
    store, found = bench(files)
    assert [item.product.product_id for item in found] == list(range(1, 20))
    assert {item.state for item in found} == {ProductState.SENDING}
    assert store.counters.index_rebuilt == 1
    assert store.counters.records_unindexed == 19
    assert store.read(7, 0, 5000) == payload_of(7, 5000)
    store, found = bench(files)
    assert len(found) == 19
    assert store.counters.index_rebuilt == 0


def test_products_of_a_lost_segment_are_counted_and_not_offered(bench):
    files = MemoryFileStore()
    store, _ = bench(files)
    put(store, 1, 60_000)
    put(store, 2, 60_000)
    store.commit(0)
    files.unlink("segment-0000000001.log")
    files.fsync_dir()
    store, found = bench(files.power_cut())
    assert [item.product.product_id for item in found] == [2]
    assert store.counters.records_damaged == 1


def test_an_index_that_cannot_be_opened_is_a_store_error(tmp_path):
    (tmp_path / "index.sqlite3").mkdir()
    with pytest.raises(StoreError) as caught:
        ProductStore(MemoryFileStore(), tmp_path / "index.sqlite3")
    assert caught.value.kind is StoreErrorKind.INDEX


def test_the_index_is_a_plain_database_with_full_durability(bench, tmp_path):
    store, _ = bench(MemoryFileStore())
    put(store, 1)
    store.commit(0)
    assert store._writer._engine._index._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._writer._engine._index._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
    with sqlite3.connect(tmp_path / "index.sqlite3") as db:
        assert db.execute("SELECT id, state FROM products").fetchall() == [(1, 0)]
    db.close()


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_product_store_sqlite import *
folder = Path(sys.argv[1])
store = ProductStore(FolderStore(folder / "segments"), folder / "index.sqlite3",
                     segment_bytes=SEGMENT)
store.recover()
while True:
    start = store.reserve_counter("id", 8)
    for product_id in range(start, start + 8):
        put(store, product_id, 500 + product_id % 700)
    for product_id in store.commit(0).durable:
        sys.stdout.write(f"{{product_id}}\\n")
    sys.stdout.flush()
"""


@pytest.mark.slow
def test_no_acknowledged_product_is_lost_by_sigkill(tmp_path):
    script = CHILD.format(path=[str(Path(__file__).parent), str(Path.cwd())])
    acknowledged: set[int] = set()
    for round_no in range(15):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
        lines = [child.stdout.readline() for _ in range(3 + 5 * (round_no % 4))]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().split(b"\n")  # what was told before it died counts as well
        child.stdout.close()
        child.wait()
        told = {int(line) for line in lines[:-1] if line.strip()}
        assert told, "the child never got to work"
        assert not told & acknowledged, "an identity was used twice"
        acknowledged |= told
    store = ProductStore(
        FolderStore(tmp_path / "segments"), tmp_path / "index.sqlite3", segment_bytes=SEGMENT
    )
    try:
        found = {item.product.product_id: item.product for item in store.recover()}
        assert acknowledged <= found.keys()
        for product_id, product in found.items():
            content = store.read(product_id, 0, product.size_bytes)
            assert content == payload_of(product_id, product.size_bytes)
            assert product == product_of_size(product_id, product.size_bytes)
    finally:
        store.close()
