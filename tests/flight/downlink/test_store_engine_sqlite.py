"""The writer's side of the store: what is synced when, and how far the index may lag behind."""

import contextlib
import shutil
import sqlite3

import pytest

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import Product, ProductClass
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import Place
from flight.downlink.segment_tending import SegmentRoom
from flight.downlink.store_engine_sqlite import ROWS_MAX
from flight.downlink.store_index_sqlite import IndexBatch, IndexRow, StoreIndex
from flight.downlink.store_request import PutRecord, WriteRequest
from flight.downlink.store_values import ProductState, StoreErrorKind
from flight.wire.crc import crc32c

PAYLOAD = b"x" * 40


class Index:
    """Counts the index's transactions of one store."""

    def __init__(self, tmp_path, monkeypatch):
        self.path, self.written, self.files = tmp_path / "index.sqlite3", 0, MemoryFileStore()
        real = StoreIndex.write

        def write(index, batches):
            self.written += 1
            real(index, batches)

        monkeypatch.setattr(StoreIndex, "write", write)

    def open(self):
        store = ProductStore(self.files, self.path, segment_bytes=1 << 20, device_sync=False)
        found = store.recover()
        self.written = 0
        return store, found

    def after_a_power_cut(self):
        """Opens what is left of both: the first store still holds its own."""
        self.files = self.files.power_cut()
        left = self.path.with_name("left.sqlite3")
        for suffix in ("", "-wal"):
            if (there := self.path.with_name(self.path.name + suffix)).exists():
                shutil.copy(there, left.with_name(left.name + suffix))
        self.path = left
        return self.open()

    def rows(self):
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return [row[0] for row in db.execute("SELECT id FROM products ORDER BY id")]


@pytest.fixture
def index(tmp_path, monkeypatch):
    return Index(tmp_path, monkeypatch)


def put(store, product_id):
    store.put(
        Product(product_id, ProductClass.MASK, 40, 5, None, 0, crc32c(PAYLOAD), f"p{product_id}"),
        PAYLOAD,
    )
    return store.commit(0).durable


def test_a_new_product_or_number_costs_one_sync_and_no_transaction_of_the_index(index):
    store, _ = index.open()
    syncs = index.files.syncs
    for product_id in range(1, 11):
        assert put(store, product_id) == [product_id]
        store.store_counter("iv", product_id)
        store.store_state("mode", b"%d" % product_id)
    assert index.files.syncs == syncs + 30
    assert index.written == 0
    store.close()


def test_whatever_the_log_does_not_tell_takes_everything_put_off_along(index):
    store, _ = index.open()
    put(store, 1)
    store.mark_sending([1])
    store.commit(0)
    assert index.written == 1
    put(store, 2)
    store.mark_acked_ranges(2, [(0, 10)])
    store.commit(0)
    assert index.written == 2
    store.mark_delivered([1])
    store.commit(0)
    assert index.written == 3
    store.close()
    assert index.rows() == [1, 2]


def test_the_index_lags_by_a_bounded_number_of_records(index):
    store, _ = index.open()
    for product_id in range(1, ROWS_MAX + 1):
        put(store, product_id)
    assert 1 <= index.written <= 2
    store.close()


def test_an_end_in_order_leaves_nothing_put_off(index):
    store, _ = index.open()
    put(store, 7)
    store.close()
    assert index.rows() == [7]
    store, found = index.open()
    assert [(each.product.product_id, each.announced) for each in found] == [(7, True)]
    store.close()


def test_after_a_power_cut_the_log_tells_what_the_index_had_not_yet(index):
    store, _ = index.open()
    put(store, 1)
    store.store_state("mode", b"old")
    store.store_counter("iv", 64)
    store.mark_sending([1])
    store.commit(0)  # in the index so far
    put(store, 2)
    store.store_state("mode", b"new")
    store.store_counter("iv", 128)
    again, found = index.after_a_power_cut()
    assert [(each.product.product_id, each.state) for each in found] == [
        (1, ProductState.SENDING),
        (2, ProductState.NEW),
    ]
    assert again.load_state("mode") == b"new"
    assert again.load_counter("iv") == 128
    again.close()
    store.close()


def test_why_a_product_was_given_up_is_kept_when_one_transaction_tells_its_end_as_well(tmp_path):
    index = StoreIndex(tmp_path / "index.sqlite3", device_sync=False)
    batch = IndexBatch(rows=[IndexRow(1, Place(1, 0), b"m", ProductState.NEW, b"")])
    batch.set_state(1, ProductState.FREED, "evicted")
    batch.set_state(1, ProductState.FREED, None)
    index.write([batch])
    index.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "index.sqlite3")) as db:
        rows = db.execute("SELECT id, state, reason FROM products").fetchall()
    assert rows == [(1, ProductState.FREED, "evicted")]


def test_segments_are_looked_through_only_when_one_may_have_died(tmp_path, monkeypatch):
    looks = []

    def looked(_room, segment):
        looks.append(segment)
        return 1

    monkeypatch.setattr(SegmentRoom, "alive_bytes", looked)
    files = MemoryFileStore()
    store = ProductStore(files, tmp_path / "i", segment_bytes=4_096, device_sync=False)
    store.recover()
    for product_id in range(1, 121):
        put(store, product_id)
    full = len(files.names()) - 1
    assert full >= 3
    assert len(looks) == full * (full + 1) / 2, "a new segment: once, at all before it"
    store.close()


def no_room(*_):
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


@pytest.mark.parametrize("first", ["tend", "rewrites"])
def test_a_group_that_meets_a_full_index_at_its_beginning_is_in_the_log_all_the_same(
    tmp_path, monkeypatch, first
):
    files = MemoryFileStore()
    store = ProductStore(files, tmp_path / "i", segment_bytes=1 << 20, device_sync=False)
    store.recover()
    put(store, 1)
    put(store, 2)
    engine = store._writer._engine
    request = WriteRequest(
        mark=store.mark + 1, counters={"iv": 64}, states={2: (ProductState.DELIVERED, None)}
    )
    manifest = store._payloads._reader.record(store.catalogue.find(1).place).meta
    if first == "tend":
        request.tend = True
    else:
        request.rewrites.append(PutRecord(1, manifest, PAYLOAD))
    with monkeypatch.context() as full:
        full.setattr(StoreIndex, "write", no_room)
        outcome = engine.write([request])
        assert (outcome.mark, outcome.error) == (store.mark, StoreErrorKind.FULL)
    outcome = engine.write([WriteRequest(mark=store.mark + 2, counters={"starts": 1})])
    assert (outcome.mark, outcome.error) == (store.mark + 2, None)
    store.close()
    again = ProductStore(
        files.power_cut(), tmp_path / "i", segment_bytes=1 << 20, device_sync=False
    )
    found = again.recover()
    assert again.load_counter("iv") == 64, "or a number is used twice"
    assert [each.product.product_id for each in found] == [1]
    assert again.read(1, 0, 40) == PAYLOAD
    again.close()


def test_a_record_written_again_twice_leaves_its_former_segment_once(tmp_path):
    files = MemoryFileStore()
    store = ProductStore(files, tmp_path / "i", segment_bytes=4_096, device_sync=False)
    store.recover()
    for product_id in range(1, 80):
        put(store, product_id)
    first = [row for row in store.catalogue.rows() if row.place.segment == 1]
    (lost, *others), engine = first, store._writer._engine
    manifest = store._payloads._reader.record(lost.place).meta
    alive_bytes = engine._room.alive_bytes(1)
    again = [PutRecord(lost.product_id, manifest, PAYLOAD)] * 2
    outcome = engine.write([WriteRequest(mark=store.mark + 1, rewrites=again)])
    assert outcome.moved[lost.product_id].segment > 1
    assert engine._room.alive_bytes(1) == alive_bytes - lost.record_bytes
    assert engine._room.alive_bytes(1) == sum(row.record_bytes for row in others)
    store.close()


def test_a_counter_is_never_lowered_by_a_request_that_comes_late(tmp_path):
    store = ProductStore(MemoryFileStore(), tmp_path / "i", device_sync=False)
    store.recover()
    engine = store._writer._engine
    engine.write([WriteRequest(mark=1, counters={"iv": 20})])
    engine.write([WriteRequest(mark=2, counters={"iv": 10})])
    store.close()
    again = ProductStore(store._payloads._reader._files, tmp_path / "i", device_sync=False)
    again.recover()
    assert again.load_counter("iv") == 20
    again.close()


@pytest.fixture
def sparse(tmp_path):
    """A store that was full and has few survivors, and who they are."""
    store = ProductStore(
        MemoryFileStore(),
        tmp_path / "i",
        segment_bytes=4_096,
        capacity_bytes=8 * 4_096,
        device_sync=False,
    )
    store.recover()
    product_id = 0
    while not product_id or product_id in store.catalogue:
        product_id += 1
        put(store, product_id)
    kept = list(range(1, product_id, 9))
    store.mark_delivered(set(range(1, product_id)) - set(kept))
    store.commit(0)
    store.commit(0)
    yield store, kept
    store.close()


def test_whoever_reads_beside_finds_every_record_at_any_moment(sparse, monkeypatch):
    """A survivor's old segment goes only when it was told where the survivor is."""
    store, kept = sparse
    freed, free = [], SegmentLog.free

    def looked(log, segment):
        free(log, segment)
        freed.append(segment)
        for each in kept:
            assert store.describe(each) is not None
            store._payloads.forget(each)
            assert store.read(each, 0, 40) == PAYLOAD

    monkeypatch.setattr(SegmentLog, "free", looked)
    for _ in range(8):
        store._payloads.close()  # no handle is kept
        store.tend()
    assert store.counters.records_damaged == 0


def test_what_survivors_have_left_is_given_back_with_the_next_commit(sparse):
    store, _ = sparse
    for _ in range(4):
        room_moved = store.counters.moved_bytes
        store.tend()
        assert store.counters.moved_bytes > room_moved, "what is empty already is no victim"
    assert store.counters.segments_freed == 3
    store.store_counter("iv", 1)
    assert store.counters.segments_freed == 4


@pytest.mark.parametrize("ask", [ProductStore.describe, lambda store, i: store.read(i, 0, 40)])
def test_who_asks_for_a_product_that_was_moved_meanwhile_is_given_it(sparse, ask):
    """Nobody has taken over yet what the writer did."""
    store, kept = sparse
    before = {each: store.catalogue.find(each).place for each in kept}
    store._payloads.close()
    for _ in range(4):
        store._writer.submit(WriteRequest(mark=store.mark, tend=True))
    segments = store._writer._engine._log.segments
    gone = [each for each in kept if before[each].segment not in segments]
    assert gone, "control: segments went"
    assert store.catalogue.find(gone[0]).place == before[gone[0]], "control: not known yet"
    assert ask(store, gone[0])
    assert store.catalogue.find(gone[0]).place != before[gone[0]]
    assert store.counters.records_damaged == 0
