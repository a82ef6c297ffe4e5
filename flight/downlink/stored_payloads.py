"""Payloads of durable products, as the downlink reads them: from memory, else from their record.

Image -> ground, hop "packed into frames". A record is verified once, when it is read; what was read
stays in memory while it is sent.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from flight.downlink.segment_file import segment_name
from flight.downlink.segment_record import (
    HEADER_BYTES,
    RecordDamagedError,
    decode_header,
    verified,
)
from flight.downlink.store_values import StoreError, StoreErrorKind

if TYPE_CHECKING:
    from flight.downlink.file_store import FileStore
    from flight.downlink.segment_record import Place

CACHE_BYTES = 16 << 20
HANDLES_MAX = 32


class PayloadCache:
    """Keeps up to `max_bytes`, oldest out first; a single larger payload is kept alone.

    Two or three products are sent at a time (one is overtaken by another), so a few megabytes do.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._payloads: dict[int, bytes] = {}
        self.held_bytes = 0

    def get(self, product_id: int) -> bytes | None:
        """The payload, or None."""
        return self._payloads.get(product_id)

    def put(self, product_id: int, payload: bytes) -> None:
        """Keeps a payload that is not in yet."""
        while self._payloads and self.held_bytes + len(payload) > self._max:
            self.drop(next(iter(self._payloads)))
        self._payloads[product_id] = payload
        self.held_bytes += len(payload)

    def drop(self, product_id: int) -> None:
        """Forgets a payload; unknown ones pass."""
        self.held_bytes -= len(self._payloads.pop(product_id, b""))


class SegmentReader:
    """Reads single records beside the one who writes them, with handles of its own.

    So a segment that the writer frees meanwhile stays readable, and no handle is ever closed under
    a read. Up to `HANDLES_MAX` are open at a time, least recently used first out.

    Raises:
        OSError: as the files give it.
    """

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._handles: dict[int, int] = {}

    def payload(self, place: Place) -> bytes:
        """The payload of a record.

        Raises:
            RecordDamagedError: there is no such record (any more), or it does not verify.
        """
        handle = self._handle(place)
        head = self._files.pread(handle, HEADER_BYTES, place.offset)
        header = decode_header(head)
        if header is not None:
            body = self._files.pread(handle, header.length, place.offset + HEADER_BYTES)
            record = verified(place, head, header, body)
            if record is not None:
                return record.payload
        raise RecordDamagedError(f"segment {place.segment} at {place.offset}")

    def forget(self, segment: int) -> None:
        """The segment was given back."""
        handle = self._handles.pop(segment, None)
        if handle is not None:
            self._files.close(handle)

    def close(self) -> None:
        """Gives all handles back."""
        for segment in tuple(self._handles):
            self.forget(segment)

    def _handle(self, place: Place) -> int:
        handle = self._handles.pop(place.segment, None)
        if handle is None:
            try:
                handle = self._files.open(segment_name(place.segment))
            except FileNotFoundError:
                raise RecordDamagedError(f"segment {place.segment} is gone") from None
            if len(self._handles) >= HANDLES_MAX:
                self.forget(next(iter(self._handles)))
        self._handles[place.segment] = handle
        return handle


class StoredPayloads:
    """Reads beside the writer, never in its way.

    Raises:
        StoreError: DAMAGED when a record does not verify or its sector cannot be read, SYNC for
            any other trouble of the medium.
    """

    def __init__(self, files: FileStore) -> None:
        self._reader = SegmentReader(files)
        self._cache = PayloadCache(CACHE_BYTES)

    def known(self, product_id: int) -> bytes | None:
        """The payload, when it is in memory."""
        return self._cache.get(product_id)

    def load(self, product_id: int, place: Place) -> bytes:
        """The payload from its record; in memory from then on."""
        try:
            payload = self._reader.payload(place)
        except RecordDamagedError as damage:
            raise StoreError(StoreErrorKind.DAMAGED, str(damage)) from None
        except OSError as error:
            damaged = error.errno == errno.EIO  # one sector costs what lies in it, and no more
            kind = StoreErrorKind.DAMAGED if damaged else StoreErrorKind.SYNC
            raise StoreError(kind, str(error)) from error
        self._cache.put(product_id, payload)
        return payload

    def forget(self, product_id: int) -> None:
        """The product is gone."""
        self._cache.drop(product_id)

    def forget_segment(self, segment: int) -> None:
        """The segment is gone."""
        self._reader.forget(segment)

    def close(self) -> None:
        """Gives handles back."""
        self._reader.close()
