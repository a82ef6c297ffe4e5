"""Judges a run's expectations: named measurements with limits, one verdict each."""

from __future__ import annotations

import operator
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from flight.config import ConfigError
from hil.scenario import ExpectKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hil.run_recorder import RunRecorder
    from hil.scenario import Expectation

_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}

OPEN_TABLES = (
    "events_by_severity",
    "throttle_s_by_reason",
    "mode_s_by_mode",
    "frames_refused_on_ground",
    "drops_by_queue",
)
"""Tables of the summary whose missing keys mean "never happened", so 0."""


class ExpectVerdict(Enum):
    """What became of one expectation."""

    PASS = "pass"  # noqa: S105  a verdict
    FAIL = "fail"


class Judged(msgspec.Struct, frozen=True):
    """One expectation with its measurement; `measured` is null when nothing was measured."""

    id: str
    requirement: str
    kind: str
    text: str
    verdict: str
    measured: float | None
    limit: float
    op: str
    unit: str


def judge(expectation: Expectation, recorder: RunRecorder, summary: Mapping[str, Any]) -> Judged:
    """The verdict on one expectation.

    Raises:
        ConfigError: it speaks of a channel or a summary key that does not exist.
    """
    if expectation.kind in (ExpectKind.ALWAYS, ExpectKind.NEVER):
        verdict, measured = _judge_channel(expectation, recorder)
    elif expectation.kind is ExpectKind.AT_END:
        verdict, measured = _judge_summary(expectation, summary)
    else:
        verdict, measured = _judge_event(expectation, recorder)
    text = expectation.text or (
        f"{expectation.kind.value}: {expectation.value} {expectation.op} {expectation.limit:g}"
    )
    return Judged(
        id=expectation.id,
        requirement=expectation.requirement,
        kind=expectation.kind.value,
        text=text,
        verdict=(ExpectVerdict.PASS if verdict else ExpectVerdict.FAIL).value,
        measured=measured,
        limit=expectation.limit,
        op=expectation.op,
        unit=expectation.unit,
    )


def _judge_channel(expectation: Expectation, recorder: RunRecorder) -> tuple[bool, float | None]:
    """Every valid sample after `from_s`; the measurement is the one nearest to failing."""
    if expectation.value not in recorder.names():
        raise ConfigError(f"expect {expectation.id}: no telemetry channel {expectation.value!r}")
    values = recorder.column(expectation.value)[recorder.times() >= expectation.from_s]
    values = values[~np.isnan(values)]
    if values.size == 0:
        return False, None
    never = expectation.kind is ExpectKind.NEVER
    op, limit = _OPPOSITE[expectation.op] if never else expectation.op, expectation.limit
    apart = np.abs(values - limit)
    nearest = {
        "<": values.argmax, "<=": values.argmax, ">": values.argmin, ">=": values.argmin,
        "==": apart.argmax, "!=": apart.argmin,
    }[op]()  # fmt: skip
    return bool(_OPS[op](values, limit).all()), float(values[nearest])


def _judge_summary(
    expectation: Expectation, summary: Mapping[str, Any]
) -> tuple[bool, float | None]:
    value: Any = summary
    parts = expectation.value.split(".")
    for part in parts:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part == "count":
            value = len(value)
        elif isinstance(value, dict) and len(parts) == 2 and parts[0] in OPEN_TABLES:
            value = 0.0
        else:
            raise ConfigError(f"expect {expectation.id}: no summary key {expectation.value!r}")
    if value is None:
        return False, None
    if not isinstance(value, int | float):
        raise ConfigError(f"expect {expectation.id}: {expectation.value!r} is no number")
    return bool(_OPS[expectation.op](float(value), expectation.limit)), float(value)


def _judge_event(expectation: Expectation, recorder: RunRecorder) -> tuple[bool, float | None]:
    for event in recorder.events:
        if event.name == expectation.value and event.t_s >= expectation.from_s:
            delay_s = event.t_s - expectation.from_s
            return delay_s <= expectation.limit, delay_s
    return False, None
