"""How much of its rated charge the battery still holds: coulombs counted against voltages at rest.

A state of charge read from the open-circuit voltage moves by more than coulombs over the rated
charge say when cells have faded. Both are noted when the current has been small and steady for so
long that the cells' slow polarisation has come to rest with it, and a plane is laid through what
lies between: over coulombs, and over current, because old cells also resist more and that must not
pass for charge. What decides that there is enough between two notes are the coulombs, which are
sure: were it the voltage, its errors would choose themselves. Fading shows within a few orbits of
shadow and light. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.power.state_of_charge import BatteryData

_NS = 1e-9
REST_C_RATE, STEADY_C_RATE = 0.3, 0.05
"""More current than the first share of the capacity an hour hides the open-circuit voltage, and so
does one that moves by more than the second."""
SETTLED_S = 150.0
"""Some time constants of a lithium-ion cell's polarisation, of 30 s to 60 s."""
SWING_MIN = 0.08
"""Share of the rated charge between two notes: less would be told by the noise of the voltage."""
FORGET = 0.97
"""Weight of a note after the next one: some ten orbits of shadow are remembered."""
CHARGE_PRIOR, CURRENT_PRIOR = 0.0064, 0.04
"""Squares by which notes must outweigh the belief that the cells are new: an error of 0.02 in a
swing, over 0.25 of the capacity and over 0.1 an hour of charge in what resistance feigns."""
CAPACITY_MIN, CAPACITY_MAX = 0.4, 1.05
GAP_S = 10.0


class BatteryFade:
    """One `update` a cycle.

    Attributes:
        capacity: charge held over the rated one; 1 until it is known better.
    """

    def __init__(self, battery: BatteryData) -> None:
        self._battery = battery
        self._then_ns: int | None = None
        self._moved = 0.0
        self._steady_a = self._steady_s = 0.0
        self._noted: float | None = None
        self._noted_c = 0.0
        self._mm, self._mc, self._cc = CHARGE_PRIOR, 0.0, CURRENT_PRIOR
        self._ms, self._cs = CHARGE_PRIOR, 0.0
        self.capacity = 1.0

    def update(self, now_ns: int, voltage_v: float | None, current_a: float | None) -> float:
        """A second's terminal voltage and current (discharge positive); returns the capacity."""
        if voltage_v is None or current_a is None:
            return self.capacity
        battery = self._battery
        dt_s = 0.0 if self._then_ns is None else (now_ns - self._then_ns) * _NS
        self._then_ns = now_ns
        if dt_s > GAP_S:  # what flowed meanwhile nobody has counted
            self._noted, self._steady_s = None, 0.0
            return self.capacity
        kept = 1.0 if current_a >= 0.0 else battery.charge_efficiency
        self._moved -= kept * current_a * dt_s / battery.capacity_as
        if self._settled(current_a, dt_s):
            open_v = voltage_v + current_a * battery.resistance_ohm
            self._note(battery.soc_at(open_v / battery.series), current_a * 3600.0)
        return self.capacity

    def _settled(self, current_a: float, dt_s: float) -> bool:
        a_c = self._battery.capacity_as / 3600.0
        if abs(current_a - self._steady_a) > STEADY_C_RATE * a_c:
            self._steady_a, self._steady_s = current_a, 0.0
        self._steady_s += dt_s
        return self._steady_s >= SETTLED_S and abs(current_a) <= REST_C_RATE * a_c

    def _note(self, by_voltage: float, current_as_h: float) -> None:
        c_rate = current_as_h / self._battery.capacity_as
        if self._noted is None:
            self._noted, self._noted_c, self._moved = by_voltage, c_rate, 0.0
        if abs(self._moved) < SWING_MIN:
            return
        moved, swing, change = self._moved, by_voltage - self._noted, c_rate - self._noted_c
        self._noted, self._noted_c, self._moved = by_voltage, c_rate, 0.0
        self._mm = CHARGE_PRIOR + FORGET * (self._mm - CHARGE_PRIOR) + moved * moved
        self._ms = CHARGE_PRIOR + FORGET * (self._ms - CHARGE_PRIOR) + moved * swing
        self._cc = CURRENT_PRIOR + FORGET * (self._cc - CURRENT_PRIOR) + change * change
        self._mc, self._cs = FORGET * self._mc + moved * change, FORGET * self._cs + change * swing
        # The matrix is positive definite: it is the priors' diagonal and a sum of squares.
        found = self._mm * self._cc - self._mc * self._mc
        swing_a_charge = (self._ms * self._cc - self._cs * self._mc) / found
        self.capacity = max(1.0 / max(swing_a_charge, 1.0 / CAPACITY_MAX), CAPACITY_MIN)
