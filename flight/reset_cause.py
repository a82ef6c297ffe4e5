"""Why the node started: one cause, out of the boot record and of what the board says.

A record that announced the end is believed first. Without one, the power-up decides: the same one
means that the process alone died, another one that the machine did, and then the board's own word
counts (its watchdog's status register). The first row that fits gives the cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import msgspec

from flight.boot_record import Ended
from flight.telemetry.channel_table import RESET_LABELS
from flight.telemetry.definitions import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.boot_record import BootRecord

LOG_ENTRIES: Final = 20
"""As many as cFS ES keeps."""


class Cause(IntEnum):
    """Up to UNKNOWN the numbers of `enum hal_reset_cause` (hal.h)."""

    POWER_CUT = 0
    COMMANDED = 1
    WATCHDOG = 2
    SOFTWARE = 3
    INJECTED = 4
    OVERHEAT = 5
    UNDER_VOLTAGE = 6
    UNKNOWN = 7
    STOPPED = 8


assert len(RESET_LABELS) == len(Cause), "every cause has its label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What there is to judge by.

    Attributes:
        record: of the run before; None for none, or for one that was lost.
        power_up: the present power-up of the machine.
        board: what the hardware layer says; None when it says nothing.
        aborted: the run before was ended by SIGABRT, the signal of a service manager's watchdog.
    """

    record: BootRecord | None
    power_up: bytes
    board: Cause | None
    aborted: bool = False

    @property
    def same_power(self) -> bool:
        """The machine has not been reset since the run before."""
        return self.record is not None and self.record.power_up == self.power_up

    def ended(self, how: Ended) -> bool:
        """The run before said that it ended so."""
        return self.record is not None and self.record.ended is how


Row = tuple["Callable[[Evidence], bool]", Cause]

_ROWS: Final[tuple[Row, ...]] = (
    (lambda e: e.ended(Ended.COMMANDED), Cause.COMMANDED),
    (lambda e: e.ended(Ended.ORDERED), Cause.STOPPED),
    (lambda e: e.same_power and e.aborted and e.record is not None and e.record.watched,
     Cause.WATCHDOG),
    (lambda e: e.same_power or e.ended(Ended.FATAL), Cause.SOFTWARE),
)  # fmt: skip


def judge(evidence: Evidence) -> Cause:
    """The cause of this start.

    A machine that was reset and does not say why was without power, as far as anybody can tell.
    """
    for condition, cause in _ROWS:
        if condition(evidence):
            return cause
    if evidence.board is not None and evidence.board is not Cause.UNKNOWN:
        return evidence.board
    return Cause.UNKNOWN if evidence.record is None else Cause.POWER_CUT


class ResetEntry(msgspec.Struct, frozen=True, gc=False):
    """One start: its number, its cause, and the state in which the run before it was last seen.

    Attributes:
        mission_ns: mission time of that run's last beat.
    """

    boot: int
    cause: int
    planned: bool
    mode: int
    mission_ns: int


@dataclass(slots=True)
class ResetLog:
    """Counts a cause and the newest starts; bounded, and durable as bytes.

    Attributes:
        counts: starts by cause, over the node's whole life.
        entries: the newest `LOG_ENTRIES`, oldest first.
    """

    counts: list[int] = field(default_factory=lambda: [0] * len(Cause))
    entries: list[ResetEntry] = field(default_factory=list)

    @classmethod
    def load(cls, blob: bytes | None) -> tuple[ResetLog, bool]:
        """The log of a blob, and whether that was whole; a damaged one begins anew."""
        if blob is None:
            return cls(), True
        try:
            counts, entries = msgspec.msgpack.decode(blob, type=tuple[list[int], list[ResetEntry]])
        except msgspec.MsgspecError:
            return cls(), False
        known = (counts + [0] * len(Cause))[: len(Cause)]
        return cls(known, entries[-LOG_ENTRIES:]), True

    def note(self, cause: Cause, boot: int, before: BootRecord | None) -> ResetEntry:
        """One more start."""
        entry = ResetEntry(
            boot=boot,
            cause=int(cause),
            planned=before is not None and before.planned,
            mode=int(Mode.BOOT if before is None else before.mode),
            mission_ns=0 if before is None else before.mission_ns,
        )
        self.counts[cause] += 1
        self.entries = [*self.entries, entry][-LOG_ENTRIES:]
        return entry

    def blob(self) -> bytes:
        """As bytes, for `load`."""
        return msgspec.msgpack.encode((self.counts, self.entries))
