"""Telecommands up, verification reports down (after ECSS-E-ST-70-41C, service 1).

A telecommand packet holds msgpack of `{"id": ..., "cmd": {"type": NAME, ...}}`; decoding it *is*
its validation, against the dictionary's own types and parameter ranges. What cannot be read at all
is a `WireError`; what can be read far enough to know its identity is `Unusable`, so that the
operator gets an answer.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import msgspec

from flight.telemetry.command_table import SetParameter
from flight.telemetry.dictionary import COMMANDS, PARAMETER_BY_NAME, Command
from flight.wire.errors import WireError, WireReason

TELECOMMAND_BYTES_MAX = 1_024
COMMAND_ID_MAX = (1 << 63) - 1


class Stage(IntEnum):
    """How far a telecommand has come. COMPLETED, FAILED and REJECTED are the last word on it."""

    ACCEPTED = 1
    STARTED = 2
    COMPLETED = 3
    FAILED = 4
    REJECTED = 5


FINAL_STAGES = frozenset({Stage.COMPLETED, Stage.FAILED, Stage.REJECTED})


class CommandReason(IntEnum):
    """Why a telecommand was rejected or failed, or what its acceptance means."""

    NONE = 0
    UNKNOWN_COMMAND = 1
    """The dictionary of the node has no command of this name."""
    OUT_OF_RANGE = 2
    """An argument is missing, of another type, or outside its range."""
    WRONG_MODE = 3
    BUSY = 4
    """As many commands are under way as can be followed."""
    STALE = 5
    """Its identity is older than what the node remembers: it may have been executed."""
    ARMED = 6
    """A dangerous command was heard once; the same again, under a new identity, executes it."""
    REFUSED = 7
    """The room in charge said no."""
    NOT_FOUND = 8
    """What the command speaks of is not there (any more)."""
    INTERNAL_ERROR = 9
    """The handler broke: a fault of the node's software."""
    TIMED_OUT = 10
    WRONG_VERSION = 11
    """A load in another format than this software reads."""
    CONFLICT = 12
    """A piece of a load says other than what has come for the same place."""
    INCOMPLETE = 13
    """Pieces of the load are missing."""
    BAD_CHECKSUM = 14
    """The load is complete and not what the ground sent."""
    NOT_VALIDATED = 15
    """A load is activated only after LOAD_VALIDATE has found it good."""
    UNREADABLE = 16
    """The load is not in the format of its kind."""
    NOT_DURABLE = 17
    """The store could not keep it, so it does not count."""
    ABORTED = 18
    """The sequence ended before its last step; the event says at which one and why."""


@dataclass(frozen=True, slots=True)
class Telecommand:
    """One command of the dictionary, with the operator's identity for it (1..2^63-1)."""

    command_id: int
    command: Command


@dataclass(frozen=True, slots=True)
class Unusable:
    """A telecommand whose identity is readable and whose content is not acceptable."""

    command_id: int
    reason: CommandReason


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What the node says about one telecommand."""

    command_id: int
    stage: Stage
    reason: CommandReason = CommandReason.NONE


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[int, msgspec.Meta(ge=1, le=COMMAND_ID_MAX)]
    cmd: msgspec.Raw


class _Name(msgspec.Struct, frozen=True):
    type: str


_ENVELOPE = msgspec.msgpack.Decoder(_Envelope)
_NAME = msgspec.msgpack.Decoder(_Name)
_COMMAND: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_ENCODER = msgspec.msgpack.Encoder()
_NAMES = frozenset(definition.name for definition in COMMANDS)
_REPORT = struct.Struct(">QBB")
_BAD_BYTES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def encode_telecommand(telecommand: Telecommand) -> bytes:
    """The user data of a telecommand packet.

    Raises:
        WireError: BAD_VALUE for an identity out of range, TOO_LONG above `TELECOMMAND_BYTES_MAX`.
    """
    if not 1 <= telecommand.command_id <= COMMAND_ID_MAX:
        raise WireError(WireReason.BAD_VALUE, f"command identity {telecommand.command_id}")
    data = _ENCODER.encode({"id": telecommand.command_id, "cmd": telecommand.command})
    if len(data) > TELECOMMAND_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"telecommand of {len(data)} octets")
    return data


def decode_telecommand(data: bytes) -> Telecommand | Unusable:
    """Reads and validates the user data of a telecommand packet.

    Raises:
        WireError: TOO_LONG, or BAD_VALUE when not even the identity can be read.
    """
    if len(data) > TELECOMMAND_BYTES_MAX:
        raise WireError(WireReason.TOO_LONG, f"telecommand of {len(data)} octets")
    try:
        envelope = _ENVELOPE.decode(data)
    except _BAD_BYTES as error:
        raise WireError(WireReason.BAD_VALUE, str(error)) from None
    command = decode_command(envelope.cmd)
    if isinstance(command, CommandReason):
        return Unusable(envelope.id, command)
    return Telecommand(envelope.id, command)


def decode_command(raw: bytes | msgspec.Raw) -> Command | CommandReason:
    """One command of the dictionary, in range; or why there is none. Never raises."""
    try:
        command = _COMMAND.decode(raw)
    except _BAD_BYTES:
        return _why_unusable(raw)
    if isinstance(command, SetParameter) and not _parameter_in_range(command):
        return CommandReason.OUT_OF_RANGE
    return command


def _why_unusable(raw: bytes | msgspec.Raw) -> CommandReason:
    try:
        name = _NAME.decode(raw).type
    except _BAD_BYTES:
        return CommandReason.UNKNOWN_COMMAND
    return CommandReason.OUT_OF_RANGE if name in _NAMES else CommandReason.UNKNOWN_COMMAND


def is_in_range(command: Command) -> bool:
    """Whether a command made on board would have passed as one that came by radio."""
    return decode_command(_ENCODER.encode(command)) == command


def _parameter_in_range(command: SetParameter) -> bool:
    """Whether the parameter exists and takes this value; no NaN passes."""
    definition = PARAMETER_BY_NAME.get(command.name)
    return definition is not None and definition.low <= command.value <= definition.high


def encode_report(report: VerificationReport) -> bytes:
    """The user data of a verification packet: identity 8, stage 1, reason 1 octets."""
    return _REPORT.pack(report.command_id, report.stage, report.reason)


def decode_report(data: bytes) -> VerificationReport:
    """Reads the user data of a verification packet.

    Raises:
        WireError: BAD_LENGTH, or BAD_VALUE for a stage or reason that we don't know.
    """
    if len(data) != _REPORT.size:
        raise WireError(WireReason.BAD_LENGTH, f"verification of {len(data)} octets")
    command_id, stage, reason = _REPORT.unpack(data)
    try:
        return VerificationReport(command_id, Stage(stage), CommandReason(reason))
    except ValueError as error:
        raise WireError(WireReason.BAD_VALUE, str(error)) from None
