"""Messages to octets on the wire and back: COBS, a header, CRC-32C, a zero at the end.

Pure and bounded: whatever comes, the decoder holds less than one message, loses at most the message
that garbage falls into, and counts it. COBS: Cheshire and Baker, "Consistent Overhead Byte
Stuffing", IEEE/ACM Transactions on Networking 7(2), 1999.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from flight.wire.crc import crc32c
from hil.bench_link.layout import (
    CHANNEL_OF,
    CRC_BYTES,
    HEADER_BYTES,
    OUTSIDE_SEQUENCES,
    PAYLOAD_BYTES_MAX,
    PROTOCOL_VERSION,
    WIRE_BYTES_MAX,
    MessageType,
    unpack,
)

if TYPE_CHECKING:
    from hil.bench_link.messages import Payload

OPENING = b"\0\0"
"""Two zeros open a stream: whatever the receiver held before ends there."""
_BLOCK = 254
_HEADER = Struct("<BBBBHHIQ")
_CRC = Struct("<I")
_TYPES = frozenset(MessageType)
assert _HEADER.size == HEADER_BYTES
assert _CRC.size == CRC_BYTES


class Message(NamedTuple):
    """One message as it came.

    `value` is None for a HELLO, HELLO_REPLY or REFUSE of another protocol version: its layout is
    not known here.
    """

    version: int
    kind: MessageType
    seq: int
    session: int
    t_ns: int
    value: Payload | None


def cobs_encode(data: bytes) -> bytes:
    """Without any zero; one octet in 254 longer, and one."""
    out = bytearray()
    *pieces, last = data.split(b"\0")
    for piece in pieces:
        rest = _full_blocks(piece, out)
        out.append(len(rest) + 1)
        out += rest
    rest = _full_blocks(last, out)
    if rest or not last:  # a full block at the very end needs no empty one behind it
        out.append(len(rest) + 1)
        out += rest
    return bytes(out)


def _full_blocks(piece: bytes, out: bytearray) -> bytes:
    """Blocks of 254 octets that no zero follows; returns what is left."""
    at = 0
    while len(piece) - at >= _BLOCK:
        out.append(_BLOCK + 1)
        out += piece[at : at + _BLOCK]
        at += _BLOCK
    return piece[at:]


def cobs_decode(data: bytes) -> bytes | None:
    """The inverse; None when no encoder makes such octets."""
    out = bytearray()
    at, end = 0, len(data)
    while at < end:
        code = data[at]
        after = at + code
        if code == 0 or after > end:
            return None
        out += data[at + 1 : after]
        if code <= _BLOCK and after < end:
            out.append(0)
        at = after
    return bytes(out)


def encode(kind: MessageType, payload: bytes, *, seq: int, session: int, t_ns: int) -> bytes:
    """One message as it goes on the wire, the zero at its end included.

    Raises:
        ValueError: the payload is longer than a message may be.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"{len(payload)} octets in one message; allowed: {PAYLOAD_BYTES_MAX}")
    head = _HEADER.pack(
        PROTOCOL_VERSION, kind, CHANNEL_OF[kind], 0, seq, len(payload), session, t_ns
    )
    body = head + payload
    return cobs_encode(body + _CRC.pack(crc32c(body))) + b"\0"


def decode(body: bytes) -> Message | None:
    """A message from what stood between two zeros; None for anything that is none of ours."""
    raw = cobs_decode(body)
    if raw is None or len(raw) < HEADER_BYTES + CRC_BYTES:
        return None
    content = raw[:-CRC_BYTES]
    if _CRC.unpack(raw[-CRC_BYTES:])[0] != crc32c(content):
        return None
    version, kind, channel, flags, seq, size, session, t_ns = _HEADER.unpack_from(content)
    if kind not in _TYPES:
        return None
    known = MessageType(kind)
    if version != PROTOCOL_VERSION:
        foreign = Message(version, known, 0, session, t_ns, None)
        return foreign if known in OUTSIDE_SEQUENCES else None
    if channel != CHANNEL_OF[known] or flags or size != len(content) - HEADER_BYTES:
        return None
    value = unpack(known, content[HEADER_BYTES:])
    return None if value is None else Message(version, known, seq, session, t_ns, value)


class Decoder:
    """Octets in, messages out.

    Attributes:
        corrupt: pieces between zeros that are no message of ours: COBS, CRC, length or layout
            wrong, or longer than a message can be.
    """

    def __init__(self) -> None:
        self.corrupt = 0
        self._piece = b""
        self._too_long = False

    def feed(self, data: bytes) -> list[Message]:
        """Takes octets in any pieces; gives the messages that are complete."""
        messages: list[Message] = []
        *ended, rest = data.split(b"\0")
        for part in ended:
            piece, self._piece = self._piece + part, b""
            too_long, self._too_long = self._too_long, False
            if too_long or not piece:
                continue  # counted when it grew too long; or between two zeros
            message = decode(piece) if len(piece) < WIRE_BYTES_MAX else None
            if message is None:
                self.corrupt += 1
            else:
                messages.append(message)
        self._hold(rest)
        return messages

    @property
    def held_bytes(self) -> int:
        """Octets of a message that is not complete yet."""
        return len(self._piece)

    def _hold(self, rest: bytes) -> None:
        if self._too_long:
            return
        self._piece += rest
        if len(self._piece) >= WIRE_BYTES_MAX:
            self._piece = b""
            self._too_long = True
            self.corrupt += 1
