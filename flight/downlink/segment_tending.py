"""Housekeeping of the segments, a bounded piece a step: move survivors together, verify records.

Image -> ground, hop "freed". A segment goes when nothing in it is alive. Were survivors left where
they are, a store whose survivors spread over all segments would be full long before its cap. So the
emptiest sealed segment is copied forward: the copies are appended and synced like anything else,
the index is told in the same commit, and the old segment goes with the next one, when whoever reads
beside can know. A cut in between leaves two good records, and the index knows which one counts.

Bit rot is looked for in passing: every record that is needed is read once a round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.downlink.segment_record import Place, RecordDamagedError, RecordKind
from flight.downlink.store_space import is_full

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flight.downlink.segment_file import SegmentLog
    from flight.downlink.store_index_sqlite import IndexBatch, StoreIndex
    from flight.downlink.store_request import WriteOutcome
    from flight.downlink.store_space import DurableNames, StoreSpace

MOVE_BYTES = 1 << 20
SCRUB_BYTES = 64 * 1024
LOST_MAX = 4
"""Records a step may give up: a medium that answers nothing for a second has not lost them all."""
PRESSURE_SHARE = 0.5
"""Below this share of the cap nothing is moved: room that nobody asks for is not worth the wear."""
SPARSE_SHARE = 0.5
"""Above this share alive a copy costs more than it gives, unless the cap itself is near."""
TIGHT_SHARE = 0.9


class SegmentRoom:
    """How much of each segment is still needed, in bytes; kept by the writer alone.

    Attributes:
        emptied: nothing of some segment is needed any more; whoever frees it says it is seen.
    """

    def __init__(self) -> None:
        self._alive: dict[int, int] = {}
        self.emptied = False

    def add(self, segment: int, room_bytes: int) -> None:
        """A record more."""
        self._alive[segment] = self._alive.get(segment, 0) + room_bytes

    def take(self, segment: int, room_bytes: int) -> None:
        """A record less."""
        left = self._alive.get(segment, 0) - room_bytes
        assert left >= 0, "room that was never taken"
        if left:
            self._alive[segment] = left
        else:
            self._alive.pop(segment, None)
            self.emptied = True

    def alive_bytes(self, segment: int) -> int:
        """Room of all records of a segment that are needed."""
        return self._alive.get(segment, 0)

    def emptiest(self, sizes: Iterable[tuple[int, int]], share_max: float) -> int | None:
        """Of (segment, size) the one with the smallest share alive, None when none is below."""
        shares = [(self.alive_bytes(segment) / size, segment) for segment, size in sizes]
        share, segment = min(shares, default=(1.0, 0))
        return segment if share < share_max else None


class SegmentTending:
    """Owns where compaction and scrub are; the writer gives it a step now and then."""

    def __init__(
        self, log: SegmentLog, space: StoreSpace, index: StoreIndex, room: SegmentRoom
    ) -> None:
        self._log = log
        self._space = space
        self._index = index
        self._room = room
        self._to_scrub: list[tuple[int, int]] = []
        self._scrubbing = 0

    def step(self, names: DurableNames, batch: IndexBatch, outcome: WriteOutcome) -> int | None:
        """One piece of each; what it appends is made durable by the caller's commit.

        Returns:
            The segment that survivors left, if one did.
        """
        victim = self._victim()
        left = victim is not None and self._move(victim, names, batch, outcome)
        self._scrub(outcome)
        return victim if left else None

    def _victim(self) -> int | None:
        active = self._log.active
        taken, cap = self._log.allocated_bytes, self._space.capacity_bytes
        if active is None or taken < PRESSURE_SHARE * cap:
            return None
        tight = taken + self._log.usual_bytes > cap
        room, sealed = self._room, (s for s in self._log.segments if s < active)
        alive = ((s, self._log.size_bytes(s)) for s in sealed if room.alive_bytes(s))
        return room.emptiest(alive, TIGHT_SHARE if tight else SPARSE_SHARE)

    def _move(
        self, victim: int, names: DurableNames, batch: IndexBatch, outcome: WriteOutcome
    ) -> bool:
        """Copies survivors of one segment forward; a large record alone may exceed the bound.

        Returns:
            Whether any of them left it.
        """
        moved = 0
        for offset, product_id in self._index.alive_in(victim):
            if moved >= MOVE_BYTES or len(outcome.damaged) >= LOST_MAX:
                break
            try:
                record = self._log.read(Place(victim, offset))
            except RecordDamagedError:
                outcome.damaged.append(product_id)
                continue
            try:
                self._space.for_survivor(names, len(record.meta), len(record.payload))
                place = self._log.append(
                    RecordKind.PRODUCT, record.identity, record.meta, record.payload
                )
            except OSError as error:
                if not is_full(error):
                    raise
                break
            room = record.room
            self._room.take(victim, room)
            self._room.add(place.segment, room)
            batch.moves[product_id] = outcome.moved[product_id] = place
            moved += room
        outcome.moved_bytes += moved
        return moved > 0

    def _scrub(self, outcome: WriteOutcome) -> None:
        """Reads up to `SCRUB_BYTES` of records; what does not verify is told."""
        if not self._to_scrub:
            self._next_to_scrub()
        looked = 0
        while self._to_scrub and looked < SCRUB_BYTES and len(outcome.damaged) < LOST_MAX:
            offset, product_id = self._to_scrub.pop()
            if self._index.segment_of(product_id) != self._scrubbing:
                continue  # freed or moved since
            try:
                record = self._log.read(Place(self._scrubbing, offset))
            except RecordDamagedError:
                outcome.damaged.append(product_id)
                continue
            looked += record.room
        outcome.scrubbed_bytes += looked

    def _next_to_scrub(self) -> None:
        """The segment after the last one; from the first one again after the newest."""
        segments = self._log.segments
        if segments:
            after = [segment for segment in segments if segment > self._scrubbing]
            self._scrubbing = after[0] if after else segments[0]
            self._to_scrub = self._index.alive_in(self._scrubbing)[::-1]
