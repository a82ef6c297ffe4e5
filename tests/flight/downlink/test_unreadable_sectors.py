"""A sector that cannot be read costs what lies in it: no start, and no number that went back."""

import errno
import itertools
import shutil
import sqlite3

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from flight.downlink.file_store_memory import MemoryFileStore
from flight.downlink.product import Product, ProductClass, manifest_of
from flight.downlink.product_store_sqlite import ProductStore
from flight.downlink.segment_file import PATIENCE, SECTOR_BYTES, PatientReader, SegmentLog
from flight.downlink.segment_record import HEADER_BYTES, RecordKind
from flight.downlink.store_index_sqlite import StoreIndex
from flight.downlink.store_space import SegmentHead
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.wire.crc import crc32c
from flight.wire.product_packet import encode_manifest
from tests.flight.downlink.plain_scan import scan

SEGMENT = 8 * SECTOR_BYTES
NAMES = st.sampled_from(["a", "iv", "window"])
DEEDS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from([40, 900, 4_000, 5_000, 9_000])),
    st.tuples(st.just("fill"), st.sampled_from([0, 8, 16, 24, 32])),
    st.tuples(st.just("counter"), NAMES),
    st.tuples(st.just("state"), NAMES),
)


class FlawedFiles(MemoryFileStore):
    """What is on a medium, with sectors that answer EIO; `short`: a read ends before one."""

    def __init__(self, files, bad=(), *, short=False):
        super().__init__()
        self._names = self._durable_names = files.power_cut()._names
        self.bad, self.short, self.failed = set(bad), short, 0

    def pread(self, handle, length, offset):
        number = next(int(n[8:18]) for n, f in self._names.items() if f is self._handles[handle])
        length = min(length, self.size_bytes(handle) - offset)
        for sector in range(offset // SECTOR_BYTES, -(-(offset + length) // SECTOR_BYTES)):
            if (number, sector) in self.bad:
                if self.short and sector * SECTOR_BYTES > offset:
                    return super().pread(handle, sector * SECTOR_BYTES - offset, offset)
                self.failed += 1
                raise OSError(errno.EIO, "bad sector")
        return super().pread(handle, length, offset)


def opened(files, index):
    return ProductStore(files, index, segment_bytes=SEGMENT, device_sync=False)


def product(number, payload):
    crc, name = crc32c(payload), f"p{number}"
    return Product(number, ProductClass.MASK, len(payload), 5, None, 0, crc, name)


class Flight:
    """A scripted life of a store, and what had become durable of it."""

    def __init__(self, folder):
        self.files, self.index = MemoryFileStore(), folder / "index.sqlite"
        self.counters, self.blobs, self.numbers = {}, {}, itertools.count(1)
        self.store = opened(self.files, self.index)
        self.store.recover()

    def live(self, deeds):
        for deed, what in deeds:
            number = next(self.numbers)
            if deed == "put":
                self.put(number, what)
            elif deed == "fill":  # so that a record begins so many octets before a sector does
                end = self.store._writer._engine._log._end
                meta = len(encode_manifest(manifest_of(product(number, b"x" * SECTOR_BYTES))))
                self.put(number, (-end - HEADER_BYTES - meta - what) % SECTOR_BYTES or 1)
            elif deed == "counter":
                self.store.store_counter(what, number)
                self.counters[what] = number
            else:
                self.blobs[what] = b"%d" % number * 9
                self.store.store_state(what, self.blobs[what])

    def put(self, number, size_bytes):
        payload = bytes([number % 251]) * size_bytes
        self.store.put(product(number, payload), payload)
        self.store.commit(0)

    def reset(self, deeds):
        """The index is told of what was; then these deeds, which it is not told of."""
        self.store.close()
        kept = self.index.with_name("kept.sqlite")
        shutil.copy(self.index, kept)
        self.store = opened(self.files, self.index)
        self.store.recover()
        self.live(deeds)
        self.store.close()
        self.index = kept

    def places(self):
        """Of every record: segment, offset, kind, identity, name, where it ends."""
        log = SegmentLog(self.files, SEGMENT)
        return [
            (s, r.place.offset, r.kind, r.identity, r.meta, r.place.offset + r.room)
            for s in log.segments
            for r in scan(log, s)
        ]

    def sectors(self, kind, identity):
        """Those that the record touches, as it is in its newest segment."""
        found = [p for p in self.places() if (p[2], p[3]) == (kind, identity)][-1]
        return {(found[0], n) for n in range(found[1] // SECTOR_BYTES, touched(*found[1::4]).stop)}

    def wrong_in(self, store):
        """Names that are not as they were when they became durable."""
        wrong = {n for n, value in self.counters.items() if store.load_counter(n) != value}
        return wrong | {n for n, blob in self.blobs.items() if store.load_state(n) != blob}


def touched(start, end):
    return range(start // SECTOR_BYTES, -(-end // SECTOR_BYTES))


def in_plain_words(places, told, bad):
    """Products that are to be found, those that are known to be lost, whether names may be."""
    found, lost, unsure, segments = set(), set(), False, sorted({place[0] for place in places})
    for segment in segments:
        records = [place for place in places if place[0] == segment]
        known = told.get(segment, 0)

        def readable(start, end, segment=segment):
            return not bad & {(segment, sector) for sector in touched(start, end)}

        unsure = unsure and not known
        heading = [(kind, meta) for _, _, kind, _, meta, _ in records]
        head = next(
            (n for n in range(len(records)) if heading[n][0] is RecordKind.PRODUCT
             or (n and heading[n] <= heading[n - 1])), None,
        )  # fmt: skip
        whole_head = head is not None and readable(0, records[head][5])
        unsure = unsure and not whole_head
        for _, start, kind, identity, _, end in records:
            if start < known:
                found |= {identity} if kind is RecordKind.PRODUCT else set()
            elif not readable(start, end):
                at_end = end + HEADER_BYTES > SEGMENT or readable(end, end + 4)
                told_by_header = readable(start, start + HEADER_BYTES)
                is_product = kind is RecordKind.PRODUCT and told_by_header
                lost |= {identity} if is_product else set()
                unsure |= not (is_product and at_end)
            elif kind is RecordKind.PRODUCT:
                found.add(identity)
        end = records[-1][5]
        if end >= known and end + HEADER_BYTES <= SEGMENT:
            unsure |= not readable(end, end + 4)
    return found, lost, unsure


def told_ends(index):
    if not index.exists():
        return {}
    known = StoreIndex(index, device_sync=False)
    try:
        return {segment: end for segment, end in known.ends().items() if segment}
    finally:
        known.close()


@given(
    st.lists(DEEDS, max_size=12),
    st.lists(DEEDS, min_size=4, max_size=25),
    st.data(),
)
@settings(max_examples=150, deadline=None)
def test_whatever_cannot_be_read_no_number_goes_back_and_what_can_be_is_found(
    tmp_path_factory, before, after, data
):
    flight = Flight(tmp_path_factory.mktemp("flight"))
    flight.live(before)
    flight.reset(after)
    if data.draw(st.booleans(), "index lost"):
        flight.index = flight.index.with_name("lost.sqlite")
    told, places = told_ends(flight.index), flight.places()
    last = {segment: end for segment, *_, end in places}
    sectors = [(s, n) for s, end in last.items() for n in range(end // SECTOR_BYTES + 1)]
    bad = data.draw(st.sets(st.sampled_from(sectors or [(1, 0)]), min_size=1, max_size=3))
    found, lost, unsure = in_plain_words(places, told, bad)
    store = opened(FlawedFiles(flight.files, bad, short=data.draw(st.booleans())), flight.index)
    if unsure:
        with pytest.raises(StoreError) as refused:
            store.recover()
        store.close()
        assert refused.value.kind is StoreErrorKind.DAMAGED
        return
    recovered = store.recover()
    store.close()
    event(f"opened, {len(recovered.lost)} lost")
    assert flight.wrong_in(store) == set()
    assert {row.product_id for row in store.catalogue.rows()} == found
    assert set(recovered.lost) <= lost - found
    if len(bad) == 1:  # behind another gap a header alone is not believed
        assert set(recovered.lost) == lost - found
    assert store.counters.records_damaged >= len(recovered.lost)


@pytest.fixture
def flight(tmp_path):
    return Flight(tmp_path)


@pytest.fixture
def refused(flight):
    """The last number stands where nothing can be read: the files, and what is wrong with them."""
    flight.reset([("put", 5_000), ("counter", "iv"), ("put", 40), ("put", 9_000)])
    return FlawedFiles(flight.files, flight.sectors(RecordKind.COUNTER, flight.counters["iv"]))


def test_the_last_product_is_lost_and_told_once(flight):
    flight.reset([("put", 40), ("counter", "iv"), ("put", 9_000)])
    files = FlawedFiles(flight.files, {(1, 1)})
    for lost in (3,), ():
        store = opened(files, flight.index)
        assert (store.recover().lost, store.counters.records_damaged) == (lost, len(lost))
        assert flight.wrong_in(store) == set()
        flight.counters["iv"] += 1
        store.store_counter("iv", flight.counters["iv"])
        store.close()


def test_a_blob_whose_header_alone_can_be_read_may_be_missed(flight):
    flight.live([("put", 40)])
    flight.store.store_state("window", bytes(9_000))
    flight.reset([("put", 40)])
    flight.index = flight.index.with_name("lost.sqlite")
    flight.files.unlink("segment-0000000002.log")  # its beginning would know the blob
    flight.files.fsync_dir()
    store = opened(FlawedFiles(flight.files, {(1, 1)}), flight.index)
    with pytest.raises(StoreError, match="both ends new keys"):
        store.recover()
    store.close()


def test_a_length_that_is_not_followed_by_a_record_is_not_believed(flight):
    flight.reset([("put", 9_000), ("counter", "iv"), ("put", 40)])
    at = next(p[1] for p in flight.places() if p[3] == 1)
    handle = flight.files.open("segment-0000000001.log")
    length = int.from_bytes(flight.files.pread(handle, 4, at + 16), "big")
    flight.files.pwrite(handle, (length - 64).to_bytes(4, "big"), at + 16)
    flight.files.fdatasync(handle)
    store = opened(FlawedFiles(flight.files, {(1, 1)}), flight.index)
    with pytest.raises(StoreError, match="both ends new keys"):
        store.recover()
    store.close()


def test_behind_what_the_index_was_told_nothing_is_missed(flight):
    flight.live([("put", 9_000)] * 4)
    flight.reset([("counter", "iv")])
    end = max(end for segment, *_, end in flight.places() if segment == 1)
    store = opened(FlawedFiles(flight.files, {(1, end // SECTOR_BYTES)}), flight.index)
    assert (len(store.recover()), flight.wrong_in(store)) == (4, set())
    store.close()


@pytest.mark.parametrize("short", [False, True])
def test_a_product_is_lost_and_told_once_and_those_behind_it_are_there(flight, short):
    flight.live([("counter", "iv"), ("state", "window")])
    flight.reset([("put", 40), ("put", 9_000), ("put", 40), ("counter", "iv")])
    bad = flight.sectors(RecordKind.PRODUCT, 4)
    files = FlawedFiles(flight.files, sorted(bad)[1:2], short=short)
    store = opened(files, flight.index)
    assert store.recover().lost == (4,)
    assert store.counters.records_damaged == 1
    assert [row.product_id for row in store.catalogue.rows()] == [3, 5]
    assert store.read(5, 0, 40) == bytes([5]) * 40
    assert flight.wrong_in(store) == set()
    store.store_counter("iv", 100)
    store.close()
    again = opened(files, flight.index)
    assert again.recover().lost == ()
    assert again.counters.records_damaged == 0
    assert (again.load_counter("iv"), len(again.catalogue)) == (100, 2)
    again.close()


def test_a_store_does_not_open_where_a_number_may_have_been_and_says_what_to_do(flight, refused):
    store = opened(refused, flight.index)
    with pytest.raises(StoreError, match=r"segment \d+ cannot be read from .*both ends new keys"):
        store.recover()
    store.close()
    refused.bad.clear()  # a card may answer the next time: nothing was given up meanwhile
    store = opened(refused, flight.index)
    assert len(store.recover()) == 3
    assert flight.wrong_in(store) == set()
    store.close()


def test_a_reader_that_believes_every_gap_harmless_is_found_out(flight, refused, monkeypatch):
    """Negative control: the number did go back."""
    gap = PatientReader.gap

    def harmless(reader, segment, offset):
        found = gap(reader, segment, offset)
        return found and msgspec.structs.replace(found, alone=True)

    monkeypatch.setattr(PatientReader, "gap", harmless)
    store = opened(refused, flight.index)
    store.recover()
    assert flight.wrong_in(store) == {"iv"}
    store.close()


def test_the_beginning_of_a_later_segment_knows_every_name_again(flight):
    flight.reset([("counter", "iv"), ("state", "window"), *[("put", 9_000)] * 4])
    store = opened(FlawedFiles(flight.files, {(1, 0)}), flight.index)
    recovered = store.recover()
    assert flight.wrong_in(store) == set()
    assert [row.product_id for row in store.catalogue.rows()] == [4, 5, 6]  # 3 began in the sector
    assert (recovered.lost, store.counters.records_damaged) == ((), 1)
    store.close()


def test_a_row_that_makes_no_sense_has_no_number_behind_it_go_back(flight):
    """Its segment is read from its beginning then, where nothing can be read any more."""
    flight.live([("put", 9_000), ("put", 900), ("put", 900)])
    flight.reset([("put", 900), ("counter", "iv"), ("put", 900)])
    with sqlite3.connect(flight.index) as database:
        database.execute("UPDATE products SET manifest = x'00' WHERE id IN (1, 2)")
    database.close()
    (segment, first), *_ = sorted(flight.sectors(RecordKind.PRODUCT, 1))
    store = opened(FlawedFiles(flight.files, {(segment, first)}), flight.index)
    recovered = store.recover()
    assert [row.product_id for row in store.catalogue.rows()] == [2, 3, 4, 6]
    assert (recovered.lost, store.counters.records_damaged) == ((), 1)
    assert flight.wrong_in(store) == set()
    store.close()


def test_half_a_beginning_is_no_beginning():
    whole = [(0, 2, b"a"), (32, 2, b"iv"), (64, 3, b"window"), (104, 2, b"iv")]

    def says(records):
        head = SegmentHead()
        return [head.is_over(at, kind, name, len(name)) for at, kind, name in records]

    assert says([(0, 2, b"a"), (32, 2, b"iv"), (64, 3, b"window")]) == [False] * 3
    assert says([(0, 2, b"a"), (32, 2, b"iv"), (64, 2, b"iv")]) == [False, False, True]
    assert says([(0, 2, b"a"), (32, 1, b"")]) == [False, True]
    assert says(whole[1:]) == [False] * 3
    assert says([whole[0], *whole[2:]]) == [False] * 3


def test_a_medium_that_answers_nothing_is_asked_a_bounded_number_of_times(flight):
    flight.reset([("put", 40), ("put", 500 * SECTOR_BYTES), ("put", 40)])
    bad = {(segment, sector) for segment in (1, 2) for sector in range(600)}
    files = FlawedFiles(flight.files, bad)
    store = opened(files, flight.index)
    store.recover()
    assert [row.product_id for row in store.catalogue.rows()] == [3]
    assert PATIENCE <= files.failed < PATIENCE + 8
    store.close()


def test_other_errors_of_the_medium_are_as_they_were(flight, monkeypatch):
    flight.reset([("counter", "iv")])

    def read(*_arguments):
        raise OSError(errno.EACCES, "not allowed")

    store = opened(flight.files, flight.index)
    monkeypatch.setattr(MemoryFileStore, "pread", read)
    with pytest.raises(StoreError, match="not allowed"):
        store.recover()
    store.close()
