"""The physical half of the bench: plant steps, timeline faults in, sensor values out.

Stepped once a second before the node's own cycle, so the node reads the present and its actuators
act on the coming second. Faults wrap inputs or outputs, never the model.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Protocol

from hal.sample import SENSOR_ALL, SensorBit, Stuck
from hil.plant.array_battery import BusVerdict
from hil.plant.battery import CellHealth
from hil.plant.constants import ZERO_CELSIUS_K
from hil.plant.spacecraft import NO_DISTURBANCE, Actuators, Disturbance
from hil.run_recorder import TruthChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hal.sample import Actuators as Told
    from hil.plant.spacecraft import Outputs, Spacecraft
    from hil.scenario import TimelineEntry

_NS_PER_S = 1_000_000_000

TRUTH = (
    TruthChannel("truth.soc", "1", "state of charge of the cells"),
    TruthChannel("truth.die_c", "degC", "compute die"),
    TruthChannel("truth.sink_c", "degC", "heat sink"),
    TruthChannel("truth.radiator_c", "degC", "radiator"),
    TruthChannel("truth.battery_c", "degC", "cells"),
    TruthChannel("truth.sun_fraction", "1", "share of the solar disc in view"),
    TruthChannel("truth.array_available_w", "W", "what the array could give"),
    TruthChannel("truth.payload_w", "W", "compute board"),
    TruthChannel(
        "truth.energy_residual_j", "J", "energy balance: absorbed less everywhere it went"
    ),
)

SENSOR_BITS = {
    "array_mw": SensorBit.ARRAY,
    "bus_mw": SensorBit.BUS,
    "battery_mv": SensorBit.BATTERY_V,
    "battery_ma": SensorBit.BATTERY_I,
    "battery_mdegc": SensorBit.BATTERY_TEMP,
    "payload_mw": SensorBit.PAYLOAD,
    "laser_mw": SensorBit.LASER,
    "die_mdegc": SensorBit.DIE_TEMP,
    "sink_mdegc": SensorBit.SINK_TEMP,
    "radiator_mdegc": SensorBit.RADIATOR_TEMP,
    "sun_permille": SensorBit.SUN,
}
"""What can be made stuck or lost, in the order in which the plant writes it."""
_PLACES = {name: place for place, name in enumerate(SENSOR_BITS)}
_ALL_VALID = int(SENSOR_ALL)
_OURS = (
    "heat",
    "array",
    "radiator",
    "battery",
    "sensor_stuck",
    "sensor_lost",
    "actuator_stuck",
    "utc_step",
)
"""Actions of a timeline that happen here."""


class PlantEnd(Protocol):
    """The bench's end of a node, as far as the plant touches it."""

    def read_actuators(self) -> Told:
        """What the flight software told the node."""
        ...

    def write_plant(
        self, t_ns: int, utc_ns: int, valid: int, sensed: Sequence[int], term_mdegc: int
    ) -> None:
        """What a plant's step changes; see `hal.sim_bench.SimBench.write_plant`."""
        ...

    def write_sensors(self, **fields: int) -> None:
        """Change the named sensors."""
        ...


class PayloadLoad(Protocol):
    """What the compute board draws."""

    def power_w(self, t0_ns: int, t1_ns: int, level: int) -> float:
        """Mean power over `t0_ns..t1_ns` at a power level."""
        ...


class PlantBench:
    """Owns the spacecraft's state and what the node's sensors show."""

    def __init__(
        self,
        bench: PlantEnd,
        spacecraft: Spacecraft,
        board: PayloadLoad,
        timeline: Sequence[TimelineEntry],
        epoch_utc_ns: int,
    ) -> None:
        self._bench = bench
        self._craft = spacecraft
        self._board = board
        self._epoch_utc_ns = epoch_utc_ns
        self._faults = tuple(entry for entry in timeline if entry.action in _OURS)
        self._jammed = 0
        self._frozen: dict[int, int] = {}
        """What a stuck sensor shows, by the place of its fault: each freezes on its own."""
        self._t_ns = 0
        self.state = spacecraft.initial_state()
        self.brown_outs = 0
        self.charge_j = {"array": 0.0, "compute": 0.0, "laser": 0.0}
        self.truth: list[float] = [nan] * len(TRUTH)
        self._write(self._settle(), 0)

    def step(self, now_ns: int) -> None:
        """Advances the plant to `now_ns` in steps of at most a second; writes the sensors."""
        actuators = self._bench.read_actuators()
        if self._faults:
            self._jam(now_ns / _NS_PER_S)
        outputs: Outputs | None = None
        while self._t_ns < now_ns:
            end_ns = min(now_ns, self._t_ns + _NS_PER_S)
            dt_s = (end_ns - self._t_ns) / _NS_PER_S
            t_s = self._t_ns / _NS_PER_S
            payload_w = self._board.power_w(self._t_ns, end_ns, actuators.payload_level)
            self.state, outputs = self._craft.step(
                self.state,
                t_s,
                dt_s,
                Actuators(payload_w, bool(actuators.laser_on), bool(actuators.heater_on)),
                self._disturbance(t_s),
            )
            self._book(outputs, dt_s)
            self._t_ns = end_ns
        if outputs is not None:
            self._write(outputs, now_ns)

    def utc_step_s(self, t_ns: int) -> float:
        """How far the node's UTC is off at a mission time."""
        t_s = t_ns / _NS_PER_S
        return sum(fault.step_s for fault in self._faults if fault.holds(t_s))

    def utc_ns(self, t_ns: int) -> int:
        """What the node is told of UTC at a mission time."""
        return self._epoch_utc_ns + t_ns + round(self.utc_step_s(t_ns) * _NS_PER_S)

    def _jam(self, t_s: float) -> None:
        """A stuck actuator keeps what it has; it reads back what it does."""
        jammed = 0
        for fault in self._faults:
            if fault.actuator and fault.holds(t_s):
                jammed |= Stuck[fault.actuator.upper()]
        if jammed != self._jammed:
            self._jammed = jammed
            self._bench.write_sensors(stuck=jammed)

    def _settle(self) -> Outputs:
        """Outputs of the initial state, without moving it."""
        return self._craft.step(self.state, 0.0, 1e-3, Actuators())[1]

    def _disturbance(self, t_s: float) -> Disturbance:
        if not self._faults:
            return NO_DISTURBANCE
        heat_w, left = 0.0, {"array": 1.0, "radiator": 1.0, "battery": 1.0}
        for fault in self._faults:
            if fault.holds(t_s):
                if fault.action == "heat":
                    heat_w += fault.watts
                elif fault.action in left:
                    left[fault.action] *= 1.0 - fault.share
        return Disturbance(
            sink_heat_w=heat_w,
            array_scale=left["array"],
            radiator_scale=left["radiator"],
            health=CellHealth(capacity_scale=left["battery"]),
        )

    def _book(self, outputs: Outputs, dt_s: float) -> None:
        self.brown_outs += outputs.verdict is BusVerdict.BROWN_OUT
        self.charge_j["array"] += outputs.array_w * dt_s
        self.charge_j["compute"] += outputs.payload_w * dt_s
        self.charge_j["laser"] += outputs.laser_w * dt_s

    def _write(self, outputs: Outputs, now_ns: int) -> None:
        celsius = [kelvin - ZERO_CELSIUS_K for kelvin in outputs.temp_k]
        die_c, sink_c, radiator_c, battery_c, terminal_c, _ = celsius
        sensed = [
            round(value * 1e3)
            for value in (
                outputs.array_w,
                outputs.load_w,
                outputs.battery_v,
                outputs.battery_a,
                battery_c,
                outputs.payload_w,
                outputs.laser_w,
                die_c,
                sink_c,
                radiator_c,
                outputs.sun_sensor,
            )
        ]
        valid = _ALL_VALID
        if self._faults:
            valid = self._apply_sensor_faults(sensed, now_ns / _NS_PER_S)
        self._bench.write_plant(now_ns, self.utc_ns(now_ns), valid, sensed, round(terminal_c * 1e3))
        self.truth = [
            outputs.soc,
            die_c,
            sink_c,
            radiator_c,
            battery_c,
            outputs.sunlit,
            outputs.array_available_w,
            outputs.payload_w,
            outputs.ledger.residual_j,
        ]

    def _apply_sensor_faults(self, sensed: list[int], t_s: float) -> int:
        valid = _ALL_VALID
        for place, fault in enumerate(self._faults):
            if fault.sensor not in SENSOR_BITS:
                continue
            at = _PLACES[fault.sensor]
            if not fault.holds(t_s):
                self._frozen.pop(place, None)
            elif fault.action == "sensor_lost":
                valid &= ~int(SENSOR_BITS[fault.sensor])
            else:
                sensed[at] = self._frozen.setdefault(place, sensed[at])
        return valid
