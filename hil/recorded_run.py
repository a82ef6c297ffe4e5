"""A run as its folder tells it, and where another run of the same scenario leaves it.

Pure but for reading the folder. Events of level DEBUG and frames are in the hash alone.
"""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight import __version__
from flight.config import ConfigError
from flight.telemetry.dictionary import CHANNELS, DICTIONARY_HASH
from hil.cpu_level import cpu_level
from hil.run_recorder import RunEvent

if TYPE_CHECKING:
    from pathlib import Path

    from hil.run_recorder import RunRecorder

    Column = np.ndarray[Any, np.dtype[np.float64]]

NOTHING = "nothing"
_HOST = frozenset(channel.name for channel in CHANNELS if channel.host)


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where two runs differ; `t_s` is `None` where only the hash tells."""

    t_s: float | None
    what: str
    recorded: str
    now: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Outcome of a comparison.

    Attributes:
        events, rows: compared.
        changed_since: what else is not as it was when the run was recorded (software, model).
    """

    events: int
    rows: int
    hash_recorded: str
    hash_now: str
    changed_since: tuple[str, ...]
    divergence: Divergence | None

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.divergence is None


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What `lumenode run` left: summary, events, telemetry by channel (with "t_s")."""

    summary: dict[str, Any]
    events: list[RunEvent]
    telemetry: dict[str, Column]

    @classmethod
    def read(cls, folder: Path) -> RecordedRun:
        """Reads a folder.

        Raises:
            ConfigError: a file is missing or damaged, in one line.
        """
        if not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder; a run's folder is needed")
        for name in ("scenario.toml", "summary.json", "events.jsonl", "telemetry.npz"):
            path = folder / name
            if not path.is_file():
                raise ConfigError(f"{path}: no such file; the folder of a complete run is needed")
        return cls(
            _summary(folder / "summary.json"),
            _events(folder / "events.jsonl"),
            _telemetry(folder / "telemetry.npz"),
        )


def _summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_bytes())
        known = isinstance(summary["log_hash"], str)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: not a run's summary: {type(error).__name__}") from None
    if not known:
        raise ConfigError(f"{path}: log_hash: not a text")
    return dict(summary)


def _events(path: Path) -> list[RunEvent]:
    decoder = msgspec.json.Decoder(RunEvent)
    try:
        return decoder.decode_lines(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path}: not a run's events: {error}") from None


def _telemetry(path: Path) -> dict[str, Column]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in archive.files}
        rows = columns["t_s"].size
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path}: not a run's telemetry: {type(error).__name__}") from None
    if any(column.shape != (rows,) for column in columns.values()):
        raise ConfigError(f"{path}: not a run's telemetry: columns of different lengths")
    return columns


def compare(recorded: RecordedRun, now: RunRecorder, model_hash: str, imagery_hash: str) -> Replay:
    """Where `now` leaves the recorded run: the earliest difference in mission time."""
    found = [
        each
        for each in (_first_event(recorded.events, now.events), _first_row(recorded, now))
        if each is not None
    ]
    first = min(found, key=lambda each: each.t_s or 0.0) if found else None
    hash_recorded = recorded.summary["log_hash"]
    if first is None and hash_recorded != now.log_hash:
        what = "log hash alone: a frame or a debug event, which the folder does not keep"
        first = Divergence(None, what, hash_recorded, now.log_hash)
    return Replay(
        events=len(now.events),
        rows=now.samples,
        hash_recorded=hash_recorded,
        hash_now=now.log_hash,
        changed_since=_changed(recorded.summary, model_hash, imagery_hash),
        divergence=first,
    )


def _changed(summary: dict[str, Any], model_hash: str, imagery_hash: str) -> tuple[str, ...]:
    models = summary.get("model_hashes")
    pairs = (
        ("software version", summary.get("software_version"), __version__),
        ("dictionary", summary.get("dictionary_hash"), DICTIONARY_HASH),
        ("model", next(iter(models.values()), None) if isinstance(models, dict) else None,
         model_hash),
        ("imagery", summary.get("imagery_hash"), imagery_hash),
        ("processor", summary.get("cpu_features"), cpu_level()),
    )  # fmt: skip
    return tuple(f"{name} {was} is now {now}" for name, was, now in pairs if was != now)


def _first_event(recorded: list[RunEvent], now: list[RunEvent]) -> Divergence | None:
    for i, (a, b) in enumerate(zip(recorded, now, strict=False)):
        if a != b:
            return Divergence(min(a.t_s, b.t_s), f"event {i + 1}", _event(a), _event(b))
    shorter = min(len(recorded), len(now))
    rest = (recorded if len(recorded) > shorter else now)[shorter:]
    if not rest:
        return None
    told = _event(rest[0])
    sides = (told, NOTHING) if len(recorded) > shorter else (NOTHING, told)
    return Divergence(rest[0].t_s, f"event {shorter + 1}", *sides)


def _event(event: RunEvent) -> str:
    return f"{event.t_s:.6f} s {event.source} {event.severity} {event.name}: {event.text}"


def _first_row(recorded: RecordedRun, now: RunRecorder) -> Divergence | None:
    columns = {"t_s": now.times()} | {name: now.column(name) for name in now.names()}
    names = list(columns)
    for name in (*names, *recorded.telemetry):
        if name not in columns or name not in recorded.telemetry:
            sides = (NOTHING, "a channel") if name in columns else ("a channel", NOTHING)
            return Divergence(0.0, f"telemetry channel {name}", *sides)
    was, then = recorded.telemetry["t_s"], columns["t_s"]
    rows = min(was.size, then.size)
    first, channel = rows, ""
    for name in names:
        if name in _HOST:
            continue
        apart = np.flatnonzero(_differ(recorded.telemetry[name][:first], columns[name][:first]))
        if apart.size:
            first, channel = int(apart[0]), name
    if channel:
        a, b = float(recorded.telemetry[channel][first]), float(columns[channel][first])
        t_s = float(min(was[first], then[first]))
        return Divergence(t_s, f"telemetry row {first + 1}, {channel}", _number(a), _number(b))
    if was.size == then.size:
        return None
    t_s = float((was if was.size > rows else then)[rows])
    return Divergence(t_s, "rows of telemetry", str(was.size), str(then.size))


def _differ(a: Column, b: Column) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Bit for bit, but that one NaN is as good as another."""
    differ: np.ndarray[Any, np.dtype[np.bool_]] = (a != b) & ~(np.isnan(a) & np.isnan(b))
    return differ


def _number(value: float) -> str:
    return "not valid" if math.isnan(value) else repr(value)
