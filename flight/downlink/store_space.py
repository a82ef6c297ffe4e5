"""Room for records on the medium: products up to the cap, counters and blobs beyond it.

Image -> ground, hop "durable before it counts", on a medium that is full. A product may be refused,
a counter may not: without it no frame can be sealed and no start be counted, and the ground could
not even ask for room. So a reserve file is held, as large as a segment. When the medium has no room
left the reserve is given up, counters go on in small segments, and no product gets a new segment
before the reserve is back.

Every segment begins with all counters and blobs, so an old segment may be unlinked without a
counter being forgotten, whatever becomes of the index.
"""

from __future__ import annotations

import errno
import sqlite3
from typing import TYPE_CHECKING, TypeVar

from flight.downlink.segment_record import RecordKind, record_bytes
from flight.downlink.store_values import StoreErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.downlink.file_store import FileStore
    from flight.downlink.segment_file import SegmentLog

T = TypeVar("T")
RESERVE_NAME = "reserve"
SMALL_SEGMENT_BYTES = 64 * 1024
FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})


class DurableNames:
    """Highest reserved value of each counter, newest content of each blob."""

    def __init__(
        self, counters: dict[str, int] | None = None, blobs: dict[str, bytes] | None = None
    ) -> None:
        self.counters = {} if counters is None else counters
        self.blobs = {} if blobs is None else blobs

    def record_bytes(self) -> int:
        """Room `append_to` takes."""
        names = sum(record_bytes(len(name.encode()), 0) for name in self.counters)
        return names + sum(record_bytes(len(n.encode()), len(b)) for n, b in self.blobs.items())

    def append_to(self, log: SegmentLog) -> None:
        """Writes all of them into the active segment; durable with its next sync."""
        for name, value in sorted(self.counters.items()):
            log.append(RecordKind.COUNTER, value, name.encode(), b"")
        for name, blob in sorted(self.blobs.items()):
            log.append(RecordKind.STATE, 0, name.encode(), blob)


class SegmentHead:
    """Whether the beginning of a segment repeats every name: nothing before it is missed then.

    They stand there in ascending order; what breaks it, or is a product, comes behind them all.
    """

    def __init__(self) -> None:
        self._end, self._last = 0, (0, b"")

    def is_over(self, offset: int, kind: int, name: bytes, length: int) -> bool:
        """Takes one valid record more, in order; True when it comes behind a whole beginning."""
        if offset != self._end:
            return False
        if kind == RecordKind.PRODUCT or (kind, name) <= self._last:
            return True
        self._end, self._last = offset + record_bytes(0, length), (kind, name)
        return False


class StoreSpace:
    """Says where the next record goes.

    Args:
        files: the folder of the segments.
        log: the segments.
        capacity_bytes: space that segments of products may take, the reserve not included.
        reserve_bytes: size of the reserve; 0 for none.

    Raises:
        OSError: as the files give it; ENOSPC also when the cap is reached.
    """

    def __init__(
        self, files: FileStore, log: SegmentLog, capacity_bytes: int, reserve_bytes: int
    ) -> None:
        self._files = files
        self._log = log
        self._capacity_bytes = capacity_bytes
        self._reserve_bytes = reserve_bytes
        self._held = RESERVE_NAME in files.names()

    @property
    def capacity_bytes(self) -> int:
        """Space that segments of products may take."""
        return self._capacity_bytes

    @property
    def held(self) -> bool:
        """Whether the reserve is there, or none is wanted."""
        return self._held or not self._reserve_bytes

    def hold(self) -> None:
        """Makes the reserve when it is not there; ENOSPC leaves nothing behind."""
        if self.held:
            return
        handle = self._files.open(RESERVE_NAME, create=True)
        try:
            self._files.preallocate(handle, self._reserve_bytes)
            self._files.fsync_dir()
        except OSError:
            self._files.unlink(RESERVE_NAME)
            raise
        finally:
            self._files.close(handle)
        self._held = True

    def give_up(self) -> bool:
        """Gives the reserve's room to whoever needs it; False when there was none."""
        if not self._held:
            return False
        self._files.unlink(RESERVE_NAME)
        self._held = False
        return True

    def for_product(self, names: DurableNames, meta_bytes: int, payload_bytes: int) -> None:
        """Sees to it that the active segment takes such a record."""
        if self._log.fits(meta_bytes, payload_bytes):
            return
        self.hold()
        payload_bytes += names.record_bytes()
        self._log.roll(meta_bytes, payload_bytes, capacity_bytes=self._capacity_bytes)
        names.append_to(self._log)

    def for_survivor(self, names: DurableNames, meta_bytes: int, payload_bytes: int) -> None:
        """The same for a record that is moved, so that the segment it leaves becomes free.

        The cap may be exceeded by one segment while it lasts: at the cap there would be no way out.
        """
        if self._log.fits(meta_bytes, payload_bytes):
            return
        room = payload_bytes + names.record_bytes()
        spare_bytes = self._log.usual_bytes + room
        self._log.roll(meta_bytes, room, capacity_bytes=self._capacity_bytes + spare_bytes)
        names.append_to(self._log)

    def for_name(self, names: DurableNames, meta_bytes: int, blob_bytes: int) -> None:
        """The same for a counter or a blob; the cap does not hold for it."""
        if self._log.fits(meta_bytes, blob_bytes):
            return
        room = blob_bytes + names.record_bytes()
        try:
            self._log.roll(meta_bytes, room, capacity_bytes=self._capacity_bytes)
        except OSError as error:
            if error.errno not in FULL_ERRNOS:
                raise
            self.insist(lambda: self._log.roll(meta_bytes, room, least_bytes=SMALL_SEGMENT_BYTES))
        names.append_to(self._log)

    def insist(self, action: Callable[[], T]) -> T:
        """What `action` gives; once more, with the reserve's room, when the medium is full.

        For what may not be refused. `action` may have been done in part before.
        """
        try:
            return action()
        except (OSError, sqlite3.Error) as error:
            if not is_full(error) or not self.give_up():
                raise
            return action()


def kind_of(error: OSError | sqlite3.Error) -> StoreErrorKind:
    """What an error of the medium means; FULL alone breaks nothing and may be over later."""
    if is_full(error):
        return StoreErrorKind.FULL
    if isinstance(error, OSError):
        return StoreErrorKind.READ_ONLY if error.errno == errno.EROFS else StoreErrorKind.SYNC
    read_only = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY
    return StoreErrorKind.READ_ONLY if read_only else StoreErrorKind.INDEX


def is_full(error: OSError | sqlite3.Error) -> bool:
    """Whether the medium had no room; that breaks nothing and may be over later."""
    if isinstance(error, OSError):
        return error.errno in FULL_ERRNOS
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
