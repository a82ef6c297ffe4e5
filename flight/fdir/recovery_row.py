"""One row of the recovery table as data, what firing it asks for, and its state in one word.

Hop: "sensor to actuator", the values of `recovery_table`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Action(Enum):
    """What a response may ask for, in the order of severity."""

    SHED_PAYLOAD = "shed_payload"  # level 0
    LASER_OFF = "laser_off"
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


class RowState(IntEnum):
    """A row in one word, for telemetry; the first that fits, from the end."""

    ARMED = 0  # active, waits for its condition
    STANDS = 1  # active, its condition holds
    SPENT = 2  # active, fired, waits for its arming
    EXHAUSTED = 3  # active, no try left: the row it escalates to is called
    SHADOW = 4
    SHADOW_HOLDS = 5  # in shadow, and would act
    DISABLED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a row may fire before another one has to answer.

    Attributes:
        times: firings within `within_ns`; the next one is the escalation instead.
        within_ns: length of the sliding window.
        every_ns: fires again while its condition lasts, so long after the last time; 0 for never.
    """

    times: int
    within_ns: int
    every_ns: int = 0

    def __post_init__(self) -> None:
        """Refuse a budget that allows nothing or never ends."""
        assert self.times >= 1, "a row that may never fire is disabled instead"
        assert self.within_ns > 0, "the window needs a length"
        assert self.every_ns >= 0, "a wait is not negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """One row.

    Attributes:
        name: of the response, unique.
        condition: as `LimitMonitor.conditions` names it, or any other name fed in.
        actions: asked for together, for as long as the row stands.
        precedence: lower fires first within one update.
        arming: how the row comes back after it fired.
        clear: another condition that has to be over as well before the row has ended; "" for none.
        sequence: of telecommands, started when the row fires; "" for none.
        restart: service to be started anew when the row fires; "" for none.
        retry: budget of firings; None is once for each time the condition begins.
        escalates_to: name of the row that is called when the budget is used up.
    """

    name: str
    condition: str
    precedence: int
    actions: tuple[Action, ...] = ()
    arming: Arming = Arming.WHEN_CLEAR
    clear: str = ""
    sequence: str = ""
    restart: str = ""
    retry: Retry | None = None
    escalates_to: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """A row that fired, for the actuators and for the event log."""

    name: str
    condition: str
    actions: tuple[Action, ...]
    at_ns: int
    sequence: str = ""
    restart: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryStatus:
    """A row's counters, for telemetry; `retries_left` is -1 for a row without a budget."""

    name: str
    activity: Activity
    armed: bool
    holds: bool
    fired: int
    shadow_fired: int
    retries_left: int
    exhausted: bool

    @property
    def state(self) -> RowState:
        """The row in one word."""
        if self.activity is Activity.DISABLED:
            return RowState.DISABLED
        if self.activity is Activity.SHADOW:
            return RowState.SHADOW_HOLDS if self.holds else RowState.SHADOW
        if self.exhausted:
            return RowState.EXHAUSTED
        if self.holds:
            return RowState.STANDS
        return RowState.ARMED if self.armed else RowState.SPENT


class Arrangement(Enum):
    """Answer to a command about a row."""

    DONE = "done"
    UNKNOWN_ROW = "unknown_row"


RowMemory = tuple[str, bool, int, int]
"""What a reset must not forget of a row: activity, armed, fired, fired in shadow."""
