"""What a run left behind, read once into frozen values: the report's only reader of files.

`summary.json` must be there. Everything else may be missing or broken: the report then says so
(`RunRecord.problems`) instead of failing at the end of a long mission.
"""

import json
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from flight.telemetry.dictionary import Severity
from hil.report.run_values import Event, GovernorScore, Product, ReportData, Summary

SEVERITIES = tuple(severity.name for severity in Severity)
EVENTS_KEPT = 3000
PRODUCTS_KEPT = 20_000
_BELOW_NOTICE = frozenset(SEVERITIES[:2])

T = TypeVar("T")


class ReportError(Exception):
    """The run directory holds no readable `summary.json`; nothing can be reported."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Recorded channels on one time axis; NaN marks invalid samples."""

    t_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    channels: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def get(self, name: str) -> NDArray[np.float64] | None:
        """Return a channel that has at least one valid sample."""
        values = self.channels.get(name)
        return None if values is None or bool(np.isnan(values).all()) else values


@dataclass(frozen=True, slots=True)
class EventLog:
    """Events above INFO and everything about commands, in order, bounded; totals by severity."""

    shown: tuple[Event, ...] = ()
    total: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run directory as values."""

    run_dir: Path
    summary: Summary
    scenario: dict[str, Any]
    scenario_text: str
    telemetry: Telemetry
    events: EventLog
    products: tuple[Product, ...]
    data: ReportData
    problems: tuple[str, ...]
    score: GovernorScore | None = None
    """Of `lumenode score governor --run`; None before it, or of another flight."""


def read_run(run_dir: Path) -> RunRecord:
    """Read a run directory.

    Raises:
        ReportError: no readable `summary.json`.
    """
    problems: list[str] = []
    try:
        raw = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
        summary = msgspec.convert(raw, Summary, strict=False)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ReportError(f"summary.json: {error}") from error
    scenario_text = _text(run_dir / "scenario.toml", problems)
    try:
        scenario = tomllib.loads(scenario_text)
    except tomllib.TOMLDecodeError as error:
        scenario = {}
        problems.append(f"scenario.toml: {error}")
    data = _json(run_dir / "report_data.json", ReportData, problems) or ReportData()
    score = _score(run_dir / "governor.json", summary, problems)
    return RunRecord(
        run_dir=run_dir,
        summary=summary,
        scenario=scenario,
        scenario_text=scenario_text,
        telemetry=_telemetry(run_dir / "telemetry.npz", problems),
        events=_events(run_dir / "events.jsonl", problems),
        products=_products(run_dir / "products", problems),
        data=data,
        problems=tuple(problems),
        score=score,
    )


def _text(path: Path, problems: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: {_reason(error)}")
        return ""


def _reason(error: Exception) -> str:
    return error.strerror or "cannot be read" if isinstance(error, OSError) else str(error)


def _json(path: Path, kind: type[T], problems: list[str]) -> T | None:
    try:
        return msgspec.convert(json.loads(path.read_text(encoding="utf-8")), kind, strict=False)
    except (OSError, ValueError, msgspec.ValidationError) as error:
        problems.append(f"{path.name}: {_reason(error)}")
        return None


def _score(path: Path, summary: Summary, problems: list[str]) -> GovernorScore | None:
    if not path.exists():
        return None
    score = _json(path, GovernorScore, problems)
    if score is not None and score.log_hash != summary.log_hash:
        problems.append(f"{path.name}: is of another flight, left out")
        return None
    return score


def _telemetry(path: Path, problems: list[str]) -> Telemetry:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in sorted(archive.files)}
        t_s = arrays.pop("t_s").astype(np.float64)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        problems.append(f"{path.name}: {_reason(error)}")
        return Telemetry()
    channels: dict[str, NDArray[np.float64]] = {}
    for name, values in arrays.items():
        if values.shape == t_s.shape and values.dtype.kind in "fiub":
            channels[name] = values.astype(np.float64)
        else:
            problems.append(f"{path.name}: channel {name} has shape {values.shape}, left out")
    return Telemetry(t_s, channels)


def _events(path: Path, problems: list[str]) -> EventLog:
    shown: list[Event] = []
    total = unreadable = 0
    for line in _text(path, problems).splitlines():
        if not line.strip():
            continue
        total += 1
        try:
            event = msgspec.convert(json.loads(line), Event, strict=False)
        except (ValueError, msgspec.ValidationError):
            unreadable += 1
            continue
        if event.severity not in _BELOW_NOTICE or event.is_about_a_command:
            shown.append(event)
    if unreadable:
        problems.append(f"{path.name}: {unreadable} lines cannot be read")
    kept = _most_severe(shown, EVENTS_KEPT)
    return EventLog(tuple(kept), total, len(shown) - len(kept))


def severity_rank(severity: str) -> int:
    """Order severities; a name the report does not know counts as WARNING."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 3


def _most_severe(events: list[Event], limit: int) -> list[Event]:
    if len(events) <= limit:
        return events
    ranked = sorted(range(len(events)), key=lambda i: (-severity_rank(events[i].severity), i))
    return [events[i] for i in sorted(ranked[:limit])]


def _products(folder: Path, problems: list[str]) -> tuple[Product, ...]:
    found: list[Product] = []
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if len(paths) > PRODUCTS_KEPT:
        problems.append(f"products: {len(paths) - PRODUCTS_KEPT} of {len(paths)} left out")
    for path in paths[:PRODUCTS_KEPT]:
        product = _json(path, Product, problems)
        if product is not None:
            found.append(msgspec.structs.replace(product, file_stem=path.name[: -len(".json")]))
    return tuple(found)
