"""The node as a physical body: one step takes actuators to sensors and truth.

Hop by hop: where it is, how much Sun it sees, what the array can give, what the bus and the
battery make of the loads, and where each watt ends as heat. Every joule is booked once, so
absorbed + injected = radiated + emitted light + stored heat + stored charge at any time.
"""

import math
from typing import NamedTuple

from hil.plant._plant_native import ffi, lib
from hil.plant.array_battery import (
    BusStep,
    BusVerdict,
    Light,
    SolarArray,
    solar_flux_w_m2,
    step_bus,
)
from hil.plant.battery import HEALTHY, Battery, BatteryState, CellHealth
from hil.plant.constants import ALBEDO_EARTH, EARTH_IR_W_M2, ZERO_CELSIUS_K
from hil.plant.orbit import Orbit
from hil.plant.spacecraft_config import SpacecraftConfig
from hil.plant.sun_eclipse import beta_rad, sun_of, sunlit_fraction
from hil.plant.thermal import ThermalNet, ThermalNode

__all__ = [
    "NO_DISTURBANCE",
    "STEP_S_MAX",
    "Actuators",
    "Disturbance",
    "EnergyLedger",
    "Outputs",
    "Spacecraft",
    "SpacecraftConfig",
    "SpacecraftState",
]

STEP_S_MAX = 10.0
_THERMAL_STEP_S = 1.0
_DIE, _SINK, _RADIATOR, _BATTERY, _TERMINAL, _ARRAY = map(int, ThermalNode)
_NOTHING_SERVED = (0.0, 0.0, 0.0, 0.0)


class Actuators(NamedTuple):
    """What flight commands, as the devices carry it out."""

    payload_w: float = 0.0
    laser_on: bool = False
    heater_on: bool = False


class Disturbance(NamedTuple):
    """The faults' hand on the physics; the default is a healthy node."""

    sink_heat_w: float = 0.0
    """Heat injected into the heat sink from outside the power balance."""
    array_scale: float = 1.0
    health: CellHealth = HEALTHY
    payload_extra_w: float = 0.0
    """Latch-up: drawn by the board beyond its model."""
    heater_stuck: bool | None = None
    """True or False overrides the heater's relay."""
    radiator_scale: float = 1.0
    """What is left of the radiator's emissivity."""


NO_DISTURBANCE = Disturbance()


class EnergyLedger(NamedTuple):
    """Joules since the start of the run."""

    absorbed_j: float = 0.0
    injected_j: float = 0.0
    radiated_j: float = 0.0
    light_j: float = 0.0
    heat_stored_j: float = 0.0
    battery_stored_j: float = 0.0
    array_j: float = 0.0
    served_j: float = 0.0
    unserved_j: float = 0.0
    curtailed_j: float = 0.0

    @property
    def residual_j(self) -> float:
        """Energy that came from nowhere: zero but for rounding."""
        kept_j = self.heat_stored_j + self.battery_stored_j
        return self.absorbed_j + self.injected_j - self.radiated_j - self.light_j - kept_j


class SpacecraftState(NamedTuple):
    """All that a step carries to the next."""

    battery: BatteryState
    temp_k: tuple[float, ...]
    ledger: EnergyLedger = EnergyLedger()


class Outputs(NamedTuple):
    """Sensors and truth after a step; powers are means over it."""

    array_w: float
    array_available_w: float
    load_w: float
    """Everything served: bus, payload, laser, heater."""
    bus_w: float
    payload_w: float
    laser_w: float
    heater_w: float
    battery_v: float
    battery_a: float
    """Positive when discharging."""
    temp_k: tuple[float, ...]
    """Indexed by `ThermalNode`."""
    sun_sensor: float
    """Coarse sun sensor: sunlit fraction times cosine, 0..1."""
    sunlit: float
    soc: float
    verdict: BusVerdict
    battery_heat_w: float
    ledger: EnergyLedger


class Spacecraft:
    """Pure steps over `SpacecraftState`; the object holds configuration and ephemeris."""

    def __init__(self, config: SpacecraftConfig, orbit: Orbit) -> None:
        self.config = config
        self.orbit = orbit
        self.array = SolarArray(config.array)
        self.battery = Battery(config.battery)
        self._net = ThermalNet(config.nodes, config.links)
        self._worn_scale = 1.0
        self._worn_net = self._net
        self._incidence = config.array.incidence
        pairs = tuple(zip(config.nodes, config.surfaces, strict=True))
        self._surfaces = surfaces = ffi.new("struct plant_surfaces *")
        surfaces.node_count = len(pairs)
        for k, (n, s) in enumerate(pairs):
            surfaces.sun_m2[k] = s.absorptivity * n.area_m2 * s.sun_fraction
            surfaces.day_m2[k] = s.absorptivity * n.area_m2 * s.earth_view_factor * ALBEDO_EARTH
            surfaces.infrared_w[k] = n.emissivity * n.area_m2 * s.earth_view_factor * EARTH_IR_W_M2
        self._heat_w = ffi.new("double[]", len(pairs))

    def initial_state(self) -> SpacecraftState:
        """Start of a run: rested battery, temperatures of the configuration."""
        config = self.config
        temp_k = tuple(each + ZERO_CELSIUS_K for each in config.initial_temp_c)
        return SpacecraftState(BatteryState(config.initial_soc), temp_k)

    def light(self, t_s: float) -> Light:
        """Sunlight at `t_s` seconds from the orbit's epoch."""
        position = self.orbit.position_km(t_s)
        sun = sun_of(self.orbit, t_s)
        x, y, z = position
        ux, uy, uz = sun.direction
        zenith = (x * ux + y * uy + z * uz) / math.sqrt(x * x + y * y + z * z)
        flux_w_m2 = solar_flux_w_m2(sun.distance_au)
        return Light(flux_w_m2, sunlit_fraction(position, sun), max(0.0, zenith))

    def surface_heat_w(self, light: Light) -> tuple[float, ...]:
        """What Sun and Earth put into each node, whatever the node does."""
        direct = light.flux_w_m2 * light.sunlit * self._incidence
        day = light.flux_w_m2 * light.day_cosine
        lib.plant_surface_heat(self._surfaces, direct, day, self._heat_w)
        return tuple(self._heat_w)

    def beta_deg(self, t_s: float) -> float:
        """Angle of the Sun to the orbit plane: truth for reports, not part of a step."""
        return math.degrees(beta_rad(self.orbit, t_s))

    def step(
        self,
        state: SpacecraftState,
        t_s: float,
        dt_s: float,
        actuators: Actuators,
        disturbance: Disturbance = NO_DISTURBANCE,
    ) -> tuple[SpacecraftState, Outputs]:
        """Advance from `t_s` by `dt_s`: at most 10 s, 1 s near a shadow edge (mid-step light).

        Raises ValueError on a step or a payload power that no plant could take.
        """
        if not 0.0 < dt_s <= STEP_S_MAX or not 0.0 <= actuators.payload_w < 1.0e4:
            raise ValueError(f"no such step: {dt_s} s with a payload of {actuators.payload_w} W")
        loads = self._loads(actuators, disturbance)
        asked_w = sum(loads)
        light = self.light(t_s + 0.5 * dt_s)
        array_k = state.temp_k[_ARRAY]
        available_w = self.array.available_w(light, array_k, disturbance.array_scale)
        bus = step_bus(
            self.battery,
            state.battery,
            asked_w,
            array_w=available_w,
            temp_k=state.temp_k[_BATTERY],
            dt_s=dt_s,
            health=disturbance.health,
        )
        served = _NOTHING_SERVED if bus.verdict is BusVerdict.BROWN_OUT else loads
        unserved_j = (asked_w - sum(served)) * dt_s
        temp_k, ledger = self._heat(state, light, bus, served, disturbance, dt_s, unserved_j)
        outputs = self._outputs(bus, served, light, temp_k, ledger)
        return SpacecraftState(bus.battery.state, temp_k, ledger), outputs

    def _outputs(
        self,
        bus: BusStep,
        served_w: tuple[float, float, float, float],
        light: Light,
        temp_k: tuple[float, ...],
        ledger: EnergyLedger,
    ) -> Outputs:
        return Outputs(
            bus.array_w,
            bus.array_available_w,
            bus.served_w,
            *served_w,
            bus.battery.voltage_v,
            bus.battery.current_a,
            temp_k,
            light.sunlit * self._incidence,
            light.sunlit,
            bus.battery.state.soc,
            bus.verdict,
            bus.battery.heat_w,
            ledger,
        )

    def _loads(
        self, actuators: Actuators, disturbance: Disturbance
    ) -> tuple[float, float, float, float]:
        """Watts asked for by bus, payload, laser and heater."""
        config = self.config
        stuck = disturbance.heater_stuck
        heater_on = actuators.heater_on if stuck is None else stuck
        return (
            config.bus_w,
            actuators.payload_w + disturbance.payload_extra_w,
            config.laser_w if actuators.laser_on else 0.0,
            config.heater_w if heater_on else 0.0,
        )

    def _heat(  # noqa: PLR0913, PLR0917 - one call a step, all of it physics
        self,
        state: SpacecraftState,
        light: Light,
        bus: BusStep,
        served_w: tuple[float, float, float, float],
        disturbance: Disturbance,
        dt_s: float,
        unserved_j: float,
    ) -> tuple[tuple[float, ...], EnergyLedger]:
        """Every watt of the step to its node, through the network, into the ledger."""
        bus_w, payload_w, laser_w, heater_w = served_w
        direct = light.flux_w_m2 * light.sunlit * self._incidence
        day = light.flux_w_m2 * light.day_cosine
        heat_w = self._heat_w
        absorbed_w = lib.plant_surface_heat(self._surfaces, direct, day, heat_w)
        panel_w = bus.array_w / self.config.array.tracker_efficiency
        light_w = laser_w * self.config.laser_efficiency
        heat_w[_ARRAY] -= panel_w
        heat_w[_RADIATOR] += bus_w + panel_w - bus.array_w
        heat_w[_DIE] += payload_w
        heat_w[_SINK] += disturbance.sink_heat_w
        heat_w[_BATTERY] += heater_w + bus.battery.heat_w
        heat_w[_TERMINAL] += laser_w - light_w
        steps = max(1, math.ceil(dt_s / _THERMAL_STEP_S))
        net = self._network(disturbance.radiator_scale)
        after = net.step(state.temp_k, heat_w, dt_s / steps, steps)
        was = state.ledger
        return after.temp_k, EnergyLedger(
            was.absorbed_j + absorbed_w * dt_s,
            was.injected_j + disturbance.sink_heat_w * dt_s,
            was.radiated_j + after.radiated_j,
            was.light_j + light_w * dt_s,
            was.heat_stored_j + net.stored_j(state.temp_k, after.temp_k),
            was.battery_stored_j + bus.battery.stored_j,
            was.array_j + bus.array_w * dt_s,
            was.served_j + bus.served_w * dt_s,
            was.unserved_j + unserved_j,
            was.curtailed_j + (bus.array_available_w - bus.array_w) * dt_s,
        )

    def _network(self, radiator_scale: float) -> ThermalNet:
        if radiator_scale != self._worn_scale:
            self._worn_net = self._net.with_emissivity_scale(ThermalNode.RADIATOR, radiator_scale)
            self._worn_scale = radiator_scale
        return self._worn_net
