"""What a sender of files is told, asks for and tells.

Apart from the procedure so that book, archive and command can name them.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from hil.cfdp.pdu_values import ChecksumType, Entities
from hil.cfdp.send_transaction import Patience


class OutgoingFile(msgspec.Struct, frozen=True):
    """A file that waits to be sent.

    Attributes:
        product_id: which product it is.
        name: its logical name, at both ends; no path.
        size: octets.
        crc32c: over all of them, as the node told it.
    """

    product_id: int
    name: str
    size: int
    crc32c: int


class SenderConfig(msgspec.Struct, frozen=True):
    """Managed parameters of a sender (CCSDS 727.0-B-5, 8.2 and 8.3).

    Attributes:
        entities: who sends to whom.
        checksum: of whole files; Yamcs takes the modular one alone.
        segment_bytes: octets of the file in one PDU; with 22 octets of headers before them they fit
            into a datagram of 1,500.
        open_max: transactions at once.
        attempts_max: transactions for one file, until it is left alone.
        again_ns: from a failed transaction to the next one for the same file.
        patience: timers.
    """

    entities: Entities
    checksum: ChecksumType = ChecksumType.MODULAR
    segment_bytes: int = 1_024
    open_max: int = 8
    attempts_max: int = 5
    again_ns: int = 10_000_000_000
    patience: Patience = Patience()


class FileReader(Protocol):
    """Where the octets are."""

    def checksum(self, file: OutgoingFile, kind: ChecksumType) -> int:
        """Over the whole file; OSError when it cannot be read or is not what its manifest says."""

    def read(self, file: OutgoingFile, start: int, end: int) -> bytes:
        """Octets [start, end); OSError when they are not there."""


class Book(Protocol):
    """What outlives the process; every call is durable when it returns."""

    def begin(self, file: OutgoingFile) -> int:
        """The next sequence number, never given twice."""

    def end(self, sequence: int, *, good: bool) -> None:
        """The receiver has the file, or this transaction did not bring it there."""

    def was_begun(self, sequence: int) -> bool:
        """Whether this number was ever given."""


class Told(msgspec.Struct, frozen=True):
    """Something to tell people: what happened to which file."""

    what: str
    file: OutgoingFile
    sequence: int | None = None
    why: str | None = None
