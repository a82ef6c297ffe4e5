"""The segment log: CRC'd records in preallocated files, the point at which a product is durable.

Image -> ground, hop "durable before it counts". Records are appended to the active segment with one
write each and made durable in groups (`segment_record` has their form). A reset may leave a torn
record at the end of the segment that was active; recovery never writes behind it but starts a new
segment, so what was read once is read the same way for ever.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from flight.downlink.segment_record import (
    HEADER_BYTES,
    MAGIC,
    Place,
    Record,
    RecordDamagedError,
    RecordKind,
    decode_header,
    encode_record,
    record_bytes,
    verified,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flight.downlink.file_store import FileStore

SEGMENT_BYTES = 8 << 20
AHEAD_BYTES = 1 << 20
"""Read at a time when a segment is scanned: a million small records are no two million reads."""
_PREFIX, _SUFFIX = "segment-", ".log"


def segment_name(segment: int) -> str:
    """The file of a segment."""
    return f"{_PREFIX}{segment:010d}{_SUFFIX}"


def segment_of(name: str) -> int | None:
    """The segment of a file, None for another file."""
    digits = name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if not digits.isdecimal() or name != segment_name(int(digits)):
        return None
    return int(digits)


class _ReadAhead:
    """Reads of one segment in ascending order."""

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._start, self._buffer = 0, b""

    def pread(self, handle: int, length: int, offset: int) -> bytes:
        """As `FileStore.pread`."""
        at = offset - self._start
        if at < 0 or at + length > len(self._buffer):
            self._buffer = self._files.pread(handle, max(length, AHEAD_BYTES), offset)
            self._start, at = offset, 0
        return self._buffer[at : at + length]


class SegmentLog:
    """Segments of one folder; no thread, no clock.

    Args:
        files: where they are.
        segment_bytes: size of a segment; a larger record gets a segment of its own size.

    Raises:
        OSError: as the files give it, from every method.
    """

    def __init__(self, files: FileStore, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._files = files
        self._segment_bytes = segment_bytes
        self._handles: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._dirty: dict[int, int] = {}
        self._active: int | None = None
        self._end = 0
        for name in files.names():
            segment = segment_of(name)
            if segment is not None:
                self._handles[segment] = files.open(name)
                self._sizes[segment] = files.size_bytes(self._handles[segment])
        self._next = max(self._handles, default=0) + 1

    @property
    def active(self) -> int | None:
        """The segment records are appended to; None before the first append."""
        return self._active

    @property
    def segments(self) -> tuple[int, ...]:
        """All segments, oldest first."""
        return tuple(sorted(self._handles))

    @property
    def allocated_bytes(self) -> int:
        """Space all segments take."""
        return sum(self._sizes.values())

    @property
    def usual_bytes(self) -> int:
        """Size of a segment that no large record asked for."""
        return self._segment_bytes

    @property
    def written(self) -> dict[int, int]:
        """How far each segment with records that are not synced yet is written."""
        return dict(self._dirty)

    def size_bytes(self, segment: int) -> int:
        """Space one segment takes."""
        return self._sizes[segment]

    def octets(self, segment: int, offset: int, need_bytes: int, most_bytes: int) -> bytes:
        """Bytes of a segment as they are, unverified; shorter than needed only at its end."""
        handle = self._handles[segment]
        try:
            return self._files.pread(handle, most_bytes, offset)
        except OSError as error:
            if error.errno != errno.EIO or most_bytes <= need_bytes:
                raise
        return self._files.pread(handle, need_bytes, offset)  # the bad sector may lie behind that

    def fits(self, meta_bytes: int, payload_bytes: int) -> bool:
        """Whether the active segment takes such a record; if not, `roll` first."""
        if self._active is None:
            return False
        size = self._sizes[self._active]
        return self._end + record_bytes(meta_bytes, payload_bytes) <= size

    def roll(
        self,
        meta_bytes: int,
        payload_bytes: int,
        *,
        capacity_bytes: int | None = None,
        least_bytes: int | None = None,
    ) -> int:
        """Starts a new segment, large enough for such a record; returns its number.

        All segments together may take `capacity_bytes`, if given. The segment has the usual size,
        or `least_bytes`, if given.

        Raises:
            OSError: ENOSPC also when all segments together would exceed `capacity_bytes`.
        """
        segment = self._next
        usual = self._segment_bytes if least_bytes is None else least_bytes
        size = max(usual, record_bytes(meta_bytes, payload_bytes))
        if capacity_bytes is not None and self.allocated_bytes + size > capacity_bytes:
            raise OSError(errno.ENOSPC, f"{self.allocated_bytes} + {size} of {capacity_bytes} B")
        name = segment_name(segment)
        handle = self._files.open(name, create=True)
        try:
            self._files.preallocate(handle, size)
            self._files.fsync_dir()
        except OSError:
            self._files.close(handle)
            self._files.unlink(name)
            raise
        self._next += 1
        self._handles[segment], self._sizes[segment] = handle, size
        self._active, self._end = segment, 0
        return segment

    def append(self, kind: RecordKind, identity: int, meta: bytes, payload: bytes) -> Place:
        """Writes one record, not durable before `sync`; the caller saw that it `fits`."""
        segment, offset = self._active, self._end
        assert segment is not None
        end = offset + record_bytes(len(meta), len(payload))
        assert end <= self._sizes[segment], "roll first"
        record = encode_record(kind, identity, meta, payload)
        self._files.pwrite(self._handles[segment], record, offset)
        self._end = self._dirty[segment] = end
        return Place(segment, offset)

    def sync(self) -> int:
        """Makes everything appended durable; returns how many device syncs that took."""
        synced = sorted(self._dirty)
        for segment in synced:
            self._files.fdatasync(self._handles[segment])
        self._dirty.clear()
        return len(synced)

    def read(self, place: Place) -> Record:
        """A whole record, verified.

        Raises:
            RecordDamagedError: it does not verify, or its sector cannot be read.
        """
        try:
            record = self._read(place, self._files.pread)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise RecordDamagedError(str(error)) from error
        if isinstance(record, Record):
            return record
        raise RecordDamagedError(f"segment {place.segment} at {place.offset}")

    def scan(self, segment: int, offset: int = 0) -> Iterator[Record]:
        """Every valid record from `offset` on; ends at zeros or at a torn record.

        A damaged record in the middle is stepped over when another record follows it.
        """
        ahead = _ReadAhead(self._files)
        while True:
            found = self._read(Place(segment, offset), ahead.pread)
            if isinstance(found, Record):
                yield found
                offset += found.room
            elif found and self._magic_at(segment, offset + found):
                offset += found
            else:
                return

    def free(self, segment: int) -> None:
        """Removes a segment nothing refers to any more; durable when this returns."""
        assert segment != self._active
        self._files.close(self._handles.pop(segment))
        del self._sizes[segment]
        self._dirty.pop(segment, None)
        self._files.unlink(segment_name(segment))
        self._files.fsync_dir()

    def close(self) -> None:
        """Gives all handles back; what was not synced is not durable."""
        for handle in self._handles.values():
            self._files.close(handle)
        self._handles.clear()

    def _magic_at(self, segment: int, offset: int) -> bool:
        return self._files.pread(self._handles[segment], len(MAGIC), offset) == MAGIC

    def _read(self, place: Place, pread: Callable[[int, int, int], bytes]) -> Record | int:
        """The record, or the room a damaged one claims to take, 0 when there is none at all."""
        handle = self._handles.get(place.segment)
        if handle is None:
            return 0
        head = pread(handle, HEADER_BYTES, place.offset)
        header = decode_header(head)
        if header is None or place.offset + header.room > self._sizes[place.segment]:
            return 0
        body = pread(handle, header.length, place.offset + HEADER_BYTES)
        return verified(place, head, header, body) or header.room
