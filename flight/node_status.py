"""What the executive and the services tell each other: two frozen values, one in each direction."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.telemetry.definitions import Mode, ThrottleReason


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What the executive tells the services after each cycle.

    Attributes:
        now_ns: mission time of the cycle.
        utc_s: Unix seconds, a label; NaN while the time is not known.
        mode: operating mode.
        level: payload level in force; 0 is off.
        reason: why the level is not the best one.
        link_allowed: the terminal may be powered.
        soc: state of charge, 0..1; NaN while there is no estimate.
        payload_w: what the payload drew at the start of the cycle; NaN where nothing measures it.
    """

    now_ns: int
    utc_s: float
    mode: Mode
    level: int
    reason: ThrottleReason
    link_allowed: bool
    soc: float
    payload_w: float = nan


@dataclass(frozen=True, slots=True)
class Wishes:
    """What ground and services want, read once a cycle.

    Attributes:
        mode: asked for by command since the last cycle.
        inference_enabled: the ground lets the payload run.
        contact_active: the plan has an authorised contact under way.
        laser_j: energy to set aside for contacts before the end of the next shadow.
        queue_full: results have no room.
        duty: share of time the payload was busy lately, 0..1.
        busy_permille: share of the last cycle in which it computed.
        command_lost: the command-loss timer ran out.
        guard_tripped: the dead-man has switched payload and laser off and holds them.
        boot_failed: the start ended badly, or starts follow each other too fast.
    """

    mode: Mode | None = None
    inference_enabled: bool = True
    contact_active: bool = False
    laser_j: float = 0.0
    queue_full: bool = False
    duty: float = 1.0
    busy_permille: int = 0
    command_lost: bool = False
    guard_tripped: bool = False
    boot_failed: bool = False
