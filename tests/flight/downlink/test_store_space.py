"""On a full medium products are refused and counters are not."""

import errno
import sqlite3

import pytest

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import Product, ProductClass
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import RecordKind
from flight.downlink.store_space import (
    RESERVE_NAME,
    SMALL_SEGMENT_BYTES,
    DurableNames,
    StoreSpace,
    is_full,
)
from flight.wire.crc import crc32c
from tests.flight.downlink.plain_scan import scan

SEGMENT = 1 << 18
NAMES = DurableNames({"iv": 7}, {"parameters": b"blob"})


def space_of(files, capacity_bytes=1 << 40, reserve_bytes=SEGMENT):
    log = SegmentLog(files, SEGMENT)
    return log, StoreSpace(files, log, capacity_bytes, reserve_bytes)


def fill(log, space):
    """Products until the medium takes no more; how many went in."""
    count = 0
    while True:
        try:
            space.for_product(NAMES, 0, SEGMENT // 4)
        except OSError as error:
            if not is_full(error):
                raise
            return count
        log.append(RecordKind.PRODUCT, 1, b"", bytes(SEGMENT // 4))
        count += 1


def test_the_reserve_is_as_large_as_asked_for_and_found_again():
    files = MemoryFileStore()
    _, space = space_of(files)
    assert not space.held
    space.hold()
    space.hold()
    assert files.names() == [RESERVE_NAME]
    assert files.size_bytes(files.open(RESERVE_NAME)) == SEGMENT
    assert space_of(files)[1].held


def test_without_a_reserve_nothing_is_held_back():
    files = MemoryFileStore()
    _, space = space_of(files, reserve_bytes=0)
    space.hold()
    assert space.held
    assert files.names() == []
    assert not space.give_up()


def test_a_reserve_that_finds_no_room_leaves_nothing_behind():
    files = MemoryFileStore(capacity_bytes=SEGMENT - 1)
    _, space = space_of(files)
    with pytest.raises(OSError, match="No space"):
        space.hold()
    assert files.names() == []


def test_products_never_take_the_room_of_the_reserve():
    files = MemoryFileStore(capacity_bytes=3 * SEGMENT)
    log, space = space_of(files)
    fill(log, space)
    assert len(log.segments) == 2
    assert space.held
    assert space.give_up()
    assert not space.give_up()
    assert fill(log, space) == 0, "a product got the segment that the reserve had been"
    assert len(log.segments) == 2


def test_a_counter_finds_room_where_a_product_finds_none():
    files = MemoryFileStore(capacity_bytes=3 * SEGMENT)
    log, space = space_of(files)
    fill(log, space)
    while log.fits(2, 0):
        log.append(RecordKind.COUNTER, 8, b"iv", b"")
    space.for_name(NAMES, 2, 0)
    assert log.fits(2, 0)
    assert not space.held
    assert log.allocated_bytes == 2 * SEGMENT + SMALL_SEGMENT_BYTES
    assert [r.kind for r in scan(log, log.active)] == [RecordKind.COUNTER, RecordKind.STATE]


def test_the_cap_stops_products_and_not_counters_and_costs_no_reserve():
    files = MemoryFileStore()
    log, space = space_of(files, capacity_bytes=SEGMENT)
    fill(log, space)
    while log.fits(2, 0):
        log.append(RecordKind.COUNTER, 8, b"iv", b"")
    space.for_name(NAMES, 2, 0)
    assert space.held
    assert log.allocated_bytes == SEGMENT + SMALL_SEGMENT_BYTES


def test_an_error_that_is_no_lack_of_room_is_passed_on_at_once():
    _, space = space_of(MemoryFileStore())
    space.hold()

    def broken():
        raise OSError(errno.EIO, "broken")

    with pytest.raises(OSError, match="broken"):
        space.insist(broken)
    assert space.held


def full_index(*_):
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def test_a_full_index_gets_the_reserves_room_and_one_more_try():
    _, space = space_of(MemoryFileStore())
    space.hold()

    def write():
        if space.held:
            full_index()
        return "written"

    assert space.insist(write) == "written"
    assert not space.held
    with pytest.raises(sqlite3.OperationalError):
        space.insist(full_index)


@pytest.fixture
def open_store(tmp_path):
    opened = []

    def make(files):
        while opened:
            opened.pop().close()
        store = ProductStore(
            files, tmp_path / "index.sqlite", segment_bytes=SEGMENT, reserve_bytes=SEGMENT
        )
        opened.append(store)
        return store, store.recover()

    yield make
    for store in opened:
        store.close()


def put(store, product_id, size):
    payload = bytes([product_id % 256]) * size
    klass, crc = ProductClass.MASK, crc32c(payload)
    store.put(Product(product_id, klass, size, 5, None, 0, crc, f"p{product_id}"), payload)


def put_until_full(store, first_id):
    """What became durable, and the product that was refused."""
    kept = []
    for product_id in range(first_id, first_id + 100):
        put(store, product_id, 70_000)
        settled = store.commit(0)
        kept += settled.durable
        if settled.refused == [product_id]:
            return kept, product_id
    raise AssertionError("the medium never was full")


def test_a_node_on_a_full_medium_starts_and_counts_as_often_as_it_likes(open_store):
    files = MemoryFileStore(capacity_bytes=4 * SEGMENT)
    store, _ = open_store(files)
    kept, refused = put_until_full(store, 1)
    for start in range(1, 30):
        store, found = open_store(files.power_cut() if start % 2 else files)
        assert [each.product.product_id for each in found] == kept
        store.store_counter("node.starts", start)
        for value in range(start * 1000, start * 1000 + 20):
            store.store_counter("iv", value)
        store.store_state("parameters", b"x" * 500)
        assert put_until_full(store, refused) == ([], refused)
        files = store._payloads._reader._files
    assert store.load_counter("node.starts") == 29
    assert store.load_counter("iv") == 29_019


def test_products_go_on_when_the_medium_has_room_again(open_store):
    files = MemoryFileStore(capacity_bytes=3 * SEGMENT)
    store, _ = open_store(files)
    kept, refused = put_until_full(store, 1)
    store.mark_delivered(kept)
    store.commit(0)
    store.commit(0)
    put(store, refused, 70_000)
    assert store.commit(0).durable == [refused]
    assert store.read(refused, 0, 8) == bytes([refused]) * 8


def test_all_names_are_written_and_take_the_room_they_announced():
    names = DurableNames({"iv": 5, "frames": (1 << 64) - 1}, {"parameters": b"x" * 100})
    log = SegmentLog(MemoryFileStore(), 8)
    log.roll(0, names.record_bytes())
    names.append_to(log)
    assert log.allocated_bytes - log._end < 32
    found = [(r.kind, r.meta, r.identity, r.payload) for r in scan(log, 1)]
    assert found == [
        (RecordKind.COUNTER, b"frames", (1 << 64) - 1, b""),
        (RecordKind.COUNTER, b"iv", 5, b""),
        (RecordKind.STATE, b"parameters", 0, b"x" * 100),
    ]
    assert DurableNames().record_bytes() == 0


def test_a_segment_beyond_the_capacity_is_refused_as_a_full_medium():
    log = SegmentLog(MemoryFileStore(), 1000)
    log.roll(0, 0, capacity_bytes=2000)
    log.roll(0, 900, capacity_bytes=2000)
    with pytest.raises(OSError, match="of 2000 B") as caught:
        log.roll(0, 0, capacity_bytes=2000)
    assert caught.value.errno == errno.ENOSPC
    assert log.segments == (1, 2)
