"""Parameters as packet data: what a node answers when it is asked what is in force.

Packet: dictionary tag 4, part 1, parts 1, then for each parameter its number in the dictionary 2,
flags 1 (bit 0: differs from its default) and value as float64. Default, range and unit are the
dictionary's, which the tag names.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import PARAMETERS
from flight.wire.errors import WireError, WireReason
from flight.wire.telemetry import DICTIONARY_TAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PER_PACKET = 128
_HEAD = struct.Struct(">4sBB")
_ROW = struct.Struct(">HBd")
_DIFFERS = 1


@dataclass(frozen=True, slots=True)
class ReportedParameter:
    """One parameter as reported.

    Attributes:
        differs: from the dictionary's default.
    """

    name: str
    value: float
    differs: bool


@dataclass(frozen=True, slots=True)
class ParameterPart:
    """One packet of a report: part `part` (from 0) of `parts`."""

    part: int
    parts: int
    rows: tuple[ReportedParameter, ...]


_NUMBER = {definition.name: number for number, definition in enumerate(PARAMETERS)}


def encode_parameters(rows: Sequence[ReportedParameter]) -> list[bytes]:
    """Packet data, `PER_PACKET` parameters each; KeyError for a name the dictionary lacks."""
    chunks = [rows[i : i + PER_PACKET] for i in range(0, len(rows), PER_PACKET)]
    return [
        _HEAD.pack(DICTIONARY_TAG, part, len(chunks)) + b"".join(_packed(chunk))
        for part, chunk in enumerate(chunks)
    ]


def _packed(rows: Iterable[ReportedParameter]) -> Iterable[bytes]:
    return (_ROW.pack(_NUMBER[row.name], row.differs, row.value) for row in rows)


def decode_parameters(data: bytes) -> ParameterPart:
    """Reads one packet's data.

    Raises:
        WireError: TRUNCATED, BAD_VERSION (another dictionary), BAD_LENGTH, BAD_VALUE.
    """
    if len(data) < _HEAD.size:
        raise WireError(WireReason.TRUNCATED, f"{len(data)} octets of parameters")
    tag, part, parts = _HEAD.unpack_from(data)
    if tag != DICTIONARY_TAG:
        raise WireError(WireReason.BAD_VERSION, "made with another dictionary")
    if (len(data) - _HEAD.size) % _ROW.size:
        raise WireError(WireReason.BAD_LENGTH, f"{len(data)} octets of parameters")
    if part >= parts:
        raise WireError(WireReason.BAD_VALUE, f"part {part} of {parts}")
    rows = []
    for number, flags, value in _ROW.iter_unpack(data[_HEAD.size :]):
        if number >= len(PARAMETERS) or flags & ~_DIFFERS or not isfinite(value):
            raise WireError(WireReason.BAD_VALUE, f"parameter {number}: {value}")
        rows.append(ReportedParameter(PARAMETERS[number].name, value, bool(flags)))
    return ParameterPart(part, parts, tuple(rows))
