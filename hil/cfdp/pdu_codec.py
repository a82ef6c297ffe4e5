"""PDUs as octets (CCSDS 727.0-B-5, chapter 5): written for the receiver, read from it.

Written without CRC, with the large file flag where a file is one; read with whatever widths, CRC
and file flag the far end chooses.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from flight.wire.crc import crc16_ccitt
from flight.wire.errors import WireError, WireReason
from hil.cfdp.pdu_values import (
    SMALL_FILE_BYTES_MAX,
    AckOfEof,
    Condition,
    Directive,
    FileStatus,
    Finished,
    Heard,
    KeepAlive,
    Nak,
    TransactionStatus,
)

if TYPE_CHECKING:
    from hil.cfdp.pdu_values import ChecksumType, Entities, Reply

_VERSION = 0b001 << 5
_VERSION_MASK = 0b111 << 5
_FILE_DATA = 1 << 4
_TOWARDS_SENDER = 1 << 3
_UNACKNOWLEDGED = 1 << 2
_WITH_CRC = 1 << 1
_LARGE_FILE = 1
_FIXED = struct.Struct(">BHB")
_CRC_BYTES = 2
_EOF = struct.Struct(">BBI")
_METADATA = struct.Struct(">BB")
_ACK = struct.Struct(">BBB")
_SMALL, _LARGE = struct.Struct(">I"), struct.Struct(">Q")
_ACK_OF_FINISHED = Directive.FINISHED << 4 | 1
_ENTITY_ID_TLV = 0x06
_INCOMPLETE = 1 << 2
_NAME_BYTES_MAX = 255
LENGTH_MAX = 0xFFFF


class PduWriter:
    """Writes the sender's PDUs.

    Raises:
        WireError: BAD_VALUE for a number that the header has no room for, TOO_LONG for data.
    """

    def __init__(self, entities: Entities) -> None:
        try:
            self._source = entities.source.to_bytes(entities.entity_bytes, "big")
            self._destination = entities.destination.to_bytes(entities.entity_bytes, "big")
        except OverflowError:
            raise WireError(WireReason.BAD_VALUE, f"{entities}") from None
        self._sequence_bytes = entities.sequence_bytes
        self._widths = (entities.entity_bytes - 1) << 4 | (entities.sequence_bytes - 1)

    def file_data_overhead_bytes(self, size: int) -> int:
        """What a file data PDU takes beside the data, in a file of this size."""
        ids = len(self._source) + len(self._destination) + self._sequence_bytes
        return _FIXED.size + ids + _width(size).size

    def metadata(self, sequence: int, size: int, checksum: ChecksumType, name: str) -> bytes:
        """A transaction begins: the name is the file's at both ends, never a path."""
        text = name.encode("ascii")
        if not 1 <= len(text) <= _NAME_BYTES_MAX:
            raise WireError(WireReason.BAD_VALUE, f"name of {len(text)} octets")
        value = bytes((len(text),)) + text
        head = _METADATA.pack(Directive.METADATA, checksum) + _width(size).pack(size)
        return self._pdu(sequence, head + value + value, size=size)

    def file_data(self, sequence: int, size: int, offset: int, data: bytes) -> bytes:
        """Octets from `offset` on of the file of this size."""
        return self._pdu(sequence, _width(size).pack(offset) + data, _FILE_DATA, size)

    def eof(self, sequence: int, size: int, checksum: int, condition: Condition) -> bytes:
        """All was sent; any condition but NO_ERROR takes all of it back."""
        good = condition is Condition.NO_ERROR
        data = _EOF.pack(Directive.EOF, condition << 4, checksum if good else 0)
        data += _width(size).pack(size if good else 0)
        if condition is not Condition.NO_ERROR:
            data += bytes((_ENTITY_ID_TLV, len(self._source))) + self._source
        return self._pdu(sequence, data, size=size)

    def ack_of_finished(
        self, sequence: int, condition: int, status: TransactionStatus, size: int = 0
    ) -> bytes:
        """The receiver's last word has been heard."""
        data = _ACK.pack(Directive.ACK, _ACK_OF_FINISHED, condition << 4 | status)
        return self._pdu(sequence, data, size=size)

    def _pdu(self, sequence: int, data: bytes, kind: int = 0, size: int = 0) -> bytes:
        if len(data) > LENGTH_MAX:
            raise WireError(WireReason.TOO_LONG, f"{len(data)} octets")
        try:
            number = sequence.to_bytes(self._sequence_bytes, "big")
        except OverflowError:
            raise WireError(WireReason.BAD_VALUE, f"sequence number {sequence}") from None
        flags = _VERSION | kind | (_LARGE_FILE if size > SMALL_FILE_BYTES_MAX else 0)
        fixed = _FIXED.pack(flags, len(data), self._widths)
        return b"".join((fixed, self._source, number, self._destination, data))


def _width(size: int) -> struct.Struct:
    """How offsets and sizes of such a file are written."""
    return _LARGE if size > SMALL_FILE_BYTES_MAX else _SMALL


def read_pdu(buf: bytes) -> Heard:
    """One PDU towards the sender, and nothing after it.

    Raises:
        WireError: for whatever is not exactly that; nothing else is ever raised.
    """
    if len(buf) < _FIXED.size:
        raise WireError(WireReason.TRUNCATED, f"{len(buf)} octets")
    flags, length, widths = _FIXED.unpack_from(buf)
    if flags & _VERSION_MASK != _VERSION:
        raise WireError(WireReason.BAD_VERSION, f"version {flags >> 5}")
    if flags & (_FILE_DATA | _TOWARDS_SENDER | _UNACKNOWLEDGED) != _TOWARDS_SENDER:
        raise WireError(WireReason.BAD_TYPE, "no acknowledged directive towards the sender")
    entity_bytes, sequence_bytes = (widths >> 4 & 7) + 1, (widths & 7) + 1
    start = _FIXED.size + 2 * entity_bytes + sequence_bytes
    if len(buf) != start + length:
        reason = WireReason.TRUNCATED if len(buf) < start + length else WireReason.TRAILING
        raise WireError(reason, f"{len(buf)} octets for {start + length}")
    data = buf[start:]
    if flags & _WITH_CRC:
        if length < _CRC_BYTES or crc16_ccitt(buf) != 0:
            raise WireError(WireReason.BAD_CRC, "of a PDU")
        data = data[:-_CRC_BYTES]
    ends = (_FIXED.size, _FIXED.size + entity_bytes, start - entity_bytes, start)
    source, sequence, destination = (
        int.from_bytes(buf[low:high], "big") for low, high in pairwise(ends)
    )
    return Heard(source, destination, sequence, _reply(data, large=bool(flags & _LARGE_FILE)))


def _reply(data: bytes, *, large: bool) -> Reply:
    if not data:
        raise WireError(WireReason.TRUNCATED, "no directive code")
    code, fields = data[0], data[1:]
    if code == Directive.ACK:
        return _ack(fields)
    if code == Directive.FINISHED:
        return _finished(fields)
    if code in (Directive.NAK, Directive.KEEP_ALIVE):
        width = 8 if large else 4
        if not fields or len(fields) % width:
            raise WireError(WireReason.BAD_LENGTH, f"{len(fields)} octets of {width} each")
        numbers = struct.unpack(f">{len(fields) // width}{'Q' if large else 'I'}", fields)
        return _keep_alive(numbers) if code == Directive.KEEP_ALIVE else _nak(numbers)
    raise WireError(WireReason.BAD_TYPE, f"directive {code:#04x} towards the sender")


def _ack(fields: bytes) -> AckOfEof:
    if len(fields) != 2:
        raise WireError(WireReason.BAD_LENGTH, f"ACK of {len(fields)} octets")
    if fields[0] >> 4 != Directive.EOF:
        raise WireError(WireReason.BAD_TYPE, f"ACK of directive {fields[0] >> 4:#04x}")
    return AckOfEof(fields[1] >> 4, active=fields[1] & 3 == TransactionStatus.ACTIVE)


def _finished(fields: bytes) -> Finished:
    """What filestore responses and fault location say is not needed; they must be well formed."""
    if not fields:
        raise WireError(WireReason.TRUNCATED, "empty Finished")
    at = 1
    while at < len(fields):
        if at + 2 > len(fields) or at + 2 + fields[at + 1] > len(fields):
            raise WireError(WireReason.BAD_LENGTH, "options of a Finished")
        at += 2 + fields[at + 1]
    first = fields[0]
    return Finished(first >> 4, not first & _INCOMPLETE, FileStatus(first & 3))


def _keep_alive(numbers: tuple[int, ...]) -> KeepAlive:
    if len(numbers) != 1:
        raise WireError(WireReason.BAD_LENGTH, f"{len(numbers)} numbers in a Keep Alive")
    return KeepAlive(numbers[0])


def _nak(numbers: tuple[int, ...]) -> Nak:
    if len(numbers) % 2:
        raise WireError(WireReason.BAD_LENGTH, f"{len(numbers)} numbers in a NAK")
    spans = tuple(zip(numbers[2::2], numbers[3::2], strict=True))
    if any(start > end for start, end in spans):
        raise WireError(WireReason.BAD_VALUE, "a span that ends before it starts")
    return Nak(spans)
