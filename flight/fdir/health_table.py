"""Health: whether a component may be used, in five words, as a table of what leads where.

Hop: "sensor to actuator", the judging step. Mode says what the node is told to be, health what it
has to be it with: two vocabularies (after the health states of the ESA flight software framework
and sat-rs). A component's word changes by the rows below and by nothing else; a pair of word and
cause without a row changes nothing. Two words belong to the ground: what it has taken under its
own control, or declared permanently faulty, no observation brings back.

    healthy ──failed, stalled, drifted──► needs_recovery ──given up──► faulty
       ▲                                      │    ▲                      │
       └──────────────────well────────────────┘    └──────cleared─────────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, final

from flight.telemetry.definitions import Health

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class HealthCause(Enum):
    """What is observed or commanded; the text goes into the event."""

    FAILED = "failed"  # a life of it ended with an error; it comes back by itself
    STALLED = "stands still"  # its counter does not move
    DRIFTED = "drifted"  # it does not read back what it is told
    WELL = "well again"  # it moves, or reads back what it is told
    GIVEN_UP = "given up"  # whoever tried to recover it has no try left
    TAKEN_OVER = "taken over by command"
    CONDEMNED = "declared permanently faulty"
    CLEARED = "cleared by command"


_OBSERVED = (Health.HEALTHY, Health.NEEDS_RECOVERY, Health.FAULTY)
"""The words that the node itself may change."""

TRANSITIONS: Final[Mapping[tuple[Health, HealthCause], Health]] = {
    (Health.HEALTHY, HealthCause.FAILED): Health.NEEDS_RECOVERY,
    (Health.HEALTHY, HealthCause.STALLED): Health.NEEDS_RECOVERY,
    (Health.HEALTHY, HealthCause.DRIFTED): Health.NEEDS_RECOVERY,
    (Health.HEALTHY, HealthCause.GIVEN_UP): Health.FAULTY,
    (Health.NEEDS_RECOVERY, HealthCause.WELL): Health.HEALTHY,
    (Health.NEEDS_RECOVERY, HealthCause.GIVEN_UP): Health.FAULTY,
    (Health.FAULTY, HealthCause.CLEARED): Health.NEEDS_RECOVERY,
    (Health.EXTERNAL_CONTROL, HealthCause.CLEARED): Health.NEEDS_RECOVERY,
    (Health.PERMANENTLY_FAULTY, HealthCause.CLEARED): Health.NEEDS_RECOVERY,
    (Health.EXTERNAL_CONTROL, HealthCause.CONDEMNED): Health.PERMANENTLY_FAULTY,
    (Health.PERMANENTLY_FAULTY, HealthCause.TAKEN_OVER): Health.EXTERNAL_CONTROL,
    **{(word, HealthCause.TAKEN_OVER): Health.EXTERNAL_CONTROL for word in _OBSERVED},
    **{(word, HealthCause.CONDEMNED): Health.PERMANENTLY_FAULTY for word in _OBSERVED},
}

BY_COMMAND: Final = (HealthCause.TAKEN_OVER, HealthCause.CONDEMNED, HealthCause.CLEARED)
LASTING: Final = (Health.EXTERNAL_CONTROL, Health.PERMANENTLY_FAULTY)
"""What the ground has said holds over a reset; what was observed is observed anew."""


@dataclass(frozen=True, slots=True)
class HealthChange:
    """An edge: whose, where from, where to, why."""

    component: str
    old: Health
    new: Health
    cause: HealthCause


@final
class HealthTable:
    """The word of each component; all are healthy at first.

    Attributes:
        conditions: `health.NAME.faulty` and `health.NAME.needs_recovery`, as long as they hold.
    """

    def __init__(self, components: Sequence[str]) -> None:
        assert len(set(components)) == len(components), "names of components repeat"
        self._words: Final = dict.fromkeys(components, Health.HEALTHY)
        self.conditions: tuple[str, ...] = ()

    def __getitem__(self, component: str) -> Health:
        return self._words[component]

    def __contains__(self, component: str) -> bool:
        return component in self._words

    def words(self) -> dict[str, Health]:
        """Every component's word, in the order of the table."""
        return dict(self._words)

    def usable(self, component: str) -> bool:
        """Whether the node may use it: all but what was declared permanently faulty."""
        return self._words[component] is not Health.PERMANENTLY_FAULTY

    def apply(self, component: str, cause: HealthCause) -> HealthChange | None:
        """Take one observation or command; the edge, or None when it changes nothing.

        A component that is not in the table has no health: None.
        """
        old = self._words.get(component)
        new = None if old is None else TRANSITIONS.get((old, cause))
        if old is None or new is None:
            return None
        self._words[component] = new
        self._follow()
        return HealthChange(component, old, new, cause)

    def lasting(self) -> dict[str, int]:
        """What the ground has said and a reset must not forget."""
        return {name: int(word) for name, word in self._words.items() if word in LASTING}

    def restore(self, lasting: Mapping[str, int]) -> None:
        """What `lasting` said before a reset; components that are gone and other words don't."""
        for name, word in lasting.items():
            if name in self._words and word in LASTING:
                self._words[name] = Health(word)
        self._follow()

    def _follow(self) -> None:
        self.conditions = tuple(
            f"health.{name}.{word.name.lower()}"
            for name, word in self._words.items()
            if word in (Health.FAULTY, Health.NEEDS_RECOVERY)
        )
