"""The boot record: 64 bytes that say how the last run ended, before anything else is opened.

Two slots, written in turn, so that a power cut inside a write leaves the other one. A slot counts
only when its CRC and the complements of its counters fit: a flipped bit makes a slot damaged, never
a wrong count (the manner of cFS HS, which keeps each of its reset counters beside its complement).

The clock of a machine begins anew with each power-up; the deadlines of products, sequences and
timers must not. So mission time is the monotonic clock plus the record's offset, which holds while
the machine is up. After a power cut it goes on where it can at latest have been: some beats after
the last one written, or, when a time source vouches for both ends, after as much UTC as has passed.

Layout, little-endian: magic 2 | version 1 | ended 1 | sequence 4 | boots 4 | ~boots 4 |
unplanned 1 | ~unplanned 1 | mode 1 | flags 1 | reserved 4 | mission 8 | offset 8 | utc 8 |
power-up 8 | reserved 4 | CRC-32C 4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from flight.telemetry.definitions import Mode
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOT_BYTES: Final = 64
SLOTS: Final = 2
LOOP_STARTS: Final = 3
"""So many unplanned starts in a row, and the next run is one on defaults in SAFE."""
GOOD_FLIGHT_NS: Final = 300_000_000_000
"""A run that lasts this long was none of a boot loop: the starts in a row are forgotten."""
BEAT_NS: Final = 10_000_000_000
"""Between two writes of the boot record: less wears a card, more loses time at a power cut."""
LEAD_NS: Final = 3 * BEAT_NS
"""How far mission time may have come after the last beat on the medium: one beat that was due, one
that a busy medium held back, one that was torn."""
GAP_NS_MAX: Final = 400 * 86_400 * 1_000_000_000
"""No power cut lasts longer; a date that says so is wrong."""
_NS_PER_S: Final = 1_000_000_000
_MAGIC: Final = b"LB"
_VERSION: Final = 1
_LAYOUT: Final = struct.Struct("<2sBBIIIBBBB4xqqq8s4x")
_ONES_32: Final = 0xFFFF_FFFF
_ONES_8: Final = 0xFF
_FLAG_UTC: Final = 1
_FLAG_WATCHED: Final = 2

assert _LAYOUT.size + 4 == SLOT_BYTES


class Ended(IntEnum):
    """What the run of a record had to say about its own end."""

    RUNNING = 0
    """Nothing: it runs, or it was cut off."""
    ORDERED = 1
    """It was told to stop, from outside (SIGTERM, the service manager)."""
    COMMANDED = 2
    """The ground commanded a reset."""
    FATAL = 3
    """It gave up by itself, and said so."""


PLANNED: Final = frozenset({Ended.ORDERED, Ended.COMMANDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class BootRecord:
    """One run of the node, as of its last beat.

    Attributes:
        sequence: number of the write; the slot with the newer one counts.
        boots: starts of the node since it was made, this one included.
        unplanned: starts in a row that nobody planned, this one included; at most 255.
        ended: how the run ended, as far as it could say.
        mode: operating mode at the last beat.
        mission_ns: mission time of the last beat.
        offset_ns: mission time less the machine's monotonic clock.
        utc_ns: Unix time of the last beat.
        utc_trusted: a time source stood behind that.
        watched: a service manager's watchdog was to be fed.
        power_up: which power-up of the machine it ran in: 8 bytes that no two of them share.
    """

    sequence: int
    boots: int
    unplanned: int = 0
    ended: Ended = Ended.RUNNING
    mode: Mode = Mode.BOOT
    mission_ns: int = 0
    offset_ns: int = 0
    utc_ns: int = 0
    utc_trusted: bool = False
    watched: bool = False
    power_up: bytes = bytes(8)

    @property
    def planned(self) -> bool:
        """The end of this run was somebody's wish."""
        return self.ended in PLANNED

    @property
    def looping(self) -> bool:
        """This run is one of a boot loop: it flies on defaults, in SAFE."""
        return self.unplanned >= LOOP_STARTS


def encode(record: BootRecord) -> bytes:
    """The slot of a record."""
    flags = record.utc_trusted * _FLAG_UTC | record.watched * _FLAG_WATCHED
    body = _LAYOUT.pack(
        _MAGIC, _VERSION, record.ended, record.sequence & _ONES_32,
        record.boots, record.boots ^ _ONES_32, record.unplanned, record.unplanned ^ _ONES_8,
        record.mode, flags, record.mission_ns, record.offset_ns, record.utc_ns, record.power_up,
    )  # fmt: skip
    return body + crc32c(body).to_bytes(4, "little")


def decode(slot: bytes) -> BootRecord | None:
    """The record of a slot; None for one that is empty, torn, damaged or of another version."""
    if len(slot) != SLOT_BYTES or crc32c(slot[:-4]) != int.from_bytes(slot[-4:], "little"):
        return None
    (magic, version, ended, sequence, boots, boots_not, unplanned, unplanned_not, mode, flags,
     mission_ns, offset_ns, utc_ns, power_up) = _LAYOUT.unpack(slot[:-4])  # fmt: skip
    complements = boots ^ boots_not == _ONES_32 and unplanned ^ unplanned_not == _ONES_8
    if magic != _MAGIC or version != _VERSION or not complements:
        return None
    try:
        return BootRecord(
            sequence=sequence, boots=boots, unplanned=unplanned, ended=Ended(ended),
            mode=Mode(mode), mission_ns=mission_ns, offset_ns=offset_ns, utc_ns=utc_ns,
            utc_trusted=bool(flags & _FLAG_UTC), watched=bool(flags & _FLAG_WATCHED),
            power_up=power_up,
        )  # fmt: skip
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """What the slots held.

    Attributes:
        record: the newest whole one, or None.
        damaged: slots that hold something else than a record or nothing.
    """

    record: BootRecord | None
    damaged: int


def newest(slots: Sequence[bytes]) -> Found:
    """The record that counts; an empty slot (missing, or all zero) is no damage."""
    records = [decode(slot) for slot in slots]
    damaged = sum(record is None and any(slot) for slot, record in zip(slots, records, strict=True))
    whole = [record for record in records if record is not None]
    if not whole:
        return Found(None, damaged)
    best = whole[0]
    for record in whole[1:]:
        # The sequence may wrap: the newer one is less than half of all numbers ahead.
        if (record.sequence - best.sequence) & _ONES_32 <= _ONES_32 // 2:
            best = record
    return Found(best, damaged)


def slot_of(record: BootRecord) -> int:
    """Which slot a record goes to: never the one that holds its predecessor."""
    return record.sequence % SLOTS


def following(before: BootRecord | None, *, power_up: bytes, watched: bool) -> BootRecord:
    """The record of the run that begins now; its times are set by `beat`."""
    if before is None:
        return BootRecord(sequence=1, boots=1, power_up=power_up, watched=watched)
    return BootRecord(
        sequence=_after(before),
        boots=min(before.boots + 1, _ONES_32),
        unplanned=0 if before.planned else min(before.unplanned + 1, _ONES_8),
        mode=Mode.BOOT,
        mission_ns=before.mission_ns,
        power_up=power_up,
        watched=watched,
    )


def beaten(  # noqa: PLR0913  every one of them has a name at the call
    record: BootRecord,
    *,
    mode: Mode,
    mission_ns: int,
    offset_ns: int,
    utc_ns: int,
    utc_trusted: bool,
) -> BootRecord:
    """The next write of the same run."""
    return replace(
        record,
        sequence=_after(record),
        mode=mode,
        mission_ns=mission_ns,
        offset_ns=offset_ns,
        utc_ns=utc_ns,
        utc_trusted=utc_trusted,
    )


def ending(record: BootRecord, ended: Ended) -> BootRecord:
    """The last write of a run that can still say how it ends."""
    return replace(record, sequence=_after(record), ended=ended)


def forgiven(record: BootRecord) -> BootRecord:
    """The next write, without the starts in a row."""
    return replace(record, sequence=_after(record), unplanned=0)


def _after(record: BootRecord) -> int:
    return (record.sequence + 1) & _ONES_32


@dataclass(frozen=True, slots=True)
class Resumed:
    """How mission time goes on.

    Attributes:
        offset_ns: mission time less monotonic time; whole seconds, so that the tick's grid stays.
        how: for the event.
    """

    offset_ns: int
    how: str


GRANTED: Final = Resumed(0, "as a bench grants it")


def resume(
    record: BootRecord | None, *, power_up: bytes, mono_ns: int, utc_ns: int, utc_trusted: bool
) -> Resumed:
    """The offset of the run that begins now, at `mono_ns` of the machine's clock."""
    if record is None:
        return Resumed(0, "from the machine's start")
    if record.power_up == power_up:
        return Resumed(record.offset_ns, "by the same clock")
    target_ns, how = record.mission_ns + LEAD_NS, "after the last beat"
    gap_ns = utc_ns - record.utc_ns
    if utc_trusted and record.utc_trusted and 0 <= gap_ns <= GAP_NS_MAX:
        passed_ns = record.mission_ns + gap_ns
        if passed_ns > target_ns:
            target_ns, how = passed_ns, "by UTC"
    return Resumed(-(-(target_ns - mono_ns) // _NS_PER_S) * _NS_PER_S, how)
