"""What the store's writer does with its files: append, sync, index, free; nothing of it on a loop.

Image -> ground, hop "durable before it counts". Payloads are records of the segment log, the point
of durability; SQLite indexes them and can be rebuilt from them. One group costs one device sync for
each segment written to, whatever it carries. Counters and state blobs go into the log as well, so
that the loss of the index can never make a number be used twice.

So the index may lag behind the log: what stands in there is put off, `ROWS_MAX` records of it at
most, until a group brings what the index alone holds (states, reported ranges, moves, lives).

One thread uses it, whichever. No method raises for the medium once it is open: outcomes tell.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from typing import TYPE_CHECKING

from flight.downlink.segment_file import SegmentLog
from flight.downlink.segment_record import RecordKind, record_bytes
from flight.downlink.segment_tending import SegmentRoom, SegmentTending
from flight.downlink.store_index_sqlite import IndexBatch, IndexRow, StoreIndex
from flight.downlink.store_recovery import LogReplay, load_index
from flight.downlink.store_request import PutRecord, WriteOutcome, WriteRequest
from flight.downlink.store_space import DurableNames, StoreSpace, is_full, kind_of
from flight.downlink.store_values import ProductState, StoreError, StoreErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from flight.downlink.file_store import FileStore
    from flight.downlink.store_recovery import Found


NEVER_RECOVERED = 0
"""The segment that a new index says it knows until it has been filled; they count from 1."""
ROWS_MAX = 1_024
"""Changes that the index may lag behind: a start reads so many records of the log again."""


def open_index(path: Path, *, device_sync: bool = True) -> tuple[StoreIndex, bool]:
    """The index, and whether it has to be filled anew: it is new, or had to be put aside."""
    fresh = not path.exists()
    try:
        index = StoreIndex(path, device_sync=device_sync)
        if not fresh:
            index.walk()
            index.counters()
            index.blobs()
            fresh = NEVER_RECOVERED in index.ends()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        for suffix in ("", "-wal", "-shm"):
            stale = path.with_name(path.name + suffix)
            if stale.exists():
                stale.replace(path.with_name(path.name + suffix + ".bad"))
        return StoreIndex(path, device_sync=device_sync), True
    return index, fresh


class StoreEngine:
    """Segments, reserve and index of one store.

    Args:
        files: where the segments are.
        open_index: gives the index, and whether the former one was lost.
        segment_bytes, capacity_bytes, reserve_bytes, ageing_ns: as `ProductStore` has them.

    Raises:
        StoreError: from the constructor and from `recover`.
    """

    def __init__(  # noqa: PLR0913  sizes are named
        self,
        files: FileStore,
        open_index: Callable[[], tuple[StoreIndex, bool]],
        *,
        segment_bytes: int,
        capacity_bytes: int,
        reserve_bytes: int,
        ageing_ns: int | None = None,
    ) -> None:
        self._ageing_ns = ageing_ns
        self._names = DurableNames()
        self._room = SegmentRoom()
        self._batch = IndexBatch()
        self._put_off = 0
        self._left_behind = False
        self._outcome = WriteOutcome()
        self._gone: dict[int, int] = {}
        self._looked_dead_in: int | None = None
        self._vacated: set[int] = set()
        self._durable_mark = 0
        self._failed = False
        with _as_store_error():
            self._log = SegmentLog(files, segment_bytes)
            self._space = StoreSpace(files, self._log, capacity_bytes, reserve_bytes)
            self._index, self._index_lost = self._space.insist(open_index)
        self._tending = SegmentTending(self._log, self._space, self._index, self._room)

    def recover(self) -> tuple[Found, bool]:
        """What is durable, and whether the index had to be made anew from a log; once, first."""
        with _as_store_error():
            known = load_index(self._index, self._ageing_ns)
            replay = LogReplay(
                self._log, known, index_lost=self._index_lost, ageing_ns=self._ageing_ns
            )
            self._space.insist(lambda: self._index.write(replay.batches()))
            found = replay.finish()
            self._names = DurableNames(dict(found.counters), dict(found.blobs))
            for segment, alive_bytes in found.room.items():
                self._room.add(segment, alive_bytes)
        with contextlib.suppress(OSError):
            self._space.hold()
        return found, self._index_lost and bool(self._log.segments)

    def write(self, requests: Sequence[WriteRequest]) -> WriteOutcome:
        """Makes a group durable, with whatever an earlier one had to leave behind."""
        if self._failed:
            return WriteOutcome(self._durable_mark, StoreErrorKind.CLOSED)
        try:
            tend = any(request.tend for request in requests) and self._index_is_told()
            for request in requests:
                self._append(request)
            if tend:
                self._tend(requests)
            self._sync()
            if self._put_off >= ROWS_MAX or self._batch.index_alone:
                self._write_index()
            self._outcome.mark = self._durable_mark = requests[-1].mark
            self._forget_freed()
            self._free_dead_segments()
        except (OSError, sqlite3.Error) as error:
            kind = kind_of(error)
            self._failed = kind is not StoreErrorKind.FULL
            if not self._failed and self._outcome.mark == 0:
                return WriteOutcome(self._durable_mark, kind, str(error))
            self._outcome.mark = self._durable_mark
            self._outcome.error, self._outcome.detail = kind, str(error)
        except BaseException:
            self._failed = True  # stopped half-way: nothing of it is finished at the end
            raise
        outcome, self._outcome = self._outcome, WriteOutcome()
        return outcome

    def close(self) -> None:
        """Gives files back; what was not written is not durable."""
        if not self._failed:
            with contextlib.suppress(OSError, sqlite3.Error):
                self._write_index()
        self._failed = True
        self._index.close()
        self._log.close()

    def _write_index(self) -> None:
        """Everything put off, in one transaction; what is told there was synced in the log before.

        What it has no room for is left behind, and goes with the next group.
        """
        self._left_behind = True
        if self._batch.changes:
            self._sync()
            self._space.insist(lambda: self._index.write((self._batch,)))
        self._batch, self._put_off = IndexBatch(), 0
        self._left_behind = False

    def _index_is_told(self) -> bool:
        """Whether it says where things are by now; what it has no room for goes on waiting."""
        try:
            self._write_index()
        except (OSError, sqlite3.Error) as error:
            if not is_full(error):
                raise
        return not self._left_behind

    def _append(self, request: WriteRequest) -> None:
        batch = self._batch
        for put in request.puts:
            self._append_product(put, batch, new=True)
        for put in request.rewrites:
            self._append_product(put, batch, new=False)
        for name, value in request.counters.items():
            highest = max(value, self._names.counters.get(name, 0))
            if self._append_name(RecordKind.COUNTER, name, highest, b""):
                self._names.counters[name] = batch.names[name] = highest
        for name, blob in request.blobs.items():
            if self._append_name(RecordKind.STATE, name, 0, blob):
                self._names.blobs[name] = batch.blobs[name] = blob
        batch.acked.update(request.acked)
        for product_id, (state, reason) in request.states.items():
            batch.set_state(product_id, state, reason)
        for product_id in request.freed:
            batch.set_state(product_id, ProductState.FREED, None)
        self._gone.update(request.freed)
        if request.lives and not self._left_behind:  # they never pile up
            batch.lives = (*batch.lives, *request.lives)
        batch.ends.update(self._log.written)
        self._put_off += request.records + 1

    def _tend(self, requests: Sequence[WriteRequest]) -> None:
        """Never on top of moves that the index does not know yet: it says what is alive where."""
        if not any(request.rewrites for request in requests):
            victim = self._tending.step(self._names, self._batch, self._outcome)
            if victim is not None:
                self._vacated.add(victim)
            self._batch.ends.update(self._log.written)

    def _append_product(self, put: PutRecord, batch: IndexBatch, *, new: bool) -> None:
        try:
            self._space.for_product(self._names, len(put.manifest), len(put.payload))
            place = self._log.append(RecordKind.PRODUCT, put.product_id, put.manifest, put.payload)
        except OSError as error:
            if not is_full(error):
                raise
            self._outcome.refused.append(put.product_id)
            return
        room = record_bytes(len(put.manifest), len(put.payload))
        if new:
            row = IndexRow(put.product_id, place, put.manifest, ProductState.NEW, b"")
            batch.rows.append(row)
            self._outcome.places[put.product_id] = place
        else:
            former = self._segment_of(put.product_id)
            batch.moves[put.product_id] = self._outcome.moved[put.product_id] = place
            if former is not None:
                self._room.take(former, room)
        self._room.add(place.segment, room)

    def _segment_of(self, product_id: int) -> int | None:
        """Where the record is that counts, whether the index was told or not."""
        place = self._batch.moves.get(product_id)
        if place is None:
            placed = (row.place for row in self._batch.rows if row.product_id == product_id)
            place = next(placed, None)
        return self._index.segment_of(product_id) if place is None else place.segment

    def _append_name(self, kind: RecordKind, name: str, value: int, blob: bytes) -> bool:
        try:
            self._space.for_name(self._names, len(name.encode()), len(blob))
            self._log.append(kind, value, name.encode(), blob)
        except OSError as error:
            if not is_full(error):
                raise
            self._outcome.names_refused.append(name)
            return False
        return True

    def _sync(self) -> None:
        """A sync that failed for whatever cause is never tried again: the pages may be gone."""
        try:
            self._log.sync()
        except OSError as error:
            raise OSError(errno.EIO, f"sync: {error}") from error

    def _forget_freed(self) -> None:
        for product_id, room in self._gone.items():
            segment = self._index.segment_of(product_id)
            if segment is not None:
                self._room.take(segment, room)
        self._gone.clear()

    def _free_dead_segments(self) -> None:
        """Only after a commit: what counters and blobs the active segment repeats is durable.

        What survivors have just left stays until the next one: the loop reads beside, and has to be
        told where they are before their old records go.
        """
        active, vacated = self._log.active, self._vacated
        self._vacated = set()
        if active is None or (active == self._looked_dead_in and not self._room.emptied):
            return  # nothing can have died since: a full store has thousands of segments
        freed = [
            segment
            for segment in self._log.segments
            if segment < active and not (segment in vacated or self._room.alive_bytes(segment))
        ]
        for segment in freed:
            self._log.free(segment)
        self._looked_dead_in, self._room.emptied = active, bool(vacated)
        self._batch.freed_segments += freed
        self._outcome.freed_segments += freed


@contextlib.contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(kind_of(error), str(error)) from error
