"""Solar array and bus: sunlight in, loads and battery out, the surplus left on the array.

The array is operated at its maximum power point while the bus can take it; when the battery
is full, cold or current-limited the array is shunted, and the power not taken stays on the
panel as heat. A bus that cannot be fed collapses: nothing is served, the array charges.
"""

import math
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from hil.plant._plant_native import ffi, lib
from hil.plant.battery import HEALTHY, Battery, BatteryState, BatteryStep, CellHealth, step_of
from hil.plant.constants import ALBEDO_EARTH, SOLAR_CONSTANT_W_M2, ZERO_CELSIUS_K


class BusVerdict(IntEnum):
    """State of the bus over one step."""

    SUPPLIED = 0
    CURTAILED = 1
    """All loads served and the array could give more than is taken."""
    BROWN_OUT = 2
    """The loads were not served."""


@dataclass(frozen=True, slots=True)
class ArrayConfig:
    """A sun-pointed triple-junction array."""

    area_m2: float = 0.22
    efficiency: float = 0.295
    """At 28 C, one sun, beginning of life."""
    packing: float = 0.90
    """Cell area over panel area."""
    temp_coefficient_per_k: float = -0.0022
    degradation_per_year: float = 0.015
    age_years: float = 1.0
    tracker_efficiency: float = 0.97
    """Maximum power point tracker and converter."""
    offset_deg: float = 3.0
    """Angle between panel normal and Sun: alignment and attitude together."""
    cutoff_deg: float = 80.0
    """Past this angle the cos law no longer holds and the cover glass reflects."""
    albedo_view_factor: float = 0.10
    """The panel stands nearly edge-on to the Earth in a dawn-dusk orbit."""

    def __post_init__(self) -> None:
        """Refuse what would give power from nowhere."""
        if self.area_m2 <= 0.0 or not 0.0 < self.efficiency < 0.6:
            raise ValueError("array area must be positive and efficiency inside 0..0.6")
        if not (0.0 < self.packing <= 1.0 and 0.0 < self.tracker_efficiency <= 1.0):
            raise ValueError("packing and tracker efficiency must lie in 0..1")

    @property
    def incidence(self) -> float:
        """Cosine of the panel's angle to the Sun, zero past the cut-off."""
        if abs(self.offset_deg) > self.cutoff_deg:
            return 0.0
        return math.cos(math.radians(self.offset_deg))


class Light(NamedTuple):
    """Sunlight at the node."""

    flux_w_m2: float
    """Solar flux at this distance, in full light."""
    sunlit: float
    """Fraction `nu` of the solar disc that is seen."""
    day_cosine: float
    """Cosine of the solar zenith angle below the node, zero over the night side."""


class SolarArray:
    """Light to available power: pure, no state."""

    def __init__(self, config: ArrayConfig) -> None:
        self.config = config
        self._incidence = config.incidence
        self._direct_w = (
            config.area_m2
            * config.packing
            * config.efficiency
            * math.pow(1.0 - config.degradation_per_year, config.age_years)
        )

    def irradiance_w_m2(self, light: Light) -> float:
        """Flux that falls on the panel: direct with the cos law, and albedo."""
        albedo = ALBEDO_EARTH * self.config.albedo_view_factor * light.day_cosine
        return light.flux_w_m2 * (self._incidence * light.sunlit + albedo)

    def available_w(self, light: Light, temp_k: float, scale: float = 1.0) -> float:
        """Power at the tracker's output; `scale` is what string failures leave."""
        warm_k = temp_k - (ZERO_CELSIUS_K + 28.0)
        hot = max(0.0, 1.0 + self.config.temp_coefficient_per_k * warm_k)
        power_w = self._direct_w * self.irradiance_w_m2(light) * hot * scale
        return power_w * self.config.tracker_efficiency


_VERDICTS = tuple(BusVerdict)
_BUS = ffi.new("struct plant_bus_out *")
"""Scratch of one call; the plant runs on one thread."""
_BUS_VIEW = ffi.buffer(_BUS)
_OUT = Struct("=7di4x2di4x")
assert _OUT.size == ffi.sizeof("struct plant_bus_out"), "the step's layout is the ABI"


class BusStep(NamedTuple):
    """One step of array, battery and loads; powers are means over the step."""

    battery: BatteryStep
    verdict: BusVerdict
    array_w: float
    """Taken from the tracker's output."""
    array_available_w: float
    served_w: float
    """Load power served: all of it, or nothing."""


def solar_flux_w_m2(distance_au: float) -> float:
    """Solar flux at this distance from the Sun."""
    return SOLAR_CONSTANT_W_M2 / (distance_au * distance_au)


def step_bus(  # noqa: PLR0913 - everything electric meets here, and by name
    battery: Battery,
    state: BatteryState,
    load_w: float,
    *,
    array_w: float,
    temp_k: float,
    dt_s: float,
    health: CellHealth = HEALTHY,
) -> BusStep:
    """Balance `load_w` against `array_w` available; the battery takes or gives the rest."""
    lib.plant_bus_step(
        battery.native, battery.fill(state, temp_k, dt_s, health), load_w, array_w, _BUS
    )
    *cells, taken_w, served_w, verdict = _OUT.unpack(_BUS_VIEW)
    return BusStep(step_of(*cells), _VERDICTS[verdict], taken_w, array_w, served_w)
