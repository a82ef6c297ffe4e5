"""Parameters in force: defaults from the dictionary, overridden by configuration and by command."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import PARAMETER_BY_NAME, PARAMETERS

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
    """

    def __init__(self, overrides: Mapping[str, float]) -> None:
        self._values: dict[str, float] = {p.name: p.default for p in PARAMETERS}
        for name, value in overrides.items():
            if self.set(name, value) is not ParameterVerdict.SET:
                raise ValueError(describe_range(name, value))

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def get(self, name: str) -> float | None:
        """The value in force; None for a parameter that does not exist."""
        return self._values.get(name)

    def set(self, name: str, value: float) -> ParameterVerdict:
        """Sets one parameter if it exists and the value (NaN never) is in its range."""
        definition = PARAMETER_BY_NAME.get(name)
        if definition is None:
            return ParameterVerdict.UNKNOWN
        if not definition.low <= value <= definition.high:
            return ParameterVerdict.OUT_OF_RANGE
        self._values[name] = float(value)
        return ParameterVerdict.SET

    def differing(self) -> dict[str, float]:
        """Parameters that differ from their default, for the durable store and for telemetry."""
        return {p.name: self._values[p.name] for p in PARAMETERS if self._differs(p.name)}

    def _differs(self, name: str) -> bool:
        return self._values[name] != PARAMETER_BY_NAME[name].default


def describe_range(name: str, value: float) -> str:
    """One line for an operator: the parameter, the value, what is allowed."""
    definition = PARAMETER_BY_NAME.get(name)
    if definition is None:
        return f"parameter {name}: unknown; known are {', '.join(sorted(PARAMETER_BY_NAME))}"
    return (
        f"parameter {name} = {value:g}: allowed is "
        f"{definition.low:g} to {definition.high:g} {definition.unit}"
    ).rstrip()
