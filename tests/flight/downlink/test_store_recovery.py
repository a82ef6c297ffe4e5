"""The scanner in C finds what the one in plain words finds, whatever became of the log."""

from __future__ import annotations

import errno
import sqlite3

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.downlink import store_recovery
from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import density_key, product_of
from flight.downlink.product_catalogue import ProductCatalogue, row_of
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import Place, RecordKind, encode_record
from flight.downlink.store_engine_sqlite import open_index
from flight.downlink.store_index_sqlite import IndexBatch, IndexRow, StoreIndex
from flight.downlink.store_recovery import KnownIndex, LogReplay, load_index
from flight.downlink.store_request import decode_ranges, encode_ranges
from flight.downlink.store_values import ProductState
from flight.wire.errors import WireError
from flight.wire.product_packet import (
    Manifest,
    Producer,
    ProductClass,
    decode_manifest_packet,
    encode_manifest,
)
from tests.flight.downlink.plain_scan import scan

SEGMENT = 4096
TIMES = st.integers(-(1 << 63), (1 << 63) - 2)
MANIFESTS = st.builds(
    Manifest,
    product_id=st.one_of(st.integers(0, 12), st.integers(0, (1 << 48) - 1)),
    klass=st.sampled_from(ProductClass),
    size_bytes=st.one_of(st.integers(1, 300), st.integers(1, (1 << 40) - 1)),
    crc32c=st.integers(0, (1 << 32) - 1),
    value_millis=st.one_of(st.integers(0, 5000), st.integers(-5, (1 << 63) - 1)),
    deadline_ns=st.one_of(st.none(), TIMES),
    created_ns=TIMES,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", fullmatch=True),
    depends_on=st.one_of(st.none(), st.integers(0, (1 << 48) - 1)),
    producer=st.sampled_from(Producer),
)
AGEING = st.one_of(
    st.none(), st.integers(1, 100), st.integers(-100, -1), st.integers(1, (1 << 63) - 1),
    st.integers(-(1 << 63) + 1, -1),
)  # fmt: skip


def narrow(manifest):
    """As stores wrote it when sizes had 32 bits."""
    octets = encode_manifest(manifest)
    return b"\x01" + octets[1:11] + octets[12:]


@st.composite
def metas(draw):
    octets = draw(st.sampled_from([encode_manifest, narrow]))(draw(MANIFESTS))
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(octets) - 1))
        octets = octets[:at] + draw(st.binary(max_size=3)) + octets[at + 1 :]
    return octets


RECORDS = st.one_of(
    st.tuples(
        st.just(RecordKind.PRODUCT), st.integers(0, 12), metas(), st.binary(max_size=40)
    ),
    st.tuples(
        st.just(RecordKind.COUNTER), st.integers(0, (1 << 64) - 1),
        st.sampled_from([b"ids", b"iv"]), st.just(b""),
    ),
    st.tuples(
        st.just(RecordKind.STATE), st.just(0), st.sampled_from([b"modes", b"plan"]),
        st.binary(max_size=30),
    ),
)  # fmt: skip


@st.composite
def damaged_logs(draw):
    """Segments with records, and what happened to their octets since."""
    segments = []
    for records in draw(st.lists(st.lists(RECORDS, max_size=8), max_size=3)):
        octets = bytearray(b"".join(encode_record_aligned(*record) for record in records))
        for _ in range(draw(st.integers(0, 3)) if octets else 0):
            octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
        cut = draw(st.one_of(st.just(len(octets)), st.integers(0, len(octets))))
        room = draw(st.sampled_from([cut, (cut + 7) // 8 * 8, SEGMENT]))
        segments.append(bytes(octets[:cut]).ljust(room, b"\0"))
    return segments


def encode_record_aligned(kind, identity, meta, payload):
    record = encode_record(kind, identity, meta, payload)
    return record.ljust((len(record) + 7) // 8 * 8, b"\0")


def log_of(segments):
    files = MemoryFileStore()
    log = SegmentLog(files, SEGMENT)
    for octets in segments:
        segment = log.roll(0, max(0, len(octets) - 24), least_bytes=max(len(octets), 8))
        files.pwrite(log._handles[segment], octets, 0)
        log._sizes[segment] = len(octets)
    return log


def product_from(manifest):
    try:
        content = decode_manifest_packet(manifest)
        return product_of(content) if isinstance(content, Manifest) else None
    except (WireError, ValueError):
        return None


def in_plain_words(log, ageing_ns, told, known, finished):
    """Rows, counters, blobs and ends, from the records as `scan` gives them."""
    rows, counters, blobs, ends = {}, {}, {}, {}
    for segment in log.segments:
        if segment in told:
            ends[segment] = told[segment]
        for record in scan(log, segment, told.get(segment, 0)):
            ends[segment] = record.place.offset + record.room
            name = record.meta
            if record.kind is RecordKind.COUNTER:
                counters[name.decode()] = max(counters.get(name.decode(), 0), record.identity)
            elif record.kind is RecordKind.STATE:
                blobs[name.decode()] = record.payload
            else:
                product = product_from(name)
                if product is None or product.product_id in known | finished:
                    continue
                rows[product.product_id] = msgspec.structs.replace(
                    row_of(product, len(name)),
                    key=density_key(product, product.size_bytes, ageing_ns),
                    place=record.place,
                    untold=True,
                )
    return rows, counters, blobs, ends


def replayed(log, known, ageing_ns, piece_bytes):
    ahead, store_recovery.AHEAD_BYTES = store_recovery.AHEAD_BYTES, piece_bytes
    try:
        replay = LogReplay(log, known, index_lost=False, ageing_ns=ageing_ns)
        batches = list(replay.batches())
        return replay.finish(), batches
    finally:
        store_recovery.AHEAD_BYTES = ahead


def nothing_known():
    return KnownIndex(ProductCatalogue(), {}, {}, {}, {}, {})


@given(damaged_logs(), AGEING, st.sampled_from([1, 50, 300, 1 << 20]))
@settings(max_examples=400, deadline=None)
def test_a_damaged_log_is_read_as_in_plain_words(segments, ageing_ns, piece_bytes):
    log = log_of(segments)
    rows, counters, blobs, ends = in_plain_words(log, ageing_ns, {}, set(), set())
    found, batches = replayed(log, nothing_known(), ageing_ns, piece_bytes)
    assert {row.product_id: row for row in found.catalogue.rows()} == rows
    assert (found.counters, found.blobs, batches[-1].ends) == (counters, blobs, ends)
    told = {row[0]: row for batch in batches for row in batch.found}
    assert told.keys() == rows.keys()
    for product_id, (_, segment, offset, manifest, state, _) in told.items():
        place = rows[product_id].place
        assert (segment, offset, state) == (place.segment, place.offset, ProductState.NEW)
        assert product_from(manifest).product_id == product_id
    room = {}
    for row in rows.values():
        room[row.place.segment] = room.get(row.place.segment, 0) + row.record_bytes
    assert found.room == room


@given(damaged_logs(), st.data())
@settings(max_examples=150, deadline=None)
def test_what_the_index_knows_is_left_as_it_is(segments, data):
    log = log_of(segments)
    every, *_ = in_plain_words(log, None, {}, set(), set())
    subset = st.sets(st.sampled_from(sorted(every) or [0]))
    known, finished = data.draw(subset), data.draw(subset)
    before = nothing_known()
    for product_id in (known | finished) & every.keys():
        state = ProductState.FREED if product_id in finished else ProductState.SENDING
        before.catalogue.add(msgspec.structs.replace(every[product_id], state=state, untold=False))
    places = [record.place.offset for record in scan(log, 1)] if segments else []
    told = {1: data.draw(st.sampled_from(places))} if places else {}
    before.ends.update(told)
    rows, counters, blobs, ends = in_plain_words(log, None, told, known, finished)
    found, batches = replayed(log, before, None, 1 << 20)
    left = {row.product_id: row for row in found.catalogue.rows()}
    assert {i for i, row in left.items() if row.untold} == rows.keys()
    assert {i for i, row in left.items() if not row.untold} == (known - finished) & every.keys()
    assert (found.counters, found.blobs, batches[-1].ends) == (counters, blobs, ends)


def test_a_second_look_at_the_same_log_finds_the_same():
    """A medium without room makes the index's transaction begin again."""
    manifest = msgspec.structs.replace(A_MANIFEST, product_id=5)
    log = log_of([encode_record_aligned(RecordKind.PRODUCT, 5, encode_manifest(manifest), b"x")])
    replay = LogReplay(log, nothing_known(), index_lost=True, ageing_ns=None)
    first, second = list(replay.batches()), list(replay.batches())
    assert first == second
    assert replay.finish().unindexed == 1
    assert [row.state for row in replay.found.catalogue.rows()] == [ProductState.SENDING]


A_MANIFEST = Manifest(
    product_id=1, klass=ProductClass.MASK, size_bytes=1, crc32c=0, value_millis=5,
    deadline_ns=None, created_ns=0, name="p",
)  # fmt: skip


@pytest.fixture
def index(tmp_path):
    opened = StoreIndex(tmp_path / "index.sqlite3", device_sync=False)
    yield opened
    opened.close()


def told_rows(index, rows):
    index.write([IndexBatch(rows=[IndexRow(*row) for row in rows])])


def test_rows_of_the_index_are_loaded_with_their_ranges_and_unreadable_ones_apart(index):
    good = encode_manifest(A_MANIFEST)
    told_rows(
        index,
        [
            (1, Place(1, 0), good, ProductState.SENDING, encode_ranges([(0, 1)])),
            (2, Place(1, 96), good, ProductState.NEW, b""),
            (3, Place(2, 0), b"?", ProductState.NEW, b""),
        ],
    )
    known = load_index(index, None)
    (row,) = known.catalogue.rows()
    assert (row.product_id, row.state, row.untold) == (1, ProductState.SENDING, False)
    assert known.acked == {1: ((0, 1),)}
    assert known.unreadable == {2: 1, 3: 2}
    assert known.ends == {0: 0, 1: row.record_bytes}


@pytest.mark.parametrize("column", ["segment", "offset", "manifest", "state"])
def test_a_row_of_nonsense_costs_that_row_alone(index, column):
    rows = []
    for product_id in (1, 2, 3):
        manifest = encode_manifest(msgspec.structs.replace(A_MANIFEST, product_id=product_id))
        rows.append((product_id, Place(1, 96 * product_id), manifest, ProductState.NEW, b""))
    told_rows(index, rows)
    index._db.execute(f"UPDATE products SET {column} = ? WHERE id = 2", (-1,))
    known = load_index(index, None)
    assert [row.product_id for row in known.catalogue.rows()] == [1, 3]
    assert set(known.unreadable) == {2}


def test_an_index_that_was_never_filled_counts_as_lost(tmp_path):
    """The node may be reset in the middle of filling it anew."""
    path = tmp_path / "index.sqlite3"
    for _ in range(2):
        index, lost = open_index(path, device_sync=False)
        assert lost
        index.close()
    store = ProductStore(MemoryFileStore(), path, device_sync=False)
    assert len(store.recover()) == 0
    store.close()
    index, lost = open_index(path, device_sync=False)
    assert not lost
    index.close()


def test_a_sector_that_cannot_be_read_behind_the_last_record_keeps_no_store_from_opening(
    tmp_path, monkeypatch
):
    files, path = MemoryFileStore(), tmp_path / "index.sqlite3"
    store = ProductStore(files, path, segment_bytes=1 << 16, device_sync=False)
    store.recover()
    store.store_counter("iv", 64)
    end, pread = store._writer._engine._batch.ends[1], MemoryFileStore.pread
    store.close()

    def read(files, handle, length, offset):
        if offset <= end + 4_096 < offset + length:
            raise OSError(errno.EIO, "bad sector")
        return pread(files, handle, length, offset)

    monkeypatch.setattr(MemoryFileStore, "pread", read)
    again = ProductStore(files, path, segment_bytes=1 << 16, device_sync=False)
    again.recover()
    assert again.load_counter("iv") == 64
    again.store_counter("iv", 128)
    assert again.durable_counter("iv") == 128
    again.close()


def test_a_file_that_is_no_index_is_put_aside(tmp_path):
    path = tmp_path / "index.sqlite3"
    path.write_bytes(b"no database at all" * 100)
    index, lost = open_index(path, device_sync=False)
    index.close()
    assert lost
    assert path.with_name("index.sqlite3.bad").exists()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM products").fetchone() == (0,)


@given(st.lists(st.integers(1, 1 << 40), max_size=8, unique=True))
def test_ranges_come_back_as_they_were(edges):
    edges.sort()
    ranges = tuple(zip(edges[::2], edges[1::2], strict=False))
    assert decode_ranges(encode_ranges(ranges)) == ranges
