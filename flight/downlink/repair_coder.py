"""Repair symbols over the frames sent, for the time in which no report can ask for them again.

Image -> ground, hop "told", when nobody tells. As long as a contact's first report is awaited,
frames are summed up, and an idle line carries repair frames; once the uplink counts as silent, so
many of them follow every hundred product frames. The end of a contact is such a silence as well,
from when on a report may come too late, where they came far apart. While reports come in time there
is none of it: no frame, no room in a frame, no sum. Frames are dealt out to several blocks in turn,
so that a fade takes a few of each. Sums are kept, frames are not, and the ARQ knows nothing of all
this: repair frames are numbered on another channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from flight.base.channels import Bounded, Offer, Overflow
from flight.wire.repair_packet import (
    LENGTH_BYTES,
    REPAIR_ROOM_BYTES,
    REPAIRS_MAX,
    RepairSymbol,
    encode_repair,
    source_symbol,
)
from hal.native_library import ffi, lib

if TYPE_CHECKING:
    from flight.downlink.pass_plan import Contact

SPAN_NS = 1_000_000_000
"""Line time that the blocks under way spread over: many fades of 50 to 500 ms."""
SOURCES = 128
"""Frames in a full block; a slow line has smaller ones."""
SOURCES_LEAST = 8
BLOCKS_MAX = 16
EARNED_MAX = 4.0
"""Repair frames that may follow one another on a busy line: more would fall into one fade."""
CLOSING_GAPS = 2
"""Reports that must still be expected, as far apart as they were lately, for one to be in time."""
CLOSING_GAP_LEAST_NS = 15_000_000_000
"""Where reports come closer together, the end costs as much room as it saves: measured, with one
every 10 s, 310 products arrive whole instead of 315, with one every 30 s 308 instead of 298."""
CLOSING_BLOCKS = 3
"""Generations of blocks in the last moments of a contact."""
GAP_FADES = 0.75
"""What is left of the longest gap between reports with each report that comes sooner."""
LAST_FRAMES = 4
"""On their way to the line when a contact ends."""
IDLE_FLUSH_NS = 50_000_000
"""An idle line closes the blocks under way after so long, so that one fade does not take both."""

_BITS_NS = 8 * 1_000_000_000


@dataclass(slots=True)
class RepairCounts:
    """Repair symbols since start: made for a block, sent, and given up for newer ones."""

    made: int = 0
    sent: int = 0
    dropped: int = 0


class _Block:
    __slots__ = ("c_sums", "first", "full", "sources", "sums")

    def __init__(self, repairs: int, symbol_bytes: int, full: int) -> None:
        self.full = full
        self.sums = bytearray(repairs * symbol_bytes)
        self.c_sums: Any = ffi.from_buffer(self.sums, require_writable=True)
        self.first = self.sources = 0

    def clear(self) -> None:
        self.sums[:] = bytes(len(self.sums))
        self.sources = 0


class RepairCoder:
    """Sums up repair symbols and says when one is due.

    Args:
        room_bytes: packets in a frame, at most.
        frame_bytes: of a frame on the line.
        share: repair frames for each product frame, above 0 and up to 0.4.
        after_ns: line time without a report after which the uplink counts as silent.

    Attributes:
        due: symbols that wait for a frame; what a report makes needless is no loss.
    """

    def __init__(self, *, room_bytes: int, frame_bytes: int, share: float, after_ns: int) -> None:
        self._room_bytes = room_bytes
        self._symbol_bytes = room_bytes - REPAIR_ROOM_BYTES + LENGTH_BYTES
        self._frame_bytes = frame_bytes
        self._share = share
        self._after_ns = after_ns
        self._contact_id: int | None = None
        self._heard = False
        self._blocks: list[_Block] = []
        self._sources = SOURCES
        self.due: Bounded[bytes] = Bounded("repairs", 4 * REPAIRS_MAX, Overflow.DROP_OLDEST)
        self._reports = self._looked_ns = self._silent_ns = self._gap_ns = 0
        self._closing = False
        self._last_ns = 0
        self._earned = 0.0
        self.counts = RepairCounts()

    @property
    def silent(self) -> bool:
        """No report came for long, or none can come in time: frames that are lost stay lost."""
        return self._closing or self._silent_ns >= self._after_ns

    @property
    def room_bytes(self) -> int:
        """Packets in a product frame, at most, so that a sum over it fits a frame of its own."""
        return self._room_bytes - (REPAIR_ROOM_BYTES if self._blocks else 0)

    def look(self, now_ns: int, contact: Contact | None, reports: int, *, may_send: bool) -> None:
        """Once a turn of the contact loop: which contact, and whether reports come."""
        contact_id = None if contact is None else contact.contact_id
        if contact_id != self._contact_id:
            self._contact_id, self._heard, self._silent_ns, self._gap_ns = contact_id, False, 0, 0
            self._forget()
        elif reports != self._reports:
            self._gap_ns = max(self._silent_ns, int(GAP_FADES * self._gap_ns))
            self._heard, self._silent_ns = True, 0
            self._forget()
        elif may_send:
            self._silent_ns += now_ns - self._looked_ns
        self._reports, self._looked_ns = reports, now_ns
        if contact is None:
            return
        left_ns = contact.end_ns - now_ns
        rare = self._heard and self._gap_ns >= CLOSING_GAP_LEAST_NS
        self._closing = rare and left_ns <= CLOSING_GAPS * self._gap_ns
        if not self._blocks and (self.silent or not self._heard):
            self._begin(contact, left_ns)
        elif self.silent:
            self._finish(left_ns * contact.rate_bps / (_BITS_NS * self._frame_bytes))

    def sent(self, frame_no: int, packets: bytes, now_ns: int) -> None:
        """A product frame went out; numbers follow one another."""
        if not self._blocks:
            return
        self._last_ns = now_ns
        if self.silent:
            self._earned = min(self._earned + self._share, EARNED_MAX)
        block = self._blocks[frame_no % len(self._blocks)]
        if block.sources == 0:
            block.first = frame_no
        symbol = source_symbol(packets)
        code = lib.erasure_add(
            block.c_sums, self._symbol_bytes, self._repairs(self._sources), block.sources, symbol,
            len(symbol),
        )  # fmt: skip
        assert code == 0, "a frame is no longer than its room"
        block.sources += 1
        if block.sources >= block.full:
            self._close(block)

    def owed(self) -> int:
        """Repair frames that are due on a busy line; 0 unless the uplink is silent."""
        return min(int(self._earned), len(self.due)) if self.silent else 0

    def take(self, now_ns: int, *, idle: bool) -> bytes | None:
        """The next repair packet's data when it is its turn; `idle`: no product frame waits."""
        if idle and now_ns - self._last_ns >= IDLE_FLUSH_NS:
            for block in self._blocks:
                if block.sources:
                    self._close(block)
        if not self.due or not (idle or (self.silent and self._earned >= 1.0)):
            return None
        self._earned = max(self._earned - 1.0, 0.0)
        self.counts.sent += 1
        return self.due.take()

    def _forget(self) -> None:
        """What was summed up is of another contact, or will be reported."""
        self._blocks = []
        self.due.clear()
        self._earned = 0.0

    def _finish(self, frames_left: float) -> None:
        """What is summed up has to go before the contact is over."""
        under_way = sum(self._repairs(block.sources) for block in self._blocks)
        if frames_left - LAST_FRAMES > under_way + len(self.due):
            return
        for block in self._blocks:
            if block.sources:
                self._close(block)
        self._earned = max(self._earned, float(len(self.due)))

    def _begin(self, contact: Contact, left_ns: int) -> None:
        span_ns = min(SPAN_NS, left_ns // CLOSING_BLOCKS)
        frames = max(contact.rate_bps * span_ns / (_BITS_NS * self._frame_bytes), 1.0)
        blocks = min(max(ceil(frames / SOURCES), 1), BLOCKS_MAX)
        self._sources = int(min(max(frames / blocks, SOURCES_LEAST), SOURCES))
        repairs = self._repairs(self._sources)
        # The first blocks are of growing length, so that from then on they end one after another.
        self._blocks = [
            _Block(repairs, self._symbol_bytes, max(1, self._sources * (i + 1) // blocks))
            for i in range(blocks)
        ]

    def _repairs(self, sources: int) -> int:
        return min(ceil(sources * self._share), REPAIRS_MAX)

    def _close(self, block: _Block) -> None:
        size = self._symbol_bytes
        for repair in range(self._repairs(block.sources)):
            self.counts.made += 1
            symbol = bytes(block.sums[repair * size : (repair + 1) * size])
            packet = encode_repair(
                RepairSymbol(block.first, len(self._blocks), block.sources, repair, symbol)
            )
            self.counts.dropped += self.due.offer(packet) is Offer.DISPLACED
        block.clear()
        block.full = self._sources
