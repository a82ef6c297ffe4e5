"""The main loop on one screen: acquire → estimate → decide → actuate.

A plain stepped component: one call a cycle, no await, no clock of its own. What it decides reaches
the services as one frozen `NodeStatus` in a `Latest`; what they want of it arrives as `Wishes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Protocol

from flight.fdir.safety_monitor import SafetyInputs
from flight.modes.mode_table import ModeInputs
from flight.node_status import NodeStatus, Wishes
from flight.telemetry.definitions import Mode
from flight.thermal.governor import GovernorInputs

if TYPE_CHECKING:
    from flight.base.channels import Latest
    from flight.base.hysteresis import Hysteresis
    from flight.commanding.parameters import ParameterTable
    from flight.cycle_telemetry import CycleTelemetry
    from flight.fdir.safety_monitor import SafetyMonitor
    from flight.io.acquisition import Acquisition, Readings
    from flight.io.actuation import Actuation
    from flight.modes.mode_table import ModeMachine
    from flight.power.energy_estimate import EnergyEstimator, EnergyState
    from flight.thermal.governor import GovernorDecision
    from flight.thermal.thermal_estimate import ThermalEstimator, ThermalState


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the cycle believes about the node."""

    utc_s: float
    energy: EnergyState
    thermal: ThermalState
    danger: str
    battery_low: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the cycle decided."""

    mode: Mode
    governor: GovernorDecision
    heater: bool


class GovernorLike(Protocol):
    """Anything that turns estimates into a payload level."""

    def decide(
        self, inputs: GovernorInputs, die_target_c: float, sink_target_c: float, now_ns: int
    ) -> GovernorDecision:
        """The level for the coming cycle."""
        ...


@dataclass(slots=True)
class ExecutiveParts:
    """The pure cores and the two edges, as the composition root hands them in."""

    acquisition: Acquisition
    energy: EnergyEstimator
    thermal: ThermalEstimator
    safety: SafetyMonitor
    battery_band: Hysteresis
    heater_band: Hysteresis
    modes: ModeMachine
    governor: GovernorLike
    actuation: Actuation
    telemetry: CycleTelemetry
    parameters: ParameterTable
    status: Latest[NodeStatus]
    die_limit_c: float


class Executive:
    """Owns the cycle."""

    name = "executive"

    def __init__(self, parts: ExecutiveParts, wishes: Latest[Wishes]) -> None:
        self._parts = parts
        self._wishes = wishes
        self._wanted = Mode.COMPUTE
        self._blind_cycles = 0
        self._utc_offset_ns = 0

    def step(self, now_ns: int) -> None:
        """One cycle. Without a snapshot the actuators keep what they have; SAFE follows in time."""
        wishes = self._wishes.get() or Wishes()
        readings = self._parts.acquisition.acquire(now_ns)
        if readings is None:
            self._blind_cycles += 1
            self._parts.telemetry.blind_cycle(now_ns)
            return
        self._blind_cycles = 0
        estimates = self._estimate(readings, wishes, now_ns)
        decision = self._decide(estimates, wishes, now_ns)
        self._parts.actuation.apply(
            level=decision.governor.level,
            level_now=readings.frame.payload_level,
            heater=decision.heater,
            heater_now=bool(readings.frame.heater_on),
            now_ns=now_ns,
        )
        self._publish(estimates, decision, now_ns)

    def _estimate(self, readings: Readings, wishes: Wishes, now_ns: int) -> Estimates:
        parts = self._parts
        utc_s = self._utc_s(readings, now_ns)
        energy = parts.energy.update(
            readings,
            utc_s,
            now_ns,
            soc_floor=parts.parameters["power.soc_floor"],
            laser_j=wishes.laser_j,
        )
        thermal = parts.thermal.update(
            now_ns, readings.die_c, readings.sink_c, readings.radiator_c, readings.payload_w
        )
        soc = energy.soc if energy.soc_valid else 1.0
        die_over_k = -1e3 if isnan(thermal.die_c) else thermal.die_c - parts.die_limit_c
        danger = parts.safety.update(
            SafetyInputs(soc, die_over_k, self._blind_cycles, wishes.command_lost)
        )
        if readings.battery_c is not None:
            parts.heater_band.update(readings.battery_c)
        return Estimates(utc_s, energy, thermal, danger, parts.battery_band.update(soc))

    def _decide(self, estimates: Estimates, wishes: Wishes, now_ns: int) -> Decision:
        parts = self._parts
        if wishes.mode is not None:
            self._wanted = wishes.mode if wishes.mode is not Mode.SAFE else self._wanted
        inputs = ModeInputs(
            checks_done=estimates.energy.soc_valid,
            boot_failed=wishes.boot_failed,
            danger=estimates.danger,
            battery_low=estimates.battery_low,
            contact_active=wishes.contact_active,
            wanted=self._wanted,
            command=wishes.mode,
        )
        change = parts.modes.step(inputs, now_ns)
        mode = parts.modes.mode
        if change is not None:
            parts.telemetry.mode_changed(change, now_ns)
        governor = parts.governor.decide(
            GovernorInputs(
                thermal=estimates.thermal,
                power=estimates.energy.power,
                duty=wishes.duty,
                payload_allowed=mode in (Mode.COMPUTE, Mode.DOWNLINK) and not estimates.battery_low,
                commanded_off=not wishes.inference_enabled or self._wanted is Mode.IDLE,
                queue_full=wishes.queue_full,
                fault=bool(estimates.danger),
            ),
            parts.parameters["governor.die_target_c"],
            parts.parameters["governor.sink_target_c"],
            now_ns,
        )
        return Decision(mode, governor, parts.heater_band.active)

    def _publish(self, estimates: Estimates, decision: Decision, now_ns: int) -> None:
        energy = estimates.energy
        # The link stays alive in SAFE for as long as the battery can bear it: losing the ground
        # is the one thing that makes a safe mode unsafe.
        link_allowed = decision.mode is not Mode.BOOT and estimates.danger != "battery"
        self._parts.status.set(
            NodeStatus(
                now_ns=now_ns,
                utc_s=estimates.utc_s,
                mode=decision.mode,
                level=decision.governor.level,
                reason=decision.governor.reason,
                link_allowed=link_allowed,
                soc=energy.soc,
            ),
            now_ns,
        )
        self._parts.telemetry.cycle(estimates, decision, now_ns)

    def _utc_s(self, readings: Readings, now_ns: int) -> float:
        """UTC label: the correlation is kept when the field is not valid (flywheel)."""
        frame = readings.frame
        if frame.valid & 1:
            self._utc_offset_ns = frame.utc_ns - now_ns
        return (now_ns + self._utc_offset_ns) * 1e-9
