"""What a sender of files says and hears, as values (CCSDS 727.0-B-5, chapter 5).

Class 2 (acknowledged) only. Wire types: both the codec and the procedure know them, neither the
other.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

SMALL_FILE_BYTES_MAX = (1 << 32) - 1
"""Offsets and sizes of larger files travel in 64 bits, with the large file flag (5.1.2)."""


class Directive(IntEnum):
    """Directive codes, table 5-4."""

    EOF = 0x04
    FINISHED = 0x05
    ACK = 0x06
    METADATA = 0x07
    NAK = 0x08
    PROMPT = 0x09
    KEEP_ALIVE = 0x0C


class Condition(IntEnum):
    """Condition codes, table 5-5."""

    NO_ERROR = 0
    POSITIVE_ACK_LIMIT_REACHED = 1
    KEEP_ALIVE_LIMIT_REACHED = 2
    INVALID_TRANSMISSION_MODE = 3
    FILESTORE_REJECTION = 4
    FILE_CHECKSUM_FAILURE = 5
    FILE_SIZE_ERROR = 6
    NAK_LIMIT_REACHED = 7
    INACTIVITY_DETECTED = 8
    INVALID_FILE_STRUCTURE = 9
    CHECK_LIMIT_REACHED = 10
    UNSUPPORTED_CHECKSUM_TYPE = 11
    SUSPEND_REQUEST_RECEIVED = 14
    CANCEL_REQUEST_RECEIVED = 15


class ChecksumType(IntEnum):
    """Identifiers of the SANA registry "CFDP Checksum Identifiers", those that are offered."""

    MODULAR = 0
    CRC_32C = 2
    CRC_32 = 3


class FileStatus(IntEnum):
    """What the receiver did with the file, table 5-7."""

    DISCARDED_DELIBERATELY = 0
    DISCARDED_FILESTORE_REJECTION = 1
    RETAINED = 2
    UNREPORTED = 3


class TransactionStatus(IntEnum):
    """What the sender knows of a transaction it acknowledges the end of, table 5-8."""

    UNDEFINED = 0
    ACTIVE = 1
    TERMINATED = 2
    UNRECOGNIZED = 3


class Entities(msgspec.Struct, frozen=True):
    """Who sends to whom, and how wide the header writes it.

    Attributes:
        source: entity ID of the sender of files.
        destination: entity ID of the ground system.
        entity_bytes: of either ID, 1 to 8; 2 is what Yamcs writes.
        sequence_bytes: of a transaction sequence number, 1 to 8; 4 is what Yamcs writes.
    """

    source: int
    destination: int
    entity_bytes: int = 2
    sequence_bytes: int = 4


class AckOfEof(msgspec.Struct, frozen=True):
    """The receiver has the EOF; inactive where it does not work on such a transaction any more."""

    condition: int
    active: bool


class Nak(msgspec.Struct, frozen=True):
    """What the receiver lacks: spans [start, end) of the file; (0, 0) is the metadata."""

    spans: tuple[tuple[int, int], ...]


class Finished(msgspec.Struct, frozen=True):
    """The receiver's last word; wants to be acknowledged."""

    condition: int
    complete: bool
    status: FileStatus

    @property
    def good(self) -> bool:
        """Whether the file is there, whole."""
        kept = self.status in (FileStatus.RETAINED, FileStatus.UNREPORTED)
        return self.complete and kept and self.condition == Condition.NO_ERROR


class KeepAlive(msgspec.Struct, frozen=True):
    """How far the receiver has come, in octets."""

    progress: int


Reply = AckOfEof | Nak | Finished | KeepAlive


class Heard(msgspec.Struct, frozen=True):
    """One PDU towards the sender."""

    source: int
    destination: int
    sequence: int
    reply: Reply
