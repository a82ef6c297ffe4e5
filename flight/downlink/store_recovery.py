"""Opening the product store: index and log are held against each other, and the log wins.

Image -> ground, hop "durable before it counts", after a reset. What the index knows is trusted (it
was written after the log was synced); what only the log knows is added. A million products have to
be there again within seconds, so C reads rows and records straight into the catalogue
(`segment_scan.h`); here is what they mean.

A sector that cannot be read costs the products in it. A counter or a blob that was in it may be
missed only where it is known again: the index, or the beginning of a later segment, has them all.
"""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product_catalogue import ProductCatalogue
from flight.downlink.segment_file import AHEAD_BYTES, PatientReader
from flight.downlink.segment_record import HEADER_BYTES, RecordKind
from flight.downlink.store_index_sqlite import IndexBatch
from flight.downlink.store_request import decode_ranges
from flight.downlink.store_space import SegmentHead
from flight.downlink.store_values import ProductState, StoreError, StoreErrorKind
from hal.native_library import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flight.downlink.segment_file import SegmentLog
    from flight.downlink.store_index_sqlite import ProductRow, StoreIndex
    from flight.downlink.store_request import Ranges

_ADVICE = (
    "numbers that must never be used twice may be in there. If every start says so: move segments"
    " and index away and give both ends new keys (docs/operating.md, Keys)"
)
_NONSENSE = (OverflowError, TypeError, ValueError)
_NOTE = struct.Struct("=QQQIIII")
assert _NOTE.size == ffi.sizeof("struct segment_note")


class KnownIndex(msgspec.Struct):
    """What the index says; `ends` is how far each segment's records are indexed.

    Rows of `unreadable` products, with their segment, make no sense: the log's own record counts.
    Freed products are in the catalogue, too, until all is found.
    """

    catalogue: ProductCatalogue
    acked: dict[int, Ranges]
    unreadable: dict[int, int]
    ends: dict[int, int]
    counters: dict[str, int]
    blobs: dict[str, bytes]


class Found(msgspec.Struct):
    """Index and log together, for good once `LogReplay.finish` has returned.

    `room` is how much of each segment is needed; `unindexed` records were not in the index,
    `missing_products` were lost, and of these `lost` are known by the header of their record.
    """

    catalogue: ProductCatalogue
    acked: dict[int, Ranges]
    counters: dict[str, int]
    blobs: dict[str, bytes]
    room: dict[int, int]
    unindexed: int = 0
    missing_products: int = 0
    lost: tuple[int, ...] = ()


def load_index(index: StoreIndex, ageing_ns: int | None) -> KnownIndex:
    """Everything the index says; products are ranked with `ageing_ns` as in `density_key`."""
    known = KnownIndex(ProductCatalogue(), {}, {}, index.ends(), index.counters(), index.blobs())
    segments: set[int] = set()
    for rows in index.pieces():
        try:
            segments |= _load(known, rows, ageing_ns)
        except _NONSENSE:  # nothing that a product can have: row by row then
            for row in rows:
                with contextlib.suppress(*_NONSENSE):
                    known.unreadable[row[0]] = row[1]
                    segments |= _load(known, [row], ageing_ns)
    _settle(known.catalogue)
    for segment, (_, end) in _room_of(known.catalogue, sorted(segments)).items():
        if end:
            known.ends[segment] = max(known.ends.get(segment, 0), end)
    return known


def _load(known: KnownIndex, rows: Sequence[ProductRow], ageing_ns: int | None) -> set[int]:
    """Takes rows into the catalogue; returns the segments they name."""
    ids, segments, offsets, manifests, states, acked = zip(*rows, strict=True)
    count, blob, taken = len(rows), b"".join(manifests), ffi.new("uint8_t[]", len(rows))
    lengths = [len(manifest) for manifest in manifests]
    _insist(
        lib.segment_index_rows(
            known.catalogue.native, count, ageing_ns or 0,
            ffi.new("uint64_t[]", ids), ffi.new("uint32_t[]", segments),
            ffi.new("uint32_t[]", offsets), bytes(states), blob,
            ffi.new("uint32_t[]", lengths), len(blob), taken,
        )
    )  # fmt: skip
    for at, is_in in enumerate(bytes(ffi.buffer(taken))):
        if not is_in:
            known.unreadable[ids[at]] = segments[at]
        else:
            known.unreadable.pop(ids[at], None)
            if acked[at] and states[at] != ProductState.FREED:
                known.acked[ids[at]] = decode_ranges(acked[at])
    return set(segments)


class LogReplay:
    """Adds what only the log knows, and drops what only the index knows.

    Counters take the greatest value found anywhere. Of a state blob the newest record counts that
    the index does not know yet, and what the index says where there is none. Products that only the
    log knows are NEW, or SENDING when the index was lost.

    Args:
        log: the segments.
        known: what the index says.
        index_lost: whether it had to be made anew.
        ageing_ns: as in `density_key`.

    Raises:
        StoreError: DAMAGED, from `batches`: a counter might go back.
    """

    def __init__(
        self, log: SegmentLog, known: KnownIndex, *, index_lost: bool, ageing_ns: int | None
    ) -> None:
        self._log = log
        self._known = known
        self._present = sorted(log.segments)
        self._doubtful = set(known.unreadable.values())
        self._scan = ffi.new("struct segment_scan *")
        self._scan.ageing_ns = ageing_ns or 0
        self._scan.state = ProductState.SENDING if index_lost else ProductState.NEW
        self._scan.flags = lib.CATALOGUE_UNTOLD
        self._begin()

    def batches(self) -> Iterator[IndexBatch]:
        """What the index has to be told, in one transaction; may be gone through again."""
        self._begin()
        for segment in self._present:
            if self._known.ends.get(segment):
                self._unsure = ""  # the index was told of all that is before its end
            for rows in self._segment(segment):
                self.found.unindexed += len(rows)
                yield IndexBatch(found=rows)
        if self._unsure:
            raise StoreError(StoreErrorKind.DAMAGED, f"{self._unsure}; {_ADVICE}")
        _settle(self.found.catalogue)
        lost = [i for i in self._known.unreadable if i not in self.found.catalogue]
        self.found.lost = tuple(i for i in self._in_gaps if i not in self.found.catalogue)
        self.found.missing_products = self._nameless + len({*lost, *self.found.lost})
        yield IndexBatch(
            ends=self._ends,
            states=dict.fromkeys(lost, (int(ProductState.FREED), "row unreadable")),
            freed_segments=sorted(self._known.ends.keys() - set(self._present)),
            names=dict(self.found.counters),
            blobs=dict(self.found.blobs),
        )

    def finish(self) -> Found:
        """What is there: once the index has been told."""
        found, present = self.found, ffi.new("uint32_t[]", self._present)
        found.missing_products += lib.segment_drop_others(
            found.catalogue.native, len(self._present), present, ProductState.FREED
        )
        for product_id in [i for i in found.acked if i not in found.catalogue]:
            del found.acked[product_id]
        found.room = {
            segment: alive
            for segment, (alive, _) in _room_of(found.catalogue, self._present).items()
            if alive
        }
        return found

    def _begin(self) -> None:
        known, present = self._known, set(self._present)
        self.found = Found(
            known.catalogue, known.acked, dict(known.counters), dict(known.blobs), {}
        )
        self._ends = {s: end for s, end in known.ends.items() if s in present}
        self._reader, self._head, self._unsure = PatientReader(self._log), SegmentHead(), ""
        self._in_gaps: dict[int, None] = {}
        self._nameless = 0

    def _segment(self, segment: int) -> Iterator[list[ProductRow]]:
        """Products of one segment that are new to the catalogue, a piece at a time."""
        scan, size = self._scan, self._log.size_bytes(segment)
        told = min(self._ends.get(segment, 0), size)
        scan.segment, scan.segment_bytes, self._head = segment, size, SegmentHead()
        scan.told_bytes = scan.end_bytes = told
        start = scan.offset = 0 if segment in self._doubtful else told
        buffer, verdict = b"", lib.SEGMENT_NOTED
        while verdict in {lib.SEGMENT_MORE, lib.SEGMENT_NOTED}:
            at = scan.offset - start
            verdict = lib.segment_scan(
                self.found.catalogue.native, scan, ffi.from_buffer(buffer) + at, len(buffer) - at
            )
            if scan.note_count:
                yield self._rows(segment, start, buffer)
            if verdict == lib.SEGMENT_MORE:
                start, need = scan.offset, int(scan.need_bytes)
                buffer = self._reader.octets(segment, start, need, max(need, AHEAD_BYTES))
                if len(buffer) < need:
                    scan.segment_bytes = start + len(buffer)  # as if it ended there
            elif verdict == lib.SEGMENT_END and (scan.segment_bytes < size or scan.offset < told):
                scan.segment_bytes, buffer = size, b""
                verdict = lib.SEGMENT_NOTED if self._steps_over(told) else verdict
                start = scan.offset
        _insist(verdict)
        if scan.end_bytes > told:
            self._ends[segment] = scan.end_bytes

    def _rows(self, segment: int, start: int, buffer: bytes) -> list[ProductRow]:
        """What the last piece told: names are taken over, products made rows of the index."""
        scan, rows, unsure = self._scan, [], self._unsure
        notes = bytes(ffi.buffer(scan.notes, scan.note_count * _NOTE.size))
        for identity, product_id, offset, kind, meta, length, new in _NOTE.iter_unpack(notes):
            at = offset - start + HEADER_BYTES
            if unsure and self._head.is_over(offset, kind, buffer[at : at + meta], length):
                unsure = self._unsure = ""
            if kind == RecordKind.PRODUCT:
                manifest, state = buffer[at : at + meta], scan.state
                anew = not new and identity in self._known.unreadable
                if anew:
                    state = ProductState.SENDING
                if new or (anew and self._take_anew(segment, offset, manifest)):
                    rows.append((product_id, segment, offset, manifest, state, b""))
            elif offset >= scan.told_bytes:
                name, payload = buffer[at : at + meta].decode(), buffer[at + meta : at + length]
                self._name(kind, name, identity, payload)
        return rows

    def _steps_over(self, told: int) -> bool:
        """Over a record that cannot be read, to the next one; False: none begins there."""
        scan, at = self._scan, self._scan.offset
        gap = self._reader.gap(scan.segment, at)
        if at < told:  # all of it is known up to there
            scan.offset = told if gap is None else min(gap.end, told)
            return True
        if gap is None:
            return False
        scan.offset = scan.end_bytes = gap.end
        if gap.product_id is None:
            self._nameless += 1
        else:
            self._in_gaps[gap.product_id] = None
        if not gap.alone:
            self._unsure = f"segment {scan.segment} cannot be read from {at} to {gap.end}"
        return True

    def _name(self, kind: int, name: str, value: int, blob: bytes) -> None:
        found = self.found
        if kind == RecordKind.COUNTER:
            found.counters[name] = max(found.counters.get(name, 0), value)
        else:
            found.blobs[name] = blob

    def _take_anew(self, segment: int, offset: int, manifest: bytes) -> bool:
        """A product whose row made no sense: it may have been sent."""
        row = ffi.new("struct catalogue_row *")
        row.segment, row.offset, row.state = segment, offset, ProductState.SENDING
        row.flags = lib.CATALOGUE_UNTOLD
        lib.stored_manifest(manifest, len(manifest), self._scan.ageing_ns, row)
        return bool(_insist(lib.catalogue_stage(self.found.catalogue.native, row)))


def _insist(code: int) -> int:
    """What C says, unless it lacks memory."""
    if code == lib.CATALOGUE_E_MEMORY:
        raise MemoryError
    assert code >= 0, code
    return code


def _settle(catalogue: ProductCatalogue) -> None:
    _insist(lib.catalogue_settle(catalogue.native))


def _room_of(catalogue: ProductCatalogue, segments: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    """By segment: bytes of records that are needed, and where the last known one ends."""
    alive, end = (ffi.new("uint64_t[]", len(segments)) for _ in range(2))
    _insist(
        lib.segment_room_of(
            catalogue.native, len(segments), ffi.new("uint32_t[]", segments),
            ProductState.FREED, alive, end,
        )
    )  # fmt: skip
    return {segment: (alive[at], end[at]) for at, segment in enumerate(segments)}
