"""The segment log: CRC'd records in preallocated files, the point at which a product is durable.

Image -> ground, hop "durable before it counts". Records are appended to the active segment with one
write each and made durable in groups (`segment_record` has their form). A reset may leave a torn
record at the end of the segment that was active; recovery never writes behind it but starts a new
segment, so what was read once is read the same way for ever.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.segment_record import (
    ALIGN,
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
    from flight.downlink.file_store import FileStore

SEGMENT_BYTES = 8 << 20
AHEAD_BYTES = 1 << 20
"""Read at a time at a start: a million small records are no two million reads."""
SECTOR_BYTES = 4096
"""Read at a time around what cannot be read: a kernel knows no smaller piece."""
PATIENCE = 256
"""Reads that may fail at a start: each may take a card a second. The rest of a segment is lost."""
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

    def octets(self, segment: int, offset: int, most_bytes: int) -> bytes:
        """Bytes of a segment as they are; none at a sector that cannot be read, fewer before it."""
        try:
            return self._files.pread(self._handles[segment], most_bytes, offset)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""

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
        segment, offset = place.segment, place.offset
        head = self.octets(segment, offset, HEADER_BYTES) if segment in self._handles else b""
        header = decode_header(head)
        if header is not None and offset + header.room <= self._sizes[segment]:
            body = self.octets(segment, offset + HEADER_BYTES, header.length)
            if (record := verified(place, head, header, body)) is not None:
                return record
        raise RecordDamagedError(f"segment {segment} at {offset}")

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


class Gap(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a segment that cannot be read.

    Attributes:
        end: where the next record begins, the end of the segment when none is found.
        product_id: of the product whose record begins it; None where that cannot be known.
        alone: nothing lies in it but that record.
    """

    end: int
    product_id: int | None
    alone: bool


class PatientReader:
    """Reads around sectors that cannot be read, for one start.

    Raises:
        OSError: anything but EIO, as the files give it.
    """

    def __init__(self, log: SegmentLog) -> None:
        self._log = log
        self._patience = PATIENCE

    def octets(self, segment: int, offset: int, need_bytes: int, most_bytes: int) -> bytes:
        """Bytes of a segment as they are; fewer than needed where the next cannot be read."""
        most_bytes = min(most_bytes, self._log.size_bytes(segment) - offset)
        read = self._once(segment, offset, most_bytes)
        if len(read) >= min(need_bytes, most_bytes):
            return read
        whole = bytearray(read)
        while len(whole) < most_bytes and self._patience > 0:
            at = offset + len(whole)
            piece = min(SECTOR_BYTES - at % SECTOR_BYTES, most_bytes - len(whole))
            if not (read := self._once(segment, at, piece)):
                break
            whole += read
        return bytes(whole)

    def gap(self, segment: int, offset: int) -> Gap | None:
        """What the record at `offset` costs, which cannot be read whole; None: none begins there.

        A header is believed where a record begins, or none ever was, behind the room it claims.
        """
        left = self._log.size_bytes(segment) - offset
        head = self.octets(segment, offset, HEADER_BYTES, HEADER_BYTES)
        header = decode_header(head)
        if left < HEADER_BYTES or (head and head[: len(MAGIC)] != MAGIC):
            return None
        if header is None and len(head) < HEADER_BYTES:
            return Gap(self._next_record(segment, offset), None, alone=False)
        if header is None or header.room > left:
            return None
        end = offset + header.room
        follows = self.octets(segment, end, len(MAGIC), len(MAGIC))
        product_id = header.identity if header.kind == RecordKind.PRODUCT else None
        if header.room > left - HEADER_BYTES or follows in {MAGIC, bytes(len(MAGIC))}:
            return Gap(end, product_id, alone=product_id is not None)
        return Gap(self._next_record(segment, end), product_id, alone=False)

    def _next_record(self, segment: int, offset: int) -> int:
        """Where the first valid record from `offset` on begins, or the segment ends."""
        size = self._log.size_bytes(segment)
        while offset < size and self._patience > 0:
            left = SECTOR_BYTES - offset % SECTOR_BYTES
            read = self._once(segment, offset, left)
            found = read.find(MAGIC)
            while found >= 0 and self._patience > 0:
                if self._is_record(Place(segment, offset + found)):
                    return offset + found
                found = read.find(MAGIC, found + 1)
            offset += left
        return size

    def _once(self, segment: int, offset: int, most_bytes: int) -> bytes:
        read = self._log.octets(segment, offset, most_bytes)
        self._patience -= not read
        return read

    def _is_record(self, place: Place) -> bool:
        try:
            return place.offset % ALIGN == 0 and bool(self._log.read(place))
        except RecordDamagedError:
            self._patience -= 1
            return False
