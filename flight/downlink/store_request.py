"""What passes between the store and its writer: requests one way, outcomes the other.

Image -> ground, hop "durable before it counts". Requests are numbered by their `mark`, one higher
each; an outcome answers every request up to its own mark. Nobody changes a request once it is sent.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec

from flight.wire import varint
from flight.wire.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.downlink.product_lives import LifeLine
    from flight.downlink.segment_record import Place
    from flight.downlink.store_values import StoreErrorKind


Ranges = tuple[tuple[int, int], ...]
"""Bytes [start, end) of a product, in order and apart."""


class PutRecord(msgspec.Struct, frozen=True, gc=False):
    """A product to be written: its manifest, its bytes."""

    product_id: int
    manifest: bytes
    payload: bytes


class WriteRequest(msgspec.Struct):
    """What is to become durable together.

    Attributes:
        mark: its number.
        puts: new products.
        rewrites: products whose record was lost and whose bytes are still known.
        acked: encoded byte ranges the ground holds, by product.
        states: new state and, for what is given up, the reason, by product.
        freed: room of the records that nobody needs any more, by product.
        delivered: what the ground was said to hold, whether the store still knew it or not.
        counters, blobs: durable names.
        lives: lines of the book of lives; of all this alone they may be lost.
        tend: look after the segments as well: free, move together, verify.
        urgent: somebody waits for the answer.
    """

    mark: int = 0
    puts: list[PutRecord] = msgspec.field(default_factory=list)
    rewrites: list[PutRecord] = msgspec.field(default_factory=list)
    acked: dict[int, bytes] = msgspec.field(default_factory=dict)
    states: dict[int, tuple[int, str | None]] = msgspec.field(default_factory=dict)
    freed: dict[int, int] = msgspec.field(default_factory=dict)
    delivered: dict[int, None] = msgspec.field(default_factory=dict)
    counters: dict[str, int] = msgspec.field(default_factory=dict)
    blobs: dict[str, bytes] = msgspec.field(default_factory=dict)
    lives: Sequence[LifeLine] = ()
    tend: bool = False
    urgent: bool = False

    @property
    def records(self) -> int:
        """How many single changes it holds."""
        return (
            len(self.puts)
            + len(self.rewrites)
            + len(self.acked)
            + len(self.states)
            + len(self.freed)
            + len(self.counters)
            + len(self.blobs)
        )

    @property
    def changes(self) -> bool:
        """Whether anything is to become durable: a commit."""
        return bool(self.puts or self.delivered or self.lives or self.records)


class WriteOutcome(msgspec.Struct):
    """What became of all requests up to `mark`.

    Attributes:
        mark: the last request that is durable by now.
        error, detail: why the newest one is not, if so. FULL alone is not the end: what is not
            durable yet is written with the next request.
        places: where new and rewritten products are.
        moved: where products are that were moved.
        refused: products for which there was no room.
        names_refused: counters and blobs for which there was none.
        damaged: products whose record was found not to verify.
        freed_segments: segments that are gone.
        moved_bytes, scrubbed_bytes: work on the segments.
    """

    mark: int = 0
    error: StoreErrorKind | None = None
    detail: str = ""
    places: dict[int, Place] = msgspec.field(default_factory=dict)
    moved: dict[int, Place] = msgspec.field(default_factory=dict)
    refused: list[int] = msgspec.field(default_factory=list)
    names_refused: list[str] = msgspec.field(default_factory=list)
    damaged: list[int] = msgspec.field(default_factory=list)
    freed_segments: list[int] = msgspec.field(default_factory=list)
    moved_bytes: int = 0
    scrubbed_bytes: int = 0


def encode_ranges(ranges: Sequence[tuple[int, int]]) -> bytes:
    """Byte ranges as gaps and lengths."""
    out = bytearray()
    behind = 0
    for start, end in ranges:
        varint.put(out, start - behind)
        varint.put(out, end - start)
        behind = end
    return bytes(out)


def decode_ranges(buf: bytes) -> Ranges:
    """The inverse of `encode_ranges`; a damaged blob is no range at all (bytes are sent twice)."""
    ranges, at, behind = [], 0, 0
    with contextlib.suppress(WireError):
        while at < len(buf):
            gap, at = varint.take(buf, at)
            length, at = varint.take(buf, at)
            ranges.append((behind + gap, behind + gap + length))
            behind += gap + length
        return tuple(ranges)
    return ()
