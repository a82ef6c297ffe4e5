"""Safe-mode entry criteria as data: name, what is watched, band, persistence.

A criterion trips after its value stayed beyond `set_at` for `persistence` cycles and clears only
beyond `clear_at`, so noise on the threshold moves nothing. The table's order is the precedence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.base.hysteresis import Hysteresis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class SafetyInputs:
    """What the criteria look at.

    Attributes:
        soc: state of charge, 0..1; 1.0 while there is no estimate yet.
        die_over_limit_k: die above its limit, kelvin; negative below it.
        blind_cycles: cycles in a row without a snapshot.
        command_lost: the command-loss timer ran out.
    """

    soc: float
    die_over_limit_k: float
    blind_cycles: int
    command_lost: bool


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row: trips beyond `set_at`, clears beyond `clear_at` (bands overlap)."""

    name: str
    value: Callable[[SafetyInputs], float]
    set_at: float
    clear_at: float
    persistence: int


def safety_criteria(soc_safe: float) -> tuple[Criterion, ...]:
    """The table, for a given state of charge that means SAFE."""
    return (
        Criterion("battery", lambda i: i.soc, soc_safe, soc_safe + 0.08, 3),
        Criterion("die temperature", lambda i: i.die_over_limit_k, 0.0, -10.0, 2),
        Criterion("sensors lost", lambda i: float(i.blind_cycles), 10.0, 0.5, 1),
        Criterion("command loss", lambda i: float(i.command_lost), 0.5, 0.4, 1),
    )


class SafetyMonitor:
    """Holds the band of every criterion; one `update` a cycle."""

    def __init__(self, criteria: Sequence[Criterion]) -> None:
        self._rows = tuple(
            (c.name, c.value, Hysteresis(c.set_at, c.clear_at, c.persistence)) for c in criteria
        )

    def update(self, inputs: SafetyInputs) -> str:
        """Name of the first criterion that holds, "" when none does."""
        danger = ""
        for name, value, band in self._rows:
            if band.update(value(inputs)) and not danger:
                danger = name
        return danger
