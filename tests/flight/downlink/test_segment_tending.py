"""Survivors are moved together, rot is found; a bounded piece a step, and a cut loses nothing."""

import errno

import pytest

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.segment_record import HEADER_BYTES
from flight.downlink.segment_tending import LOST_MAX, MOVE_BYTES, SCRUB_BYTES
from flight.downlink.store_values import StoreError, StoreErrorKind

from test_product_store_sqlite import payload_of, put  # isort: skip

SEGMENT = 1 << 16
CAP = 8 * SEGMENT
SIZE = 9_000


@pytest.fixture
def open_store(tmp_path):
    opened = []

    def make(files, **options):
        while opened:
            opened.pop().close()
        options = {"segment_bytes": SEGMENT, "capacity_bytes": CAP} | options
        opened.append(ProductStore(files, tmp_path / "index.sqlite", **options))
        return opened[-1], list(opened[-1].recover())

    yield make
    for store in opened:
        store.close()


def filled(store, *, keep_every):
    """Products until the cap, then all but every so many are delivered; those that stay."""
    ids = []
    while True:
        put(store, len(ids) + 1, SIZE)
        ids.append(len(ids) + 1)
        if store.commit(0).refused:
            break
    kept = ids[:-1:keep_every]
    store.mark_delivered(set(ids[:-1]) - set(kept))
    store.commit(0)
    store.commit(0)
    return kept


def rot(files, store, product_id):
    place = store.catalogue.find(product_id).place
    handle = files.open(f"segment-{place.segment:010d}.log")
    files.pwrite(handle, b"\xff\xfe", place.offset + HEADER_BYTES + 60)
    files.fdatasync(handle)


def test_survivors_in_every_segment_do_not_make_a_store_full(open_store):
    files = MemoryFileStore()
    store, _ = open_store(files)
    kept = filled(store, keep_every=7)
    assert store.counters.segments_freed == 0, "one survivor holds each segment"
    for _ in range(CAP // SEGMENT):
        store.tend()
    assert store.counters.segments_freed >= CAP // SEGMENT // 2
    for product_id in kept:
        assert store.read(product_id, 0, SIZE) == payload_of(product_id, SIZE)
    put(store, 1_000, SIZE)
    assert store.commit(0).durable == [1_000]
    store, found = open_store(files.power_cut())
    assert [each.product.product_id for each in found] == [*kept, 1_000]
    assert store.counters.records_unindexed == 0
    for product_id in kept:
        assert store.read(product_id, 0, SIZE) == payload_of(product_id, SIZE)


def test_without_tending_the_same_store_is_full(open_store):
    """Control: were the store not full here, the test above would prove nothing."""
    store, _ = open_store(MemoryFileStore())
    filled(store, keep_every=7)
    put(store, 1_000, SIZE)
    assert store.commit(0).refused == [1_000]


def test_a_store_with_room_moves_nothing(open_store):
    store, _ = open_store(MemoryFileStore(), capacity_bytes=64 * CAP)
    for product_id in range(1, 50):
        put(store, product_id, SIZE)
    store.mark_delivered(store.commit(0).durable[1:])
    store.commit(0)
    store.commit(0)
    for _ in range(20):
        store.tend()
    assert store.counters.moved_bytes == 0


def test_a_product_that_went_after_it_was_moved_never_comes_back(open_store):
    """Its first record still lies in a segment that others hold."""
    files = MemoryFileStore()
    store, _ = open_store(files)
    kept = filled(store, keep_every=7)
    while store.counters.moved_bytes == 0:
        store.tend()
    store.mark_delivered(kept)
    store.commit(0)
    store.commit(0)
    for boot in range(3):
        store, found = open_store(files.power_cut())
        assert found == []
        put(store, 2_000 + boot, SIZE)
        store.mark_delivered(store.commit(0).durable)
        store.commit(0)
        store.commit(0)
        files = store._payloads._reader._files


def test_one_step_moves_and_verifies_a_bounded_piece(open_store):
    store, _ = open_store(
        MemoryFileStore(), segment_bytes=4 * MOVE_BYTES, capacity_bytes=16 * MOVE_BYTES
    )
    for product_id in range(1, 1_500):
        put(store, product_id, SIZE)
    store.mark_delivered(store.commit(0).durable[::2])
    store.commit(0)
    store.commit(0)
    for _ in range(12):
        before = store.counters.moved_bytes, store.counters.scrubbed_bytes
        store.tend()
        assert store.counters.moved_bytes - before[0] < MOVE_BYTES + 2 * SIZE
        assert store.counters.scrubbed_bytes - before[1] < SCRUB_BYTES + 2 * SIZE
    assert store.counters.moved_bytes > MOVE_BYTES


def test_rot_is_found_in_passing_and_costs_the_product_alone(open_store):
    files = MemoryFileStore()
    store, _ = open_store(files)
    for product_id in range(1, 30):
        put(store, product_id, SIZE)
    store.commit(0)
    rot(files, store, 17)
    damaged = []
    for _ in range(10):
        store.tend()
        damaged += store.take_settled().damaged
    assert set(damaged) == {17}
    assert store.counters.records_damaged >= 1
    store.delete(17, "damaged on the store")
    store.commit(0)
    before = store.counters.records_damaged
    for _ in range(10):
        store.tend()
    assert store.counters.records_damaged == before
    with pytest.raises(StoreError) as caught:
        store.read(17, 0, 1)
    assert caught.value.kind is StoreErrorKind.UNKNOWN


def test_rot_is_mended_while_the_bytes_are_still_known(open_store):
    files = MemoryFileStore()
    store, _ = open_store(files)
    for product_id in range(1, 10):
        put(store, product_id, SIZE)
    store.commit(0)
    store.read(5, 0, 1)
    rot(files, store, 5)
    store.tend()
    assert store.commit(0).repaired == [5]
    assert store.counters.records_repaired == 1
    store, found = open_store(files.power_cut())
    assert len(found) == 9
    assert store.read(5, 0, SIZE) == payload_of(5, SIZE)


@pytest.fixture
def bad_sector(monkeypatch):
    """Reads that touch the middle of this record fail."""
    bad, pread = [], MemoryFileStore.pread

    def read(files, handle, length, offset):
        for place in bad:
            touched = offset <= place.offset + SIZE // 2 < offset + length
            name = f"segment-{place.segment:010d}.log"
            if touched and files._handles[handle] is files._names[name]:
                raise OSError(errno.EIO, "bad sector")
        return pread(files, handle, length, offset)

    monkeypatch.setattr(MemoryFileStore, "pread", read)
    return bad.append


def test_a_sector_that_cannot_be_read_costs_what_lies_in_it_and_not_the_store(
    open_store, bad_sector
):
    store, _ = open_store(MemoryFileStore())
    for product_id in range(1, 20):
        put(store, product_id, SIZE)
    store.commit(0)
    bad_sector(store.catalogue.find(7).place)
    damaged = []
    for _ in range(10):
        store.tend()
        damaged += store.take_settled().damaged
    assert set(damaged) == {7}
    assert not store.closed
    put(store, 20, SIZE)
    assert store.commit(0).durable == [20]


def test_survivors_leave_a_segment_one_of_whose_sectors_cannot_be_read(open_store, bad_sector):
    store, _ = open_store(MemoryFileStore())
    kept = filled(store, keep_every=3)
    bad_sector(store.catalogue.find(kept[0]).place)
    before = store.catalogue.find(kept[1]).place
    assert before.segment == store.catalogue.find(kept[0]).place.segment
    damaged = []
    for _ in range(2 * CAP // SEGMENT):
        store.tend()
        damaged += store.take_settled().damaged
    assert set(damaged) == {kept[0]}
    assert store.catalogue.find(kept[1]).place.segment > before.segment
    assert not store.closed


@pytest.mark.parametrize("keep_every", [1, 3], ids=["verified", "moved"])
def test_a_medium_that_answers_nothing_for_a_moment_costs_a_few_products_and_not_a_segment(
    open_store, monkeypatch, keep_every
):
    store, _ = open_store(MemoryFileStore())
    for product_id in range(1, 151):
        put(store, product_id, 2_000)
    durable = store.commit(0).durable
    kept = durable[::keep_every]
    store.mark_delivered(set(durable) - set(kept))
    store.commit(0)
    store.commit(0)

    def silent(*_):
        raise OSError(errno.EIO, "no answer")

    with monkeypatch.context() as gone:
        gone.setattr(MemoryFileStore, "pread", silent)
        store.tend()
    damaged = set(store.take_settled().damaged)
    assert 0 < len(damaged) <= LOST_MAX
    for _ in range(20):
        store.tend()
    assert store.take_settled().damaged == []
    assert all(store.read(each, 0, 1) for each in kept)


def test_found_lost_by_a_move_and_by_the_scrub_at_once_it_is_mended_once(open_store):
    files = MemoryFileStore()
    store, _ = open_store(files)
    for product_id in range(1, 36):
        put(store, product_id, SIZE)
    store.mark_delivered(set(store.commit(0).durable) - set(range(1, 36, 7)))
    store.commit(0)
    store.commit(0)
    store.read(1, 0, 1)
    rot(files, store, 1)
    store.tend()
    assert store.commit(0).repaired == [1]
    assert store.counters.records_damaged == 1
    assert store.read(1, 0, SIZE) == payload_of(1, SIZE)
