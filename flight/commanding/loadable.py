"""What can be replaced in flight: one small protocol, and the verdicts on a load.

Load -> validate -> activate -> keep a way back (after the table services of NASA's cFE): a load
comes in pieces into one working buffer and changes nothing; its kind looks at it dry; activation
makes it durable before it counts and keeps the set that was in force until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from flight.wire.telecommand import CommandReason


class LoadVerdict(Enum):
    """What became of a request about a load; its value is what the operator is told."""

    OK = CommandReason.NONE
    NOT_FOUND = CommandReason.NOT_FOUND
    """No such kind, no load under way, nothing to go back to, or a name that nobody knows."""
    BUSY = CommandReason.BUSY
    """Another load is under way, or the set to be replaced is in use."""
    OUT_OF_RANGE = CommandReason.OUT_OF_RANGE
    """A size, an offset or a value beyond what is allowed."""
    WRONG_VERSION = CommandReason.WRONG_VERSION
    CONFLICT = CommandReason.CONFLICT
    """Other octets than these have come for the same place."""
    INCOMPLETE = CommandReason.INCOMPLETE
    BAD_CHECKSUM = CommandReason.BAD_CHECKSUM
    NOT_VALIDATED = CommandReason.NOT_VALIDATED
    UNKNOWN_COMMAND = CommandReason.UNKNOWN_COMMAND
    """It names a command that the dictionary lacks."""
    UNREADABLE = CommandReason.UNREADABLE
    """Not in the format of its kind."""
    WRONG_MODE = CommandReason.WRONG_MODE
    """It asks for what no mode it may act in would allow."""
    REFUSED = CommandReason.REFUSED
    """Readable and in range, and yet not acceptable to its kind."""
    NOT_DURABLE = CommandReason.NOT_DURABLE
    """The store could not keep it; the former set stays in force."""


@dataclass(frozen=True, slots=True)
class Dumped:
    """The set in force of a kind, in the format of its loads, to be told to the ground."""

    kind: str
    version: int
    data: bytes


class Loadable(Protocol):
    """One kind of set that can be replaced in flight. No method raises on any bytes.

    Attributes:
        kind: its name in commands, telemetry and files.
        version: of the format that this software reads; a load of another one is refused at once.
        bytes_max: largest load that is taken in, at most `LOAD_BYTES_MAX`.
    """

    @property
    def kind(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> int:
        """Of its format."""
        ...

    @property
    def bytes_max(self) -> int:
        """Octets."""
        ...

    def validate(self, data: bytes) -> LoadVerdict:
        """Whether `data` could be activated now. Dry: it changes nothing."""
        ...

    def activate(self, data: bytes, now_ns: int) -> LoadVerdict:
        """Puts `data` in force: judged as by `validate`, durable, and only then counting.

        On any verdict but OK the set in force and the former one are what they were.
        """
        ...

    def roll_back(self, now_ns: int) -> LoadVerdict:
        """Exchanges the set in force and the former one, durably; NOT_FOUND without a former."""
        ...

    def dump(self) -> bytes:
        """The set in force, in the format of a load."""
        ...
