"""Payloads of durable products, as the downlink reads them: from memory, else from their record.

Image -> ground, hop "packed into frames". A record is verified once, when it is read; what was read
stays in memory while it is sent.
"""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product import product_of
from flight.downlink.segment_file import segment_name
from flight.downlink.segment_record import (
    HEADER_BYTES,
    RecordDamagedError,
    decode_header,
    verified,
)
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.wire.errors import WireError
from flight.wire.product_packet import Manifest, decode_manifest_packet

if TYPE_CHECKING:
    from flight.downlink.file_store import FileStore
    from flight.downlink.product import Product
    from flight.downlink.product_catalogue import CatalogueRow
    from flight.downlink.segment_record import Place, Record

CACHE_BYTES = 16 << 20
HANDLES_MAX = 32


class PayloadCache:
    """Keeps up to `max_bytes`, oldest out first; a single larger payload is kept alone.

    Two or three products are sent at a time (one is overtaken by another), so a few megabytes do.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._payloads: dict[int, bytes] = {}
        self._manifests: dict[int, bytes] = {}
        self.held_bytes = 0

    def get(self, product_id: int) -> bytes | None:
        """The payload, or None."""
        return self._payloads.get(product_id)

    def manifest(self, product_id: int) -> bytes | None:
        """The manifest that came with it, or None."""
        return self._manifests.get(product_id)

    def put(self, product_id: int, payload: bytes, manifest: bytes) -> None:
        """Keeps a payload that is not in yet, and what its record says of it."""
        while self._payloads and self.held_bytes + len(payload) > self._max:
            self.drop(next(iter(self._payloads)))
        self._payloads[product_id], self._manifests[product_id] = payload, manifest
        self.held_bytes += len(payload)

    def drop(self, product_id: int) -> None:
        """Forgets a payload; unknown ones pass."""
        self.held_bytes -= len(self._payloads.pop(product_id, b""))
        self._manifests.pop(product_id, None)


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

    def record(self, place: Place) -> Record:
        """A whole record, verified.

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
                return record
        raise RecordDamagedError(f"segment {place.segment} at {place.offset}")

    def manifest(self, place: Place, meta_bytes: int) -> bytes:
        """What begins a record, without its payload and so not verified.

        Raises:
            RecordDamagedError: no header there says so.
        """
        octets = self._files.pread(self._handle(place), HEADER_BYTES + meta_bytes, place.offset)
        header = decode_header(octets)
        if header is None or header.meta_bytes != meta_bytes:
            raise RecordDamagedError(f"segment {place.segment} at {place.offset}")
        return octets[HEADER_BYTES:]

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
            record = self._reader.record(place)
        except RecordDamagedError as damage:
            raise StoreError(StoreErrorKind.DAMAGED, str(damage)) from None
        except OSError as error:
            damaged = error.errno == errno.EIO  # one sector costs what lies in it, and no more
            kind = StoreErrorKind.DAMAGED if damaged else StoreErrorKind.SYNC
            raise StoreError(kind, str(error)) from error
        self._cache.put(product_id, record.payload, record.meta)
        return record.payload

    def known_manifest(self, product_id: int) -> bytes | None:
        """The manifest of a payload that is in memory."""
        return self._cache.manifest(product_id)

    def describe(self, row: CatalogueRow) -> Product | None:
        """A product as its record says, at its present value; None where the medium lost that.

        The manifest has to fit the row; whether the record verifies is seen when its bytes are
        read, before the first of them is sent.
        """
        with contextlib.suppress(RecordDamagedError, OSError, WireError, ValueError):
            manifest = decode_manifest_packet(self._reader.manifest(row.place, row.manifest_bytes))
            if isinstance(manifest, Manifest):
                product = product_of(manifest)
                if product.product_id == row.product_id and product.size_bytes == row.size_bytes:
                    return msgspec.structs.replace(product, value_millis=row.value_millis)
        return None

    def forget(self, product_id: int) -> None:
        """The product is gone."""
        self._cache.drop(product_id)

    def forget_segment(self, segment: int) -> None:
        """The segment is gone."""
        self._reader.forget(segment)

    def close(self) -> None:
        """Gives handles back."""
        self._reader.close()
