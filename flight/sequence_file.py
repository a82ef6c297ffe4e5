"""Sequences as people write them: TOML, compiled into what is loaded.

A file holds `name`, `version`, perhaps `in_safe` and `late_s`, and one `[[step]]` table a step,
with `command`, `arguments`, `after_s` or `at_utc`, and `confirm = true` for a dangerous one. The
ones that are shipped as responses of the fault table lie in `commanding/responses`.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  read from the annotation
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from flight.command_text import command_from
from flight.commanding.sequence import (
    AFTER_MS_MAX,
    GOOD,
    LATE_S_MAX,
    SEQUENCE_BYTES_MAX,
    STEPS_MAX,
    UTC_MS_MAX,
    UTC_MS_MIN,
    Sequence,
    Step,
    encode_sequence,
    judge_sequence,
)
from flight.config import ConfigError, convert, read_toml
from flight.telemetry.command_table import SequenceName  # noqa: TC001  read from the annotation

RESPONSES = Path(__file__).parent / "commanding" / "responses"
_MS_PER_S = 1_000


class _StepText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    command: str
    arguments: dict[str, Any] = {}
    after_s: Annotated[float, Meta(ge=0.0, le=AFTER_MS_MAX / _MS_PER_S)] = 0.0
    at_utc: Annotated[datetime, Meta(tz=True)] | None = None
    confirm: bool = False


class _SequenceText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: SequenceName
    version: Annotated[int, Meta(ge=0, le=65_535)] = 1
    in_safe: bool = False
    late_s: Annotated[int, Meta(ge=0, le=LATE_S_MAX)] = 60
    step: Annotated[tuple[_StepText, ...], Meta(min_length=1, max_length=STEPS_MAX)]


def read_sequence(path: Path) -> Sequence:
    """The sequence of a file.

    Raises:
        ConfigError: one line that names file, step, key and what is allowed.
    """
    return sequence_from(read_toml(path), str(path))


def sequence_from(content: object, source: str) -> Sequence:
    """The sequence that a table of TOML describes; ConfigError as for a file."""
    text = convert(content, _SequenceText, source)
    steps = tuple(_step(each, f"{source}: step[{i}]") for i, each in enumerate(text.step))
    sequence = Sequence(text.name, text.version, steps, text.in_safe, text.late_s)
    finding = judge_sequence(sequence)
    if finding is not GOOD:
        raise ConfigError(f"{source}: step[{finding.step - 1}]: {finding.why}")
    size = len(encode_sequence(sequence))
    if size > SEQUENCE_BYTES_MAX:
        raise ConfigError(f"{source}: {size} octets on the wire; allowed: {SEQUENCE_BYTES_MAX}")
    return sequence


def shipped_sequences() -> tuple[Sequence, ...]:
    """The responses that come with the software, in order of their names."""
    return tuple(read_sequence(path) for path in sorted(RESPONSES.glob("*.toml")))


def _step(text: _StepText, where: str) -> Step:
    command = command_from(text.command, text.arguments, where)
    if text.at_utc is None:
        return Step(command, round(text.after_s * _MS_PER_S), None, text.confirm)
    at_utc_ms = round(text.at_utc.timestamp() * _MS_PER_S)
    if not UTC_MS_MIN <= at_utc_ms <= UTC_MS_MAX:
        raise ConfigError(f"{where}.at_utc = {text.at_utc}: allowed: 2020 to 2099")
    return Step(command, round(text.after_s * _MS_PER_S), at_utc_ms, text.confirm)
