"""The operating modes as one table: what leads where, in order of precedence.

Theory of operation. Each cycle the inputs are judged once; the first row whose `source` holds the
present mode and whose condition is true gives the next mode. Rows towards SAFE stand first, so no
wish can outrun a danger. SAFE is left by command alone and only while no entry criterion holds.
DOWNLINK is COMPUTE with the laser on: it is entered and left with the contact, and falls back to
whatever the node would do without one. Hysteresis lives in the inputs (overlapping bands of the
battery, a dwell in the mode), never in the rows.

    BOOT ──► IDLE ◄──► COMPUTE ◄──► DOWNLINK
      │        │          │            │
      └────────┴────► SAFE ◄───────────┘      (left by command only)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.telemetry.definitions import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

DWELL_NS = 5_000_000_000
"""A wish (not a danger) waits this long in a mode before it may leave it."""


@dataclass(frozen=True, slots=True)
class ModeInputs:
    """What the table looks at, judged once a cycle.

    Attributes:
        checks_done: the boot self-checks ended well.
        boot_failed: they ended badly, or the node restarts too often.
        danger: name of the most urgent safe-mode criterion that holds, "" for none.
        battery_low: state of charge near the floor (overlapping band).
        contact_active: an authorised contact is under way.
        wanted: what the ground wants outside a contact: IDLE or COMPUTE.
        command: a mode asked for by command in this very cycle.
    """

    checks_done: bool
    boot_failed: bool
    danger: str
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
                cause = inputs.danger if row.cause == "criterion" else row.cause
                change = ModeChange(self.mode, row.target, cause)
                self.mode = row.target
                self.changes += 1
                self._since_ns = now_ns
                return change
        return None


_ROWS_BY_MODE = {mode: tuple(r for r in TRANSITIONS if mode in r.source) for mode in Mode}
