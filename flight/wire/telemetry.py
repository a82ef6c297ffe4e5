"""Housekeeping and events as packet data; both ends are generated from the dictionary at import.

Housekeeping packet: dictionary tag 4, group 1, validity bitmap (one bit a channel, first channel
in the lowest bit of the first octet), then each value: FLOAT and COUNTER as float64, ENUM and FLAG
as one octet. An invalid or never-set channel has its bit clear and travels as zero: stale is told,
not guessed. float64, because a counter or a byte count must arrive as it was.

Event packet: event number 2, severity 1, then the arguments as a msgpack map. Its time is the
packet's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

import msgspec

from flight.telemetry.dictionary import CHANNELS, DICTIONARY_HASH, GROUPS, Kind, Severity
from flight.wire.errors import WireError, WireReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DICTIONARY_TAG = bytes.fromhex(DICTIONARY_HASH[:8])
GROUP_NAMES = tuple(GROUPS)
_CODES = {Kind.FLOAT: "d", Kind.COUNTER: "d", Kind.ENUM: "B", Kind.FLAG: "B"}
_HEADER_BYTES = len(DICTIONARY_TAG) + 1
_OCTET_MAX = 255

Argument = str | int | float | bool | None
EVENT_ARGS_MAX = 12
EVENT_KEY_BYTES_MAX = 24
EVENT_TEXT_BYTES_MAX = 96
EVENT_BYTES_MAX = 1_600
_EVENT = struct.Struct(">HB")
_ARGS = msgspec.msgpack.Decoder(dict[str, Argument])
_ENCODER = msgspec.msgpack.Encoder()
_BAD_BYTES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """One group as received.

    Attributes:
        group: its name in the dictionary.
        channels: indices into CHANNELS, in packet order.
        values: one for each channel; NaN where it is invalid or was never set.
    """

    group: str
    channels: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event as received; its sentence is in the dictionary, if the number is known there."""

    event_id: int
    severity: Severity
    args: Mapping[str, Argument]


@dataclass(frozen=True, slots=True)
class _Layout:
    number: int
    channels: tuple[int, ...]
    octets: tuple[bool, ...]
    values: struct.Struct
    bitmap_bytes: int


def _layout(number: int, group: str) -> _Layout:
    channels = GROUPS[group]
    codes = [_CODES[CHANNELS[i].kind] for i in channels]
    return _Layout(
        number,
        channels,
        tuple(code == "B" for code in codes),
        struct.Struct(">" + "".join(codes)),
        (len(channels) + 7) // 8,
    )


_LAYOUTS = {group: _layout(number, group) for number, group in enumerate(GROUP_NAMES)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a housekeeping packet's data holds one channel: a validity bit, and its octets.

    Attributes:
        channel: index into CHANNELS.
        bit: of the bitmap, counted from the lowest of its first octet.
        octet: of the packet's data, counted from 0.
        code: as `struct` names it, big endian.
    """

    channel: int
    bit: int
    octet: int
    code: str


def places(group: str) -> tuple[Place, ...]:
    """The layout of one group, for whoever decodes it without this software."""
    layout, found = _LAYOUTS[group], []
    octet = _HEADER_BYTES + layout.bitmap_bytes
    for bit, channel in enumerate(layout.channels):
        code = _CODES[CHANNELS[channel].kind]
        found.append(Place(channel, bit, octet, code))
        octet += struct.calcsize(code)
    return tuple(found)


def encode_housekeeping(group: str, row: Sequence[float]) -> bytes:
    """One group's packet data.

    Args:
        group: name in the dictionary.
        row: the latest value of *every* channel, in the order of CHANNELS; NaN (or an infinity)
            where there is none.

    Raises:
        WireError: BAD_VALUE when an ENUM or FLAG is no whole number of 0..255.
    """
    layout = _LAYOUTS[group]
    valid = 0
    values: list[float] = []
    for position, (channel, octet) in enumerate(zip(layout.channels, layout.octets, strict=True)):
        value = row[channel]
        if not isfinite(value):
            values.append(0)
            continue
        valid |= 1 << position
        if octet and not (0 <= value <= _OCTET_MAX and value == int(value)):
            raise WireError(WireReason.BAD_VALUE, f"{CHANNELS[channel].name} = {value}")
        values.append(int(value) if octet else value)
    bitmap = valid.to_bytes(layout.bitmap_bytes, "little")
    return DICTIONARY_TAG + bytes((layout.number,)) + bitmap + layout.values.pack(*values)


def decode_housekeeping(data: bytes) -> Housekeeping:
    """Reads one group's packet data.

    Raises:
        WireError: TRUNCATED, BAD_VERSION (made with another dictionary), BAD_TYPE (no such
            group), BAD_LENGTH, BAD_VALUE (a value that no encoder of ours makes).
    """
    if len(data) < _HEADER_BYTES:
        raise WireError(WireReason.TRUNCATED, f"{len(data)} octets of housekeeping")
    if data[: len(DICTIONARY_TAG)] != DICTIONARY_TAG:
        raise WireError(WireReason.BAD_VERSION, "made with another dictionary")
    number = data[_HEADER_BYTES - 1]
    if number >= len(GROUP_NAMES):
        raise WireError(WireReason.BAD_TYPE, f"housekeeping group {number}")
    layout = _LAYOUTS[GROUP_NAMES[number]]
    values_at = _HEADER_BYTES + layout.bitmap_bytes
    if len(data) != values_at + layout.values.size:
        raise WireError(WireReason.BAD_LENGTH, f"{len(data)} octets of housekeeping")
    valid = int.from_bytes(data[_HEADER_BYTES:values_at], "little")
    if valid >> len(layout.channels):
        raise WireError(WireReason.BAD_VALUE, "validity of channels that don't exist")
    values: list[float] = []
    for position, value in enumerate(layout.values.unpack_from(data, values_at)):
        is_valid = valid >> position & 1
        if not -inf < value < inf or (not is_valid and value != 0):
            raise WireError(WireReason.BAD_VALUE, f"value {value}")
        values.append(float(value) if is_valid else nan)
    return Housekeeping(GROUP_NAMES[number], layout.channels, tuple(values))


def _clipped(text: str, bytes_max: int) -> str:
    return text.encode(errors="replace")[:bytes_max].decode(errors="ignore")


def _argument(value: object) -> Argument:
    """An argument that fits the wire: long texts are cut, foreign types shown as text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return int(value)
    return _clipped(str(value), EVENT_TEXT_BYTES_MAX)


def encode_event(event_id: int, severity: Severity, args: Mapping[str, object]) -> bytes:
    """An event's packet data, at most `EVENT_BYTES_MAX`; what is too long in it is cut.

    Telling of a fault must not itself fail: the first `EVENT_ARGS_MAX` arguments are sent, names
    cut to 24 octets, texts to 96.

    Raises:
        WireError: BAD_VALUE for an event number above 65,535.
    """
    if not 0 <= event_id <= 0xFFFF:
        raise WireError(WireReason.BAD_VALUE, f"event number {event_id}")
    sent = {
        _clipped(name, EVENT_KEY_BYTES_MAX): _argument(value)
        for name, value in list(args.items())[:EVENT_ARGS_MAX]
    }
    return _EVENT.pack(event_id, severity) + _ENCODER.encode(sent)


def decode_event(data: bytes) -> EventRecord:
    """Reads an event's packet data.

    Raises:
        WireError: TRUNCATED, TOO_LONG, BAD_VALUE.
    """
    if len(data) <= _EVENT.size:
        raise WireError(WireReason.TRUNCATED, f"event of {len(data)} octets")
    if len(data) > EVENT_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"event of {len(data)} octets")
    event_id, severity = _EVENT.unpack_from(data)
    try:
        return EventRecord(event_id, Severity(severity), _ARGS.decode(data[_EVENT.size :]))
    except (ValueError, *_BAD_BYTES) as error:
        raise WireError(WireReason.BAD_VALUE, str(error)) from None
