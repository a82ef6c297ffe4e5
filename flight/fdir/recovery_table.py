"""Conditions and what is done about them, as data: response, precedence and clearing per row.

Hop: "sensor to actuator", between `limit_monitor` and the mode table. After the action points of
NASA's limit checker: a row fires once and is then spent until it is armed again, so a storm of
faults cannot loop; a row in shadow counts what it would have done.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, final


class Action(Enum):
    """What a response may ask for, in the order of severity."""

    REDUCE_PAYLOAD = "reduce_payload"  # one level down
    SHED_PAYLOAD = "shed_payload"  # level 0
    LASER_OFF = "laser_off"
    STOW_TERMINAL = "stow_terminal"
    ENTER_SAFE = "enter_safe"


class Arming(Enum):
    """What arms a spent row again."""

    WHEN_CLEAR = "when_clear"  # the condition's end
    BY_COMMAND = "by_command"  # the ground alone


class Activity(Enum):
    """Whether a row acts."""

    ACTIVE = "active"
    SHADOW = "shadow"  # judged and counted, never acts
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """One row.

    Attributes:
        name: of the response, unique.
        condition: as `LimitMonitor.conditions` names it, or any other name fed in.
        actions: asked for together.
        precedence: lower fires first within one update.
        arming: how the row comes back after it fired.
    """

    name: str
    condition: str
    actions: tuple[Action, ...]
    precedence: int
    arming: Arming = Arming.WHEN_CLEAR


@dataclass(frozen=True, slots=True)
class Response:
    """A row that fired, for the actuators and for the event log."""

    name: str
    condition: str
    actions: tuple[Action, ...]
    at_ns: int


@dataclass(frozen=True, slots=True)
class RecoveryStatus:
    """A row's counters, for telemetry."""

    name: str
    activity: Activity
    armed: bool
    holds: bool
    fired: int
    shadow_fired: int


class Arrangement(Enum):
    """Answer to a command about a row."""

    DONE = "done"
    UNKNOWN_ROW = "unknown_row"


@final
class _Row:
    __slots__ = ("activity", "armed", "fired", "holds", "recovery", "shadow_fired")

    def __init__(self, recovery: Recovery) -> None:
        self.recovery = recovery
        self.activity = Activity.ACTIVE
        self.armed = True
        self.holds = False
        self.fired = 0
        self.shadow_fired = 0


@final
class RecoveryTable:
    """The rows and which of them are spent."""

    def __init__(self, rows: Sequence[Recovery]) -> None:
        ordered = sorted(rows, key=lambda row: row.precedence)
        self._rows: Final = {row.name: _Row(row) for row in ordered}
        assert len(self._rows) == len(rows), "names of recoveries repeat"
        assert len({row.precedence for row in rows}) == len(rows), "two rows of one precedence"
        assert all(row.actions for row in rows), "a row without an action does nothing"

    def update(self, conditions: Collection[str], now_ns: int) -> list[Response]:
        """Fire the armed rows whose condition holds, most urgent first.

        A row in shadow is spent and armed exactly as if it had acted.
        """
        responses: list[Response] = []
        for row in self._rows.values():
            row.holds = row.recovery.condition in conditions
            if not row.holds:
                row.armed = row.armed or row.recovery.arming is Arming.WHEN_CLEAR
                continue
            if not row.armed or row.activity is Activity.DISABLED:
                continue
            row.armed = False
            if row.activity is Activity.SHADOW:
                row.shadow_fired += 1
                continue
            row.fired += 1
            recovery = row.recovery
            responses.append(Response(recovery.name, recovery.condition, recovery.actions, now_ns))
        return responses

    def standing(self) -> tuple[Action, ...]:
        """Actions of active rows whose condition still holds; guards of a mode's exit ask this."""
        wanted: list[Action] = []
        for row in self._rows.values():
            if row.holds and row.activity is Activity.ACTIVE:
                wanted.extend(row.recovery.actions)
        return tuple(action for action in Action if action in wanted) if wanted else ()

    def arm(self, name: str) -> Arrangement:
        """The ground arms a row again; if its condition holds, it fires at the next update."""
        row = self._rows.get(name)
        if row is None:
            return Arrangement.UNKNOWN_ROW
        row.armed = True
        return Arrangement.DONE

    def set_activity(self, name: str, activity: Activity) -> Arrangement:
        """The ground makes a row act, shadow or rest. Leaving shadow arms it: nothing was done."""
        row = self._rows.get(name)
        if row is None:
            return Arrangement.UNKNOWN_ROW
        if row.activity is Activity.SHADOW and activity is Activity.ACTIVE:
            row.armed = True
        row.activity = activity
        return Arrangement.DONE

    def status(self) -> tuple[RecoveryStatus, ...]:
        """Counters by precedence."""
        return tuple(
            RecoveryStatus(name, row.activity, row.armed, row.holds, row.fired, row.shadow_fired)
            for name, row in self._rows.items()
        )
