"""One contract for both writers; and what a thread alone can do: die, hang, be late."""

import sqlite3
import threading
import time

import pytest

from flight.downlink.durable_counters import counter_reserve
from flight.downlink.file_store import FolderStore
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.store_request import WriteRequest
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.downlink.store_writer import InlineWriter
from flight.downlink.writer_thread import WriterThread
from flight.wire.counter_reserve import CounterWaits

from test_product_store_sqlite import payload_of, product_of_size, put  # isort: skip

WAIT_S = 20


class HangingFiles(MemoryFileStore):
    """A medium whose sync returns when it is told to."""

    def __init__(self):
        super().__init__()
        self.answers = threading.Event()
        self.answers.set()

    def fdatasync(self, handle):
        assert self.answers.wait(WAIT_S)
        super().fdatasync(handle)


@pytest.fixture(params=["inline", "thread"])
def writer(request):
    return InlineWriter() if request.param == "inline" else WriterThread(time.monotonic_ns)


@pytest.fixture
def open_store(tmp_path):
    opened = []

    def make(files, writer):
        opened.append(
            ProductStore(files, tmp_path / "index.sqlite", segment_bytes=1 << 16, writer=writer)
        )
        return opened[-1], opened[-1].recover()

    yield make
    for store in opened:
        store.close()


def until(condition, store):
    """Polls as a loop would."""
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        store.poll()
        time.sleep(0.001)


def test_whatever_settled_is_there_after_a_power_cut(open_store, writer, tmp_path):
    files = MemoryFileStore()
    store, _ = open_store(files, writer)
    for product_id in range(1, 50):
        put(store, product_id)
    store.submit()
    store.store_counter("iv", 512)
    store.store_state("parameters", b"blob")
    store.settle()
    assert store.take_settled().durable == list(range(1, 50))
    assert (store.durable_mark, store.durable_counter("iv")) == (store.mark, 512)
    store.close()
    again, found = open_store(files.power_cut(), InlineWriter())
    assert [each.product for each in found] == [product_of_size(i) for i in range(1, 50)]
    assert again.load_counter("iv") == 512
    assert again.load_state("parameters") == b"blob"
    assert again.read(7, 0, 1000) == payload_of(7, 1000)


def test_what_the_engine_cannot_open_is_raised_where_it_was_asked_for(tmp_path, writer):
    (tmp_path / "index.sqlite").mkdir()
    with pytest.raises(StoreError) as caught:
        ProductStore(MemoryFileStore(), tmp_path / "index.sqlite", writer=writer)
    assert caught.value.kind is StoreErrorKind.INDEX
    writer.stop()


def test_a_failed_medium_is_told_and_refuses_everything_from_then_on(open_store, writer):
    files = MemoryFileStore()
    store, _ = open_store(files, writer)
    files.sync_fails = True
    put(store, 1)
    store.submit()
    store.settle()
    with pytest.raises(StoreError) as caught:
        store.take_settled()
    assert caught.value.kind is StoreErrorKind.SYNC
    assert store.closed
    beats = store.beats
    with pytest.raises(StoreError) as caught:
        store.store_counter("iv", 5)
    assert caught.value.kind is StoreErrorKind.CLOSED
    assert store.beats == beats, "a store that has failed shows no sign of life"


def test_no_sync_ever_happens_on_the_thread_of_the_loop(open_store, monkeypatch, tmp_path):
    """Segments through `FolderStore`, index through SQLite; the loop only asks."""
    threads = set()

    def spied(self, handle, was=FolderStore.fdatasync):
        threads.add(threading.current_thread())
        was(self, handle)

    monkeypatch.setattr(FolderStore, "fdatasync", spied)
    store, _ = open_store(FolderStore(tmp_path / "s"), WriterThread(time.monotonic_ns))
    put(store, 1)
    store.submit()
    until(lambda: store.durable_mark == store.mark, store)
    assert threads == {store._writer._thread}
    with pytest.raises(sqlite3.ProgrammingError):  # connected where it is used, and nowhere else
        store._writer._engine._index._db.execute("SELECT 1")


def test_asking_never_waits_for_a_medium_that_hangs_and_its_heart_stands_still(open_store):
    files = HangingFiles()
    store, _ = open_store(files, WriterThread(time.monotonic_ns))
    files.answers.clear()
    put(store, 1)
    store.submit()
    store.store_counter("iv", 5, urgent=True)
    until(lambda: not store._writer._inbox, store)
    time.sleep(0.05)  # it has begun to wait
    beats = store.beats
    for value in range(6, 60):
        store.store_counter("iv", value)
    store.tend()
    time.sleep(0.6)
    assert store.beats == beats
    assert (store.durable_mark, store.durable_counter("iv")) == (0, 0)
    assert store.take_settled().durable == []
    files.answers.set()
    until(lambda: store.durable_mark == store.mark, store)
    assert store.durable_counter("iv") == 59
    assert store.take_settled().durable == [1]


def test_a_medium_that_hangs_refuses_products_before_it_eats_the_memory(open_store, monkeypatch):
    monkeypatch.setattr("flight.downlink.product_store_sqlite.WAITING_BYTES_MAX", 10_000)
    files = HangingFiles()
    store, _ = open_store(files, WriterThread(time.monotonic_ns))
    files.answers.clear()
    for product_id in range(1, 11):
        put(store, product_id)
        store.submit()
    with pytest.raises(StoreError) as caught:
        put(store, 11)
    assert caught.value.kind is StoreErrorKind.FULL
    assert store.products == 10
    files.answers.set()
    until(lambda: store.durable_mark == store.mark, store)
    put(store, 11)


def test_writes_that_come_together_share_a_sync(open_store):
    files = HangingFiles()
    store, _ = open_store(files, WriterThread(time.monotonic_ns))
    store.store_counter("first", 1)
    store.settle()
    files.answers.clear()
    store.store_counter("iv", 1, urgent=True)
    until(lambda: not store._writer._inbox, store)
    before = files.syncs
    for value in range(2, 32):
        store.store_counter("iv", value)
    files.answers.set()
    until(lambda: store.durable_mark == store.mark, store)
    assert files.syncs - before <= 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_dies_is_told_and_nobody_waits_for_it(open_store):
    store, _ = open_store(MemoryFileStore(), WriterThread(time.monotonic_ns))

    def dies(_requests):
        raise SystemError("a fault of the software")

    store._writer._engine.write = dies
    store.store_counter("iv", 5, urgent=True)
    until(lambda: store.closed, store)
    with pytest.raises(StoreError) as caught:
        store.take_settled()
    assert caught.value.kind is StoreErrorKind.CLOSED
    assert store.durable_counter("iv") == 0


def test_numbers_are_asked_for_ahead_and_none_is_given_before_it_is_durable(open_store):
    files = HangingFiles()
    store, _ = open_store(files, WriterThread(time.monotonic_ns))
    files.answers.clear()
    reserve = counter_reserve(store, "iv", 16)
    assert not reserve.ready()
    with pytest.raises(CounterWaits):
        reserve.take()
    files.answers.set()
    until(reserve.ready, store)
    assert [reserve.take() for _ in range(8)] == list(range(1, 9))
    files.answers.clear()
    assert [reserve.take() for _ in range(8)] == list(range(9, 17)), "half a block was left"
    assert not reserve.ready()
    files.answers.set()
    until(reserve.ready, store)
    assert reserve.take() == 17


def test_an_inline_writer_answers_within_the_call():
    class Engine:
        def write(self, requests):
            return [each.mark for each in requests]

    writer = InlineWriter()
    writer.start(Engine)
    writer.submit(WriteRequest(mark=1, tend=True))
    assert writer.poll() == [1]
    assert writer.poll() is None
    assert writer.beats == 1
