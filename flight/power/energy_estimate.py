"""Joins what is sensed about energy: state of charge, recent array output, base load, shadow ahead.

Pure. Turns one cycle's readings into the `PowerState` that the budget and the governor judge by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.power.power_budget import NO_ECLIPSE, SHADOW_ANY_MOMENT, PowerState, reserve_soc

if TYPE_CHECKING:
    from flight.io.acquisition import Readings
    from flight.power.battery_fade import BatteryFade
    from flight.power.orbit_forecast import OrbitForecast
    from flight.power.power_budget import SunPhase
    from flight.power.state_of_charge import BatteryData, SocEstimator

SMOOTHING = 0.02
"""Share of a new sample in the running means: about a minute's memory at 1 Hz."""

FULL_LIGHT = 0.5
"""Share of the sun sensor from which the array counts as lit; less is penumbra or a turn."""

CURTAILED = 0.995
"""Share of the full battery's voltage above which the array gives less than it could."""

SOC_MARGIN = 0.02
"""Kept on top of the floor for the error of the estimate itself."""


@dataclass(frozen=True, slots=True)
class EnergyState:
    """What is known about energy this cycle.

    Attributes:
        soc: 0..1.
        soc_valid: an estimate exists.
        phase: light and shadow ahead.
        power: what the budget judges by; `None` when nothing is scarce.
        reserve_soc: state of charge the base load needs to the end of the next shadow.
        ready: enough is known to run the payload on.
    """

    soc: float
    soc_valid: bool
    phase: SunPhase
    power: PowerState | None
    reserve_soc: float
    ready: bool


class EnergyEstimator:
    """One `update` a cycle.

    Args:
        soc: the state-of-charge estimator.
        battery: the battery's data, for its energy.
        forecast: shadow ahead; `None` when the node was given no orbit.
        array_w, base_w: first guesses of the running means.
        fade: learns what the battery still holds; without it that is what it is rated for.
    """

    def __init__(  # noqa: PLR0913  what an estimate is made of
        self,
        soc: SocEstimator,
        battery: BatteryData,
        forecast: OrbitForecast | None,
        *,
        array_w: float,
        base_w: float,
        fade: BatteryFade | None = None,
    ) -> None:
        self._soc = soc
        self._forecast = forecast
        self._array_w = array_w
        self._base_w = base_w
        self._energy_full_j = battery.capacity_as * battery.open_circuit_v(0.5)
        self._full_v = battery.open_circuit_v(1.0)
        self._fade = fade

    @property
    def soc_quality(self) -> int:
        """Quality of the state of charge, as in the dictionary."""
        return int(self._soc.quality)

    def update(
        self,
        readings: Readings,
        utc_s: float | None,
        now_ns: int,
        *,
        soc_floor: float,
        laser_j: float,
    ) -> EnergyState:
        """One step; `laser_j` is the energy to set aside for contacts ahead.

        Without a time (`utc_s` is `None`) shadow may begin at any moment and is taken to do so.
        """
        soc = self._soc.update(now_ns, readings.battery_v, _battery_a(readings), readings.battery_c)
        phase = self._phase(utc_s)
        self._learn(readings, phase)
        capacity = 1.0
        if self._fade is not None:
            capacity = self._fade.update(now_ns, readings.battery_v, readings.battery_a)
        power = PowerState(
            soc=soc,
            soc_floor=soc_floor,
            margin=SOC_MARGIN,
            energy_full_j=self._energy_full_j * capacity,
            array_w=self._array_w,
            base_w=self._base_w,
            laser_j_light=laser_j if phase.sunlit else 0.0,
            laser_j_shadow=0.0 if phase.sunlit else laser_j,
            phase=phase,
            capacity=capacity,
        )
        valid = self._soc.quality > 0
        return EnergyState(soc, valid, phase, power, reserve_soc(power), ready=valid)

    def _phase(self, utc_s: float | None) -> SunPhase:
        if self._forecast is None:
            return NO_ECLIPSE
        return SHADOW_ANY_MOMENT if utc_s is None else self._forecast.phase(utc_s)

    def _learn(self, readings: Readings, phase: SunPhase) -> None:
        """Running means of what the array gives in full light and what the base takes.

        Only from readings that are all valid: a load that is not sensed is not the base's. Near
        the full battery's voltage the array is curtailed, so it then only corrects upwards.
        """
        sun, array_w = readings.sun_fraction, readings.array_w
        if phase.sunlit and array_w is not None and sun is not None and sun > FULL_LIGHT:
            volts = readings.battery_v
            curtailed = volts is not None and volts >= CURTAILED * self._full_v
            if array_w > self._array_w or not curtailed:
                self._array_w += SMOOTHING * (array_w - self._array_w)
        bus_w, payload_w, laser_w = readings.bus_w, readings.payload_w, readings.laser_w
        if bus_w is not None and payload_w is not None and laser_w is not None:
            base_w = max(bus_w - payload_w - laser_w, 0.0)
            self._base_w += SMOOTHING * (base_w - self._base_w)


def _battery_a(readings: Readings) -> float | None:
    """Battery current as sensed, else from the power that the array does not cover."""
    if readings.battery_a is not None:
        return readings.battery_a
    volts, bus_w, array_w = readings.battery_v, readings.bus_w, readings.array_w
    if volts is None or bus_w is None or array_w is None or volts <= 0.0:
        return None
    return (bus_w - array_w) / volts
