"""The operating modes as tables: what leads where, what must stay true there, how to get there.

Theory of operation. Each cycle the inputs are judged once; the first row whose `source` holds the
present mode and whose condition is true gives the next mode. Rows towards SAFE stand first, so no
wish can outrun a danger. SAFE is left by command alone and only while no entry criterion holds; a
reset does not leave it either.
DOWNLINK is COMPUTE with the laser on: it is entered and left with the contact, and falls back to
whatever the node would do without one. Hysteresis lives in the inputs (overlapping bands of the
battery, a dwell in the mode), never in the rows. The diagram in docs/ARCHITECTURE.md is drawn from
them.

A mode asks something of each part: after the mode tree of sat-rs, in a target table and a sequence
table. The target says what each part has to read back as for as long as the mode lasts. The
sequence says in which order the parts are brought there; a step is done when the read-back confirms
it and late after its time. Until its step has come, a part stays under the mode before. Health is
another vocabulary (`fdir.health_table`): whether a part may be used at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from flight.telemetry.definitions import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NS_PER_S: Final = 1_000_000_000
DWELL_NS = 5 * _NS_PER_S
"""A wish (not a danger) waits this long in a mode before it may leave it."""


@dataclass(frozen=True, slots=True)
class ModeInputs:
    """What the table looks at, judged once a cycle.

    Attributes:
        checks_done: the boot self-checks ended well.
        boot_failed: they ended badly, or the node restarts too often.
        danger: name of the most urgent safe-mode criterion that holds, "" for none.
        kept_safe: why the node was in SAFE before the reset, "" when it was not.
        battery_low: state of charge near the floor (overlapping band).
        contact_active: an authorised contact is under way.
        wanted: what the ground wants outside a contact: IDLE or COMPUTE.
        command: a mode asked for by command in this very cycle.
    """

    checks_done: bool
    boot_failed: bool
    danger: str
    kept_safe: str
    battery_low: bool
    contact_active: bool
    wanted: Mode
    command: Mode | None


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: from any mode in `source`, when `condition`, to `target`, told as `cause`."""

    source: frozenset[Mode]
    target: Mode
    cause: str
    condition: Callable[[ModeInputs], bool]
    urgent: bool = False


_NOMINAL = frozenset({Mode.IDLE, Mode.COMPUTE, Mode.DOWNLINK})
_ONLY = {mode: frozenset({mode}) for mode in Mode}

TRANSITIONS: tuple[Transition, ...] = (
    Transition(_ONLY[Mode.BOOT], Mode.SAFE, "boot failed", lambda i: i.boot_failed, urgent=True),
    Transition(_NOMINAL, Mode.SAFE, "criterion", lambda i: bool(i.danger), urgent=True),
    Transition(_NOMINAL, Mode.SAFE, "command", lambda i: i.command is Mode.SAFE, urgent=True),
    Transition(_ONLY[Mode.BOOT], Mode.SAFE, "criterion", lambda i: bool(i.danger), urgent=True),
    Transition(_ONLY[Mode.BOOT], Mode.SAFE, "as before", lambda i: bool(i.kept_safe), urgent=True),
    Transition(_ONLY[Mode.BOOT], Mode.IDLE, "checks done", lambda i: i.checks_done, urgent=True),
    Transition(
        _ONLY[Mode.SAFE],
        Mode.IDLE,
        "command",
        lambda i: i.command in (Mode.IDLE, Mode.COMPUTE) and not i.danger,
        urgent=True,
    ),
    Transition(
        frozenset({Mode.IDLE, Mode.COMPUTE}),
        Mode.DOWNLINK,
        "contact",
        lambda i: i.contact_active and not i.battery_low,
        urgent=True,
    ),
    Transition(
        _ONLY[Mode.DOWNLINK],
        Mode.IDLE,
        "contact over",
        lambda i: not i.contact_active and (i.battery_low or i.wanted is Mode.IDLE),
        urgent=True,
    ),
    Transition(
        _ONLY[Mode.DOWNLINK],
        Mode.COMPUTE,
        "contact over",
        lambda i: not i.contact_active,
        urgent=True,
    ),
    Transition(_ONLY[Mode.COMPUTE], Mode.IDLE, "command", lambda i: i.wanted is Mode.IDLE),
    Transition(_ONLY[Mode.COMPUTE], Mode.IDLE, "battery low", lambda i: i.battery_low),
    Transition(
        _ONLY[Mode.IDLE],
        Mode.COMPUTE,
        "power available",
        lambda i: i.wanted is Mode.COMPUTE and not i.battery_low,
    ),
)


class Part(Enum):
    """What shows how it is; the value is its name in conditions and events.

    Payload, laser and heater read back what they were told. The beam is another witness of the
    laser: what the terminal draws, which a switch that lies cannot hide.
    """

    PAYLOAD = "payload"
    LASER = "laser"
    BEAM = "beam"
    HEATER = "heater"


class Need(Enum):
    """What a mode wants of a part; the text is for people."""

    OFF = "off"
    TOLD = "as told"
    BY_PLAN = "dark outside contacts"


@dataclass(frozen=True, slots=True)
class Step:
    """One step towards a mode: this part, under this need, confirmed in this time."""

    part: Part
    need: Need
    within_ns: int


PAYLOAD_WITHIN_NS: Final = 10 * _NS_PER_S
"""A board may take seconds for another power mode, and is asked again each second."""
LASER_WITHIN_NS: Final = 5 * _NS_PER_S
"""The contact loop takes a tenth of a second while it is well."""
HEATER_WITHIN_NS: Final = 5 * _NS_PER_S

_ACTIVE: Final = {
    Part.PAYLOAD: Need.TOLD,
    Part.LASER: Need.BY_PLAN,
    Part.BEAM: Need.BY_PLAN,
    Part.HEATER: Need.TOLD,
}
_RESTING: Final = {**_ACTIVE, Part.PAYLOAD: Need.OFF}

TARGETS: Final[Mapping[Mode, Mapping[Part, Need]]] = {
    Mode.BOOT: {**_ACTIVE, Part.PAYLOAD: Need.OFF, Part.LASER: Need.OFF, Part.BEAM: Need.OFF},
    Mode.SAFE: _RESTING,
    Mode.IDLE: _RESTING,
    Mode.COMPUTE: _ACTIVE,
    Mode.DOWNLINK: _ACTIVE,
}
"""What must stay true. In SAFE the laser goes by the plan as ever: the link stays alive, unless a
recovery that stands wants it off."""

_PAYLOAD_OFF: Final = Step(Part.PAYLOAD, Need.OFF, PAYLOAD_WITHIN_NS)
_PAYLOAD_TOLD: Final = Step(Part.PAYLOAD, Need.TOLD, PAYLOAD_WITHIN_NS)
_LASER_OFF: Final = Step(Part.LASER, Need.OFF, LASER_WITHIN_NS)
_LASER_BY_PLAN: Final = Step(Part.LASER, Need.BY_PLAN, LASER_WITHIN_NS)
_BEAM_OFF: Final = Step(Part.BEAM, Need.OFF, LASER_WITHIN_NS)
_BEAM_BY_PLAN: Final = Step(Part.BEAM, Need.BY_PLAN, LASER_WITHIN_NS)
_HEATER_TOLD: Final = Step(Part.HEATER, Need.TOLD, HEATER_WITHIN_NS)

SEQUENCES: Final[Mapping[Mode, tuple[Step, ...]]] = {
    Mode.BOOT: (_LASER_OFF, _PAYLOAD_OFF, _HEATER_TOLD, _BEAM_OFF),
    Mode.SAFE: (_PAYLOAD_OFF, _LASER_BY_PLAN, _HEATER_TOLD, _BEAM_BY_PLAN),
    Mode.IDLE: (_PAYLOAD_OFF, _LASER_BY_PLAN, _HEATER_TOLD, _BEAM_BY_PLAN),
    # Loads come one after the other: no payload before a beam that should be dark is dark.
    Mode.COMPUTE: (_LASER_BY_PLAN, _PAYLOAD_TOLD, _HEATER_TOLD, _BEAM_BY_PLAN),
    # The link waits for nobody: it comes first, and in BOOT alone it is not allowed.
    Mode.DOWNLINK: (_LASER_BY_PLAN, _PAYLOAD_TOLD, _HEATER_TOLD, _BEAM_BY_PLAN),
}
"""How to get there, whatever the mode before was."""

for _mode, _steps in SEQUENCES.items():
    assert {step.part: step.need for step in _steps} == TARGETS[_mode], f"{_mode.name} goes astray"
    assert len(_steps) == len(Part), f"{_mode.name}: a step for each part, once"
assert set(SEQUENCES) == set(Mode), "a mode nobody can get to"


AS_BEFORE: Final = "as before, "
"""In front of the first cause, where SAFE goes on after a reset."""
_CAUSES: Final[Mapping[str, Callable[[ModeInputs], str]]] = {
    "criterion": lambda i: i.danger,
    "as before": lambda i: AS_BEFORE + i.kept_safe,
}
"""How a cause is told that says more than its name."""


@dataclass(frozen=True, slots=True)
class ModeChange:
    """An edge: where from, where to, why."""

    old: Mode
    new: Mode
    cause: str


class ModeMachine:
    """Walks the table; holds the mode and how long it has lasted."""

    def __init__(self, now_ns: int) -> None:
        self.mode = Mode.BOOT
        self.changes = 0
        self._since_ns = now_ns

    def step(self, inputs: ModeInputs, now_ns: int) -> ModeChange | None:
        """Takes the first transition that applies; at most one a cycle."""
        rested = now_ns - self._since_ns >= DWELL_NS
        for row in _ROWS_BY_MODE[self.mode]:
            if (row.urgent or rested) and row.condition(inputs):
                tell = _CAUSES.get(row.cause)
                cause = row.cause if tell is None else tell(inputs)
                change = ModeChange(self.mode, row.target, cause)
                self.mode = row.target
                self.changes += 1
                self._since_ns = now_ns
                return change
        return None


_ROWS_BY_MODE = {mode: tuple(r for r in TRANSITIONS if mode in r.source) for mode in Mode}
