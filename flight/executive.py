"""The main loop on one screen: acquire → estimate → decide → actuate.

A plain stepped component: one call a cycle, no await, no clock of its own. What it decides reaches
the services as one frozen `NodeStatus` in a `Latest`; what they want of it arrives as `Wishes`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from flight.modes.mode_table import ModeInputs
from flight.node_status import NodeStatus, Wishes
from flight.telemetry.definitions import Mode
from flight.thermal.governor import GovernorInputs

if TYPE_CHECKING:
    from flight.base.channels import Latest
    from flight.base.hysteresis import Hysteresis
    from flight.commanding.parameters import ParameterTable
    from flight.cycle_telemetry import CycleTelemetry
    from flight.fdir.safety_net import SafetyNet, Standing
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
    safety: SafetyNet
    battery_band: Hysteresis
    heater_band: Hysteresis
    modes: ModeMachine
    governor: GovernorLike
    actuation: Actuation
    telemetry: CycleTelemetry
    parameters: ParameterTable
    status: Latest[NodeStatus]


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
        """One cycle."""
        wishes = self._wishes.get() or Wishes()
        readings = self._parts.acquisition.acquire(now_ns)
        if readings is None:
            self._blind_cycle(wishes, now_ns)
            return
        self._blind_cycles = 0
        estimates = self._estimate(readings, wishes, now_ns)
        standing = self._parts.safety.update(
            now_ns, blind_cycles=0, command_lost=wishes.command_lost
        )
        decision = self._decide(estimates, standing, wishes, now_ns)
        self._parts.actuation.apply(
            level=decision.governor.level,
            level_now=readings.frame.payload_level,
            heater=decision.heater,
            heater_now=bool(readings.frame.heater_on),
            now_ns=now_ns,
        )
        self._publish(estimates, standing, decision, now_ns)

    def _blind_cycle(self, wishes: Wishes, now_ns: int) -> None:
        """No snapshot: hold what is set, and once the sensors count as lost make the node safe."""
        parts = self._parts
        self._blind_cycles += 1
        standing = parts.safety.update(
            now_ns, blind_cycles=self._blind_cycles, command_lost=wishes.command_lost
        )
        before = parts.status.get()
        if before is None:
            return
        self._change_mode(
            ModeInputs(
                checks_done=False,
                boot_failed=wishes.boot_failed,
                danger=standing.danger,
                battery_low=False,
                contact_active=before.mode is Mode.DOWNLINK,
                wanted=self._wanted,
                command=wishes.mode,
            ),
            now_ns,
        )
        level = 0 if standing.shed_payload else before.level
        if standing.shed_payload:
            parts.actuation.shed(now_ns)
        parts.status.set(
            replace(
                before,
                now_ns=now_ns,
                mode=parts.modes.mode,
                level=level,
                link_allowed=before.link_allowed and not standing.laser_off,
            ),
            now_ns,
        )
        parts.telemetry.blind_cycle(now_ns)

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
        parts.telemetry.soc(energy)
        soc = energy.soc if energy.soc_valid else 1.0
        if readings.battery_c is not None:
            parts.heater_band.update(readings.battery_c)
        return Estimates(utc_s, energy, thermal, parts.battery_band.update(soc))

    def _decide(
        self, estimates: Estimates, standing: Standing, wishes: Wishes, now_ns: int
    ) -> Decision:
        parts = self._parts
        if wishes.mode in (Mode.IDLE, Mode.COMPUTE):
            self._wanted = wishes.mode
        inputs = ModeInputs(
            checks_done=estimates.energy.soc_valid,
            boot_failed=wishes.boot_failed,
            danger=standing.danger,
            battery_low=estimates.battery_low,
            contact_active=wishes.contact_active,
            wanted=self._wanted,
            command=wishes.mode,
        )
        mode = self._change_mode(inputs, now_ns)
        governor = parts.governor.decide(
            GovernorInputs(
                thermal=estimates.thermal,
                power=estimates.energy.power,
                duty=wishes.duty,
                payload_allowed=mode in (Mode.COMPUTE, Mode.DOWNLINK) and not estimates.battery_low,
                commanded_off=not wishes.inference_enabled or self._wanted is Mode.IDLE,
                queue_full=wishes.queue_full,
                fault=standing.shed_payload,
            ),
            parts.parameters["governor.die_target_c"],
            parts.parameters["governor.sink_target_c"],
            now_ns,
        )
        return Decision(mode, governor, parts.heater_band.active)

    def _change_mode(self, inputs: ModeInputs, now_ns: int) -> Mode:
        change = self._parts.modes.step(inputs, now_ns)
        if change is not None:
            self._parts.telemetry.mode_changed(change, now_ns)
        return self._parts.modes.mode

    def _publish(
        self, estimates: Estimates, standing: Standing, decision: Decision, now_ns: int
    ) -> None:
        energy = estimates.energy
        # The link stays alive in SAFE for as long as the battery can bear it: losing the ground
        # is the one thing that makes a safe mode unsafe.
        link_allowed = decision.mode is not Mode.BOOT and not standing.laser_off
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
