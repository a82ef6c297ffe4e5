"""What `lumenode send` uploads: a file made into a load, and the load brought on board.

Ground side of load -> validate -> activate: pieces one by one, each answered, then the node's
judgement of the whole, then the activation. The first refusal ends it; the set in force on board
is then what it was.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from flight.commanding.parameters import ParameterTable
from flight.commanding.sequence import FORMAT_VERSION, encode_sequence
from flight.commanding.upload_plan import upload_plan
from flight.config import ConfigError, convert, read_toml
from flight.fdir.recovery_load import (
    LimitTuning,
    RecoveryLoad,
    RecoverySet,
    RowTuning,
    recovery_of,
)
from flight.fdir.safety_tables import LIMIT_NAMES, RECOVERIES
from flight.sequence_file import read_sequence
from flight.telemetry.command_table import LOAD_BYTES_MAX, LoadBegin, LoadDiscard, LoadPart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from flight.operator_session_mqtt import Answer, OperatorSession
    from flight.telemetry.dictionary import Command


@dataclass(frozen=True, slots=True)
class Load:
    """What goes up: a kind, the version of its format, the octets, and what to call it."""

    kind: str
    version: int
    data: bytes
    title: str


def _sequence(path: Path) -> Load:
    sequence = read_sequence(path)
    title = f"sequence {sequence.name} version {sequence.version}"
    return Load("sequence", FORMAT_VERSION, encode_sequence(sequence), title)


def dotted(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Tables within tables as names with dots: in TOML `a.b = 1` is a table `a`."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            flat |= dotted(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _parameters(path: Path) -> Load:
    values = convert(dotted(read_toml(path)), dict[str, float], str(path))
    try:
        table = ParameterTable(values)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    data = msgspec.json.encode(table.differing())
    return Load("parameters", 1, data, f"parameters, {len(table.differing())} not the default")


def _recoveries(path: Path) -> Load:
    """Names and ranges are checked here; what a board's own bounds contradict, on board."""
    content, rows = read_toml(path), {row.name: row for row in RECOVERIES}
    for section, known, kind in (
        ("limits", LIMIT_NAMES, LimitTuning),
        ("recoveries", tuple(rows), RowTuning),
    ):
        part = content.get(section, {})
        for name, row in part.items() if isinstance(part, dict) else ():
            if name not in known:
                allowed = ", ".join(known)
                raise ConfigError(
                    f"{path}: {section}.{name}: no such row; allowed is one of {allowed}"
                )
            convert(row, kind, f"{path}: {section}.{name}")
    wanted = convert(content, RecoverySet, str(path))
    for name, tuning in wanted.recoveries.items():
        try:
            recovery_of(rows[name], tuning)
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from None
    counts = f"{len(wanted.limits)} limits and {len(wanted.recoveries)} rows not as built"
    data = msgspec.json.encode(wanted)
    return Load("recoveries", RecoveryLoad.version, data, f"recoveries, {counts}")


COMPILERS: dict[str, Callable[[Path], Load]] = {
    "sequence": _sequence,
    "parameters": _parameters,
    "recoveries": _recoveries,
}
"""Kinds that are written as TOML; a file of any other kind, or name, goes up as it is."""


def load_of(kind: str, path: Path, version: int | None) -> Load:
    """The load that a file makes; ConfigError in one line."""
    if path.suffix == ".toml" and kind in COMPILERS:
        return COMPILERS[kind](path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if not 0 < len(data) <= LOAD_BYTES_MAX:
        raise ConfigError(f"{path}: {len(data)} octets; allowed: 1 to {LOAD_BYTES_MAX}")
    if not 1 <= len(kind) <= 24:
        raise ConfigError(f"load {kind!r}: a kind has 1 to 24 characters")
    version = FORMAT_VERSION if version is None else version
    if not 0 <= version <= 65_535:
        raise ConfigError(f"--format {version}: allowed is 0 to 65535")
    return Load(kind, version, data, f"load {kind} of {len(data)} B")


async def send_load(
    session: OperatorSession, load: Load, tell: Callable[[Answer], None], *, replace: bool
) -> bool:
    """Whether it is in force on board; the answer that says so, or why not, is told."""
    commands: list[Command] = [LoadDiscard()] if replace else []
    commands += [
        each for phase in upload_plan(load.kind, load.version, load.data) for each in phase
    ]
    for command in commands:
        answer = await session.ask(command)
        if not answer.completed:
            tell(answer)
            if isinstance(command, LoadBegin) and answer.reason == "busy":
                sys.stderr.write("lumenode send: another load is under way there: --replace\n")
            return False
        if isinstance(command, LoadPart):
            sent = command.offset + len(command.data)
            sys.stderr.write(f"{load.title}: {sent} of {len(load.data)} B\n")
    tell(answer)
    return True
