"""How much the payload may draw so that the battery never meets its floor.

Two phases are looked at: light until the next shadow, then the shadow to its end. For a payload
power the state of charge is carried through both (the battery clips at full in the light), and
the power is allowed when it stays above the floor plus a margin at the end of each. In the shadow
only the second phase remains. Conservative on purpose: a contact's laser energy is set aside in
full, as if drawn from the charged battery at the last moment, and the array is taken at its recent
mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DISCHARGE_EFFICIENCY = 0.96
"""Energy that reaches the bus of what leaves the battery (ohmic loss at the loads flown)."""

CHARGE_EFFICIENCY = 0.95

LOW_ABOVE_FLOOR, LOW_BAND_MIN = 0.01, 0.02
"""State of charge above the floor that is low, and the least band above that."""


@dataclass(frozen=True, slots=True)
class SunPhase:
    """Where the node is in light and shadow.

    Attributes:
        sunlit: now.
        eclipse_in_s: to the next (or 0 inside the present) eclipse.
        eclipse_s: length of that eclipse, or what is left of the present one.
    """

    sunlit: bool
    eclipse_in_s: float
    eclipse_s: float


NO_ECLIPSE = SunPhase(sunlit=True, eclipse_in_s=1e9, eclipse_s=0.0)

SHADOW_ANY_MOMENT = SunPhase(sunlit=True, eclipse_in_s=0.0, eclipse_s=2_200.0)
"""When time or orbit are not known: the longest shadow of a low circular orbit, and now."""


class PowerVerdict(Enum):
    """Whether a payload power fits, and if not, which reserve it would eat."""

    ALLOWED = "allowed"
    FLOOR = "floor"
    ECLIPSE_RESERVE = "eclipse reserve"
    PASS_RESERVE = "pass reserve"  # noqa: S105  a reserve for a pass, no password


@dataclass(frozen=True, slots=True)
class PowerState:
    """What the budget knows this cycle.

    Attributes:
        soc: estimate, 0..1.
        soc_floor: never to go below.
        margin: state of charge kept on top of the floor for the estimate's own error.
        energy_full_j: energy of the full battery.
        array_w: expected array output while sunlit.
        base_w: loads that are neither payload nor laser.
        laser_j_light, laser_j_shadow: energy set aside for contacts in each phase.
        phase: light and shadow ahead.
        capacity: charge that the battery holds over what it is rated for, as learned.
    """

    soc: float
    soc_floor: float
    margin: float
    energy_full_j: float
    array_w: float
    base_w: float
    laser_j_light: float
    laser_j_shadow: float
    phase: SunPhase
    capacity: float = 1.0


def judge_payload(payload_w: float, state: PowerState) -> PowerVerdict:
    """Whether the payload may draw `payload_w` on average until the end of the next shadow."""
    floor = state.soc_floor + state.margin
    energy_j = state.soc * state.energy_full_j
    floor_j = floor * state.energy_full_j
    light_s = min(state.phase.eclipse_in_s, 7_200.0) if state.phase.sunlit else 0.0
    if energy_j <= floor_j and not (state.phase.sunlit and _gain_w(payload_w, state) > 0.0):
        return PowerVerdict.FLOOR
    energy_j = min(energy_j + _gain_w(payload_w, state) * light_s, state.energy_full_j)
    if energy_j < floor_j and light_s > 0.0:
        return PowerVerdict.FLOOR
    energy_j -= state.laser_j_light / DISCHARGE_EFFICIENCY
    if energy_j < floor_j and light_s > 0.0:
        return PowerVerdict.PASS_RESERVE
    shadow_j = (state.base_w + payload_w) * state.phase.eclipse_s / DISCHARGE_EFFICIENCY
    energy_j -= shadow_j
    if energy_j < floor_j:
        return PowerVerdict.ECLIPSE_RESERVE
    if energy_j - state.laser_j_shadow / DISCHARGE_EFFICIENCY < floor_j:
        return PowerVerdict.PASS_RESERVE
    return PowerVerdict.ALLOWED


def low_band(soc_floor: float, soc_resume: float) -> tuple[float, float]:
    """Where "battery low" sets and clears: a band whatever the two parameters are."""
    set_at = soc_floor + LOW_ABOVE_FLOOR
    return set_at, max(soc_resume, set_at + LOW_BAND_MIN)


def reserve_soc(state: PowerState) -> float:
    """State of charge that the base load and contacts need to the end of the next shadow."""
    needed_j = state.base_w * state.phase.eclipse_s + state.laser_j_shadow
    return state.soc_floor + state.margin + needed_j / DISCHARGE_EFFICIENCY / state.energy_full_j


def _gain_w(payload_w: float, state: PowerState) -> float:
    """Power into (or, negative, out of) the battery in the light."""
    net_w = state.array_w - state.base_w - payload_w
    return net_w * CHARGE_EFFICIENCY if net_w > 0.0 else net_w / DISCHARGE_EFFICIENCY
