"""Parameters in force: defaults from the dictionary, overridden by configuration and by command."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import PARAMETER_BY_NAME, PARAMETERS
from flight.wire.parameter_report import ReportedParameter

if TYPE_CHECKING:
    from collections.abc import Mapping


class ParameterVerdict(Enum):
    """What became of a request to set a parameter."""

    SET = "set"
    UNKNOWN = "unknown parameter"
    OUT_OF_RANGE = "out of range"


class ParameterTable:
    """The parameters, range-checked at the door.

    Args:
        overrides: name -> value on top of the defaults; ValueError names the first bad one.

    Attributes:
        revision: grows with every change, so that nobody needs to compare values.
    """

    def __init__(self, overrides: Mapping[str, float]) -> None:
        self.revision = 0
        self._values: dict[str, float] = {p.name: p.default for p in PARAMETERS}
        for name, value in overrides.items():
            if self.set(name, value) is not ParameterVerdict.SET:
                raise ValueError(describe_range(name, value))
        self._configured = dict(self._values)

    @classmethod
    def defaults(cls) -> ParameterTable:
        """What holds when nothing else may be trusted: neither configuration nor ground."""
        return cls({})

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def get(self, name: str) -> float | None:
        """The value in force; None for a parameter that does not exist."""
        return self._values.get(name)

    def set(self, name: str, value: float) -> ParameterVerdict:
        """Sets one parameter if it exists and the value (NaN never) is in its range."""
        verdict = judge_parameter(name, value)
        if verdict is ParameterVerdict.SET:
            self._values[name] = float(value)
            self.revision += 1
        return verdict

    def replace(self, values: Mapping[str, float]) -> ParameterVerdict:
        """Sets the whole table: what is not named takes its default. All of it, or nothing."""
        for name, value in values.items():
            verdict = judge_parameter(name, value)
            if verdict is not ParameterVerdict.SET:
                return verdict
        for definition in PARAMETERS:
            self._values[definition.name] = float(values.get(definition.name, definition.default))
        self.revision += 1
        return ParameterVerdict.SET

    def differing(self) -> dict[str, float]:
        """Parameters that differ from their default, for telemetry and for a table to load."""
        return {p.name: self._values[p.name] for p in PARAMETERS if self._differs(p.name)}

    def changed(self) -> dict[str, float]:
        """Parameters that differ from what the configuration says, for the durable copies."""
        return {n: v for n, v in self._values.items() if v != self._configured[n]}

    def rows(self) -> list[ReportedParameter]:
        """Every parameter, in the order of the dictionary."""
        return [
            ReportedParameter(p.name, self._values[p.name], self._differs(p.name))
            for p in PARAMETERS
        ]

    def _differs(self, name: str) -> bool:
        return self._values[name] != PARAMETER_BY_NAME[name].default


def judge_parameter(name: str, value: float) -> ParameterVerdict:
    """Whether the dictionary takes it; SET means it would be set."""
    definition = PARAMETER_BY_NAME.get(name)
    if definition is None:
        return ParameterVerdict.UNKNOWN
    if not definition.low <= value <= definition.high:
        return ParameterVerdict.OUT_OF_RANGE
    return ParameterVerdict.SET


def describe_range(name: str, value: float) -> str:
    """One line for an operator: the parameter, the value, what is allowed."""
    definition = PARAMETER_BY_NAME.get(name)
    if definition is None:
        return f"parameter {name}: unknown; known are {', '.join(sorted(PARAMETER_BY_NAME))}"
    return (
        f"parameter {name} = {value:g}: allowed is "
        f"{definition.low:g} to {definition.high:g} {definition.unit}"
    ).rstrip()
