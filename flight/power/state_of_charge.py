"""State of charge: coulombs counted, pulled gently towards what the voltage says.

Counting alone drifts with the sensor's offset, voltage alone swings with the load; the mix keeps
the first's smoothness and the second's truth. The voltage is corrected for the ohmic drop and
trusted the less the larger the current is against the capacity, as in the usual open-circuit-
voltage correction (Plett, Battery Management Systems II, ch. 3). Without a current the voltage
alone is followed, slowly, so that load swings average out. At first the voltage is all there is:
its running mean is taken until it is as slow as the correction that goes on for ever.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import IntEnum
from math import exp

_NS = 1e-9
_ZERO_C_K = 273.15
_REFERENCE_K = 298.15
_GAS_CONSTANT = 8.314462618
_ACTIVATION_J_PER_MOL = 20_000.0
_ROOM_C, _COLDEST_C, _HOTTEST_C = 25.0, -60.0, 100.0
STALE_NS = 60_000_000_000


class SocQuality(IntEnum):
    """How the present estimate came about; order as in the dictionary."""

    NONE = 0
    VOLTAGE = 1
    COULOMB = 2
    FUSED = 3


@dataclass(frozen=True, slots=True)
class BatteryData:
    """What the node knows of its battery (cell data sheet, 25 degC).

    Attributes:
        capacity_as: charge of the whole battery, ampere-seconds.
        series: cells in series.
        resistance_ohm: of the whole battery, ohmic plus polarisation.
        ocv_soc, ocv_v: open-circuit voltage of one cell over state of charge, both rising.
        charge_efficiency: coulombs kept of those put in.
        capacity_loss_per_k: share of the capacity that each kelvin below 25 degC takes.
    """

    capacity_as: float
    series: int
    resistance_ohm: float
    ocv_soc: tuple[float, ...]
    ocv_v: tuple[float, ...]
    charge_efficiency: float = 0.99
    capacity_loss_per_k: float = 0.2 / 35.0

    def capacity_as_at(self, temp_c: float) -> float:
        """Charge between empty and full at a cell temperature, never below half of the rated."""
        cold_k = max(0.0, _REFERENCE_K - _ZERO_C_K - temp_c)
        return self.capacity_as * max(0.5, 1.0 - self.capacity_loss_per_k * cold_k)

    def soc_at(self, cell_v: float) -> float:
        """State of charge whose open-circuit voltage is `cell_v`, clamped to 0..1."""
        if cell_v <= self.ocv_v[0]:
            return self.ocv_soc[0]
        if cell_v >= self.ocv_v[-1]:
            return self.ocv_soc[-1]
        i = bisect_right(self.ocv_v, cell_v) - 1
        share = (cell_v - self.ocv_v[i]) / (self.ocv_v[i + 1] - self.ocv_v[i])
        return self.ocv_soc[i] + share * (self.ocv_soc[i + 1] - self.ocv_soc[i])

    def open_circuit_v(self, soc: float) -> float:
        """Open-circuit voltage of the whole battery at `soc`."""
        clamped = min(max(soc, self.ocv_soc[0]), self.ocv_soc[-1])
        i = min(bisect_right(self.ocv_soc, clamped) - 1, len(self.ocv_soc) - 2)
        share = (clamped - self.ocv_soc[i]) / (self.ocv_soc[i + 1] - self.ocv_soc[i])
        return self.series * (self.ocv_v[i] + share * (self.ocv_v[i + 1] - self.ocv_v[i]))


class SocEstimator:
    """Holds the estimate; one `update` a cycle.

    Args:
        battery: the battery's data.
        correction_per_s: share of the voltage's disagreement taken over each second at rest.
    """

    def __init__(self, battery: BatteryData, correction_per_s: float = 2e-3) -> None:
        self._battery = battery
        self._gain = correction_per_s
        self._then_ns: int | None = None
        self._age_s = 0.0
        self._temp_c = _ROOM_C
        self.soc = 0.0
        self.quality = SocQuality.NONE

    def update(
        self, now_ns: int, voltage_v: float | None, current_a: float | None, temp_c: float | None
    ) -> float:
        """One step; `None` marks a sensor that gave no valid value. Returns the estimate, 0..1.

        Cycles with neither voltage nor current are bridged by the next current; after `STALE_NS`
        of them there is no estimate any more, until a voltage starts it anew. Cells change their
        temperature slowly: the last one measured holds, 25 degC before there was any.
        """
        if temp_c is not None:
            self._temp_c = min(max(temp_c, _COLDEST_C), _HOTTEST_C)
        by_voltage = self._from_voltage(voltage_v, current_a)
        if self._then_ns is None:
            if by_voltage is None:
                return self.soc
            self.soc, self.quality = by_voltage, SocQuality.VOLTAGE
            self._age_s = 0.0
        elif voltage_v is None and current_a is None:
            if now_ns - self._then_ns > STALE_NS:
                self._then_ns, self.quality = None, SocQuality.NONE
            return self.soc
        else:
            self._step((now_ns - self._then_ns) * _NS, by_voltage, current_a)
        self._then_ns = now_ns
        return self.soc

    def _step(self, dt_s: float, by_voltage: float | None, current_a: float | None) -> None:
        self._age_s += dt_s
        battery, soc, c_rate = self._battery, self.soc, 0.0
        if current_a is not None:
            capacity_as = battery.capacity_as_at(self._temp_c)
            kept = 1.0 if current_a >= 0.0 else battery.charge_efficiency
            soc -= kept * current_a * dt_s / capacity_as
            c_rate = abs(current_a) * 3600.0 / capacity_as
            self.quality = SocQuality.COULOMB
        if by_voltage is not None and dt_s > 0.0:
            trust = max(self._gain / (1.0 + 40.0 * c_rate * c_rate), 1.0 / self._age_s)
            soc += min(trust * dt_s, 1.0) * (by_voltage - soc)
            self.quality = SocQuality.VOLTAGE if current_a is None else SocQuality.FUSED
        self.soc = min(max(soc, 0.0), 1.0)

    def _from_voltage(self, voltage_v: float | None, current_a: float | None) -> float | None:
        if voltage_v is None:
            return None
        kelvin = _ZERO_C_K + self._temp_c
        warmth = exp(_ACTIVATION_J_PER_MOL / _GAS_CONSTANT * (1.0 / kelvin - 1.0 / _REFERENCE_K))
        open_v = voltage_v + (current_a or 0.0) * self._battery.resistance_ohm * warmth
        return self._battery.soc_at(open_v / self._battery.series)
