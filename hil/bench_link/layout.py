"""Numbers and layouts of the bench link, those of native/include/bench_link.h.

Hop: between the plant's sensors and a node's hardware layer, and back. Written from the header's
text, not from the C side's code: byte vectors that both must meet hold the two together.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Any, NamedTuple

from flight.wire.crc import crc32c
from hil.bench_link.messages import (
    ActuatorState,
    Credit,
    Done,
    FrameChunk,
    Grant,
    Heartbeat,
    Hello,
    NodeReset,
    Octets,
    Payload,
    Refuse,
    RegRead,
    RegValues,
    RegWrite,
    Sensors,
    TimeReply,
    TimeRequest,
)

PROTOCOL_VERSION = 1
HEADER_BYTES, CRC_BYTES = 20, 4
PAYLOAD_BYTES_MAX = 4096
MESSAGE_BYTES_MAX = HEADER_BYTES + PAYLOAD_BYTES_MAX + CRC_BYTES
WIRE_BYTES_MAX = 4138
"""COBS adds one octet in 254, and one; and the zero at its end."""

HEARTBEAT_NS = 500_000_000
HEARTBEATS_LOST = 3
ACTUATORS_RETRY_NS = 100_000_000
HELLO_RETRY_NS = 250_000_000
GRANT_RETRY_NS = 500_000_000
LOCK_STEP_SILENCE_NS = 30_000_000_000

SCHEMA_TEXT = (
    "1:IIBBHIIIII;2:IIBBHIIIII;3:Q10I;4:I;5:IQQ;6:QQqII11iIiiIIII;7:6IQQ;8:6IQQ;9:QQq;10:QII;"
    "11:III*;12:QQQQ;13:IHH;14:IHHI;15:IHHi*;16:*;17:*;18:*;19:I;20:I;21:*"
)
SCHEMA_CRC32C = crc32c(SCHEMA_TEXT.encode("ascii"))
"""Travels in HELLO: two ends with other layouts never talk past each other."""


class Channel(IntEnum):
    """Sequences of their own; the lower number goes first when several wait."""

    CONTROL = 0
    SAMPLE = 1
    FRAME = 2
    TEST = 3


class MessageType(IntEnum):
    """What a message is."""

    HELLO = 1
    HELLO_REPLY = 2
    HEARTBEAT = 3
    TIME_REQUEST = 4
    TIME_REPLY = 5
    SENSORS = 6
    ACTUATORS = 7
    ACTUATED = 8
    GRANT = 9
    DONE = 10
    FRAME_CHUNK = 11
    CREDIT = 12
    REG_READ = 13
    REG_WRITE = 14
    REG_VALUES = 15
    ECHO = 16
    ECHO_REPLY = 17
    BIT_TEST = 18
    NODE_RESET = 19
    REFUSE = 20
    TELL = 21


_SAMPLES = frozenset({MessageType.SENSORS, MessageType.CREDIT})
_FRAMES = frozenset({MessageType.FRAME_CHUNK, MessageType.TELL})
_TESTS = frozenset({MessageType.ECHO, MessageType.ECHO_REPLY, MessageType.BIT_TEST})
CHANNEL_OF = {
    kind: Channel.SAMPLE
    if kind in _SAMPLES
    else Channel.FRAME
    if kind in _FRAMES
    else Channel.TEST
    if kind in _TESTS
    else Channel.CONTROL
    for kind in MessageType
}
"""A type belongs to one channel."""
OUTSIDE_SEQUENCES = frozenset({MessageType.HELLO, MessageType.HELLO_REPLY, MessageType.REFUSE})
"""They carry sequence 0 and count for none."""


class Role(IntEnum):
    """Which end this is."""

    NODE = 1
    BENCH = 2
    TERMINAL = 3


class Mode(IntEnum):
    """Whose time the mission follows."""

    LOCK_STEP = 1
    FREE_RUN = 2


class Refusal(IntEnum):
    """Why one end does not run with the other."""

    PROTOCOL = 1
    ABI = 2
    SCHEMA = 3
    ROLE = 4
    MODE = 5


_VALUES: dict[MessageType, Any] = {
    MessageType.HELLO: Hello,
    MessageType.HELLO_REPLY: Hello,
    MessageType.HEARTBEAT: Heartbeat,
    MessageType.TIME_REQUEST: TimeRequest,
    MessageType.TIME_REPLY: TimeReply,
    MessageType.SENSORS: Sensors,
    MessageType.ACTUATORS: ActuatorState,
    MessageType.ACTUATED: ActuatorState,
    MessageType.GRANT: Grant,
    MessageType.DONE: Done,
    MessageType.FRAME_CHUNK: FrameChunk,
    MessageType.CREDIT: Credit,
    MessageType.REG_READ: RegRead,
    MessageType.REG_WRITE: RegWrite,
    MessageType.REG_VALUES: RegValues,
    MessageType.ECHO: Octets,
    MessageType.ECHO_REPLY: Octets,
    MessageType.BIT_TEST: Octets,
    MessageType.NODE_RESET: NodeReset,
    MessageType.REFUSE: Refuse,
    MessageType.TELL: Octets,
}


class _Layout(NamedTuple):
    fixed: Struct
    open_ended: bool
    value: Any


def _layouts(schema: str) -> dict[MessageType, _Layout]:
    layouts = {}
    for entry in schema.split(";"):
        number, _, codes = entry.partition(":")
        kind = MessageType(int(number))
        fixed = Struct("<" + codes.removesuffix("*"))
        layouts[kind] = _Layout(fixed, codes.endswith("*"), _VALUES[kind])
    return layouts


_LAYOUTS = _layouts(SCHEMA_TEXT)
_REGISTER_BYTES = 4
_NEVER_EMPTY = _FRAMES
"""A chunk or a record of nothing says nothing."""
CHUNK_BYTES_MAX = PAYLOAD_BYTES_MAX - _LAYOUTS[MessageType.FRAME_CHUNK].fixed.size
assert set(_LAYOUTS) == set(MessageType), "every type has a layout"


def pack(kind: MessageType, value: Payload) -> bytes:
    """A payload as octets; struct.error for a number that does not fit."""
    layout = _LAYOUTS[kind]
    fields: tuple[Any, ...] = value
    if layout.open_ended:
        return layout.fixed.pack(*fields[:-1]) + bytes(fields[-1])
    return layout.fixed.pack(*fields)


def unpack(kind: MessageType, payload: bytes) -> Payload | None:
    """The value of a payload, or None when its length is not the layout's."""
    fixed, open_ended, value = _LAYOUTS[kind]
    made: Payload
    if open_ended:
        if len(payload) < fixed.size + (kind in _NEVER_EMPTY):
            return None
        made = value(*fixed.unpack_from(payload), payload[fixed.size :])
        if isinstance(made, RegValues) and len(made.octets) != _REGISTER_BYTES * made.registers:
            return None
    elif len(payload) != fixed.size:
        return None
    else:
        made = value._make(fixed.unpack(payload))
    return made
