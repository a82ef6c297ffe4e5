"""What a channel, an event, a command and a parameter *are*; the tables beside this file fill them.

Leaf of the house: flight, ground and bench import these types, they import nothing of ours.
Severities follow the ladder of ECSS-E-ST-70-41C (informative, low, medium, high) with DEBUG below
and FATAL above.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(IntEnum):
    """How much an event matters; everything above INFO is always sent down."""

    DEBUG = 0
    INFO = 1
    NOTICE = 2
    WARNING = 3
    ALARM = 4
    FATAL = 5


class Mode(IntEnum):
    """What the node is told to be. Health (whether it may be used) is another vocabulary."""

    BOOT = 0
    SAFE = 1
    IDLE = 2
    COMPUTE = 3
    DOWNLINK = 4


class Health(IntEnum):
    """Whether a component may be used; the words of sat-rs and of ESA's flight software framework.

    FAULTY and NEEDS_RECOVERY are the node's own findings, the two last words the ground's.
    """

    HEALTHY = 0
    NEEDS_RECOVERY = 1  # it failed, and is being brought back
    FAULTY = 2  # it failed, and bringing it back has failed
    EXTERNAL_CONTROL = 3  # the ground has it: the node neither judges nor recovers it
    PERMANENTLY_FAULTY = 4  # not used any more


class ThrottleReason(IntEnum):
    """The one reason the payload runs below its best level; one a second, never none of many."""

    NONE = 0
    DIE = 1
    SINK = 2
    RADIATOR = 3
    BATTERY_FLOOR = 4
    ECLIPSE_RESERVE = 5
    PASS_RESERVE = 6
    QUEUE_FULL = 7
    COMMAND = 8
    FAULT = 9


class Report(Enum):
    """What the ground may ask for, to come once."""

    PARAMETERS = "parameters"


class Kind(IntEnum):
    """How a channel's number is to be read."""

    FLOAT = 0
    COUNTER = 1
    ENUM = 2
    FLAG = 3


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Where a value is a warning (yellow) or an alarm (red), in the channel's unit."""

    low_red: float | None = None
    low_yellow: float | None = None
    high_yellow: float | None = None
    high_red: float | None = None

    def severity(self, value: float) -> Severity:
        """INFO inside all bounds; reached is beyond."""
        if _beyond(value, self.low_red, self.high_red):
            return Severity.ALARM
        return (
            Severity.WARNING if _beyond(value, self.low_yellow, self.high_yellow) else Severity.INFO
        )


def _beyond(value: float, low: float | None, high: float | None) -> bool:
    return (low is not None and value <= low) or (high is not None and value >= high)


class Channel(msgspec.Struct, frozen=True):
    """One telemetry channel.

    Attributes:
        name: dotted, room first, unit last.
        unit: SI symbol or "" for counts, enums and flags.
        group: the housekeeping packet it travels in.
        labels: for an ENUM, the name of each value in order.
        host: measured on the machine that flies it; left out of `log_hash`.
        age_s: a value older than this is told as invalid; 0 where it holds until it changes.
        dead_band: a packet may be sent before its time when the value has moved by more than this
            since it was last told; None where it never asks for one.
        bounds: where an operator's eye is drawn to, or None.
    """

    name: str
    unit: str
    group: str
    kind: Kind
    description: str
    labels: tuple[str, ...] = ()
    host: bool = False
    age_s: float = 0.0
    dead_band: float | None = 0.0
    bounds: Bounds | None = None


class EventDef(msgspec.Struct, frozen=True):
    """One event: text never lives in flight code, only here.

    Attributes:
        key: the argument that says *whose* event it is; each of its values is throttled apart,
            so one flooding component does not silence another. "" when there is but one source.
    """

    event_id: int
    name: str
    severity: Severity
    text: str
    key: str = ""


class CommandDef(msgspec.Struct, frozen=True):
    """One telecommand: its argument type, the modes it is taken in, what it does."""

    name: str
    arguments: type[msgspec.Struct]
    modes: frozenset[Mode]
    description: str
    dangerous: bool = False


class ParameterDef(msgspec.Struct, frozen=True):
    """One value that the ground may set in flight; the range is inclusive."""

    name: str
    unit: str
    default: float
    low: float
    high: float
    description: str


def event_text(definition: EventDef, args: Mapping[str, object]) -> str:
    """The event as a sentence: a missing argument shows as `?`, one of another type as it is.

    It never fails, since telling of a fault must not be a fault of its own.
    """
    return definition.text.format_map(_Lenient(args))


class _Lenient:
    """Arguments by name, each of which takes any format."""

    def __init__(self, args: Mapping[str, object]) -> None:
        self._args = args

    def __getitem__(self, key: str) -> _Shown:
        return _Shown(self._args.get(key, "?"))


class _Shown:
    """One argument; a format that does not fit its type is left out."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __format__(self, spec: str) -> str:
        try:
            return format(self._value, spec)
        except (TypeError, ValueError):
            return str(self._value)
