"""The main loop on one screen: acquire → estimate → decide → actuate.

A plain stepped component: one call a cycle, no await, no clock of its own. What it decides reaches
the services as one frozen `NodeStatus` in a `Latest`; what they want of it arrives as `Wishes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Protocol

from flight.fdir.safety_tables import battery_limit
from flight.modes.mode_table import Part
from flight.modes.target_keeper import Seen
from flight.node_status import NodeStatus, Wishes
from flight.power.power_budget import low_band
from flight.telemetry.definitions import Mode, ThrottleReason
from flight.thermal.governor import GovernorInputs
from hal.sample import SensorBit

if TYPE_CHECKING:
    from flight.base.channels import Latest
    from flight.base.hysteresis import Hysteresis
    from flight.commanding.parameters import ParameterTable
    from flight.cycle_telemetry import CycleTelemetry
    from flight.fdir.health_watch import DriftWatch
    from flight.fdir.safety_net import SafetyNet, Standing
    from flight.io.acquisition import Acquisition, Readings
    from flight.io.actuation import Actuation
    from flight.modes.mode_keeper import ModeKeeper
    from flight.power.energy_estimate import EnergyEstimator, EnergyState
    from flight.power.mains_supply import MainsSupply
    from flight.thermal.governor import GovernorDecision
    from flight.thermal.thermal_estimate import ThermalEstimator, ThermalState
    from flight.utc_watch import UtcWatch


@dataclass(frozen=True, slots=True)
class Estimates:
    """What the cycle believes about the node."""

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
    energy: EnergyEstimator | MainsSupply
    thermal: ThermalEstimator
    safety: SafetyNet
    battery_band: Hysteresis
    heater_band: Hysteresis
    modes: ModeKeeper
    targets: DriftWatch
    governor: GovernorLike
    actuation: Actuation
    telemetry: CycleTelemetry
    parameters: ParameterTable
    utc: UtcWatch
    status: Latest[NodeStatus]
    lit_w: float  # what only a lit laser draws


class Executive:
    """Owns the cycle.

    Attributes:
        modes: the mode, and what of it outlives a reset.
    """

    name = "executive"

    def __init__(self, parts: ExecutiveParts, wishes: Latest[Wishes]) -> None:
        self._parts = parts
        self.modes = parts.modes
        self._wishes = wishes
        self._blind_cycles = 0
        self._soc = self._payload_w = nan
        self._bands: tuple[float, ...] = ()

    def step(self, now_ns: int) -> None:
        """One cycle."""
        wishes = self._wishes.get() or Wishes()
        self._follow_parameters()
        readings = self._parts.acquisition.acquire(now_ns)
        if readings is None:
            self._payload_w = nan
            self._blind_cycle(wishes, now_ns)
            return
        self._blind_cycles = 0
        estimates = self._estimate(readings, wishes, now_ns)
        seen = self._see(readings, wishes)
        standing = self._judge(seen, wishes, now_ns)
        decision = self._decide(estimates, standing, wishes, seen, now_ns)
        self._parts.actuation.apply(
            level=decision.governor.level,
            level_now=readings.payload_level,
            heater=decision.heater,
            heater_now=readings.heater_on,
            busy_permille=wishes.busy_permille,
            now_ns=now_ns,
        )
        self._publish(estimates, standing, decision, now_ns)

    def _follow_parameters(self) -> None:
        """Bands that the ground has moved hold from this cycle on."""
        parts, parameters = self._parts, self._parts.parameters
        floor, resume = parameters["power.soc_floor"], parameters["power.soc_resume"]
        bands = (floor, resume, parameters["power.soc_safe"])
        if bands != self._bands:
            self._bands = bands
            parts.battery_band.retune(*low_band(floor, resume))
            parts.safety.replace(battery_limit(soc_safe=bands[2], soc_floor=floor))

    def _blind_cycle(self, wishes: Wishes, now_ns: int) -> None:
        """No snapshot: hold what is set, and once the sensors count as lost make the node safe.

        Commands and dangers are answered as ever; only what needs a measurement has to wait.
        """
        parts = self._parts
        self._blind_cycles += 1
        parts.utc.observe(now_ns, None)
        seen = self._see(None, wishes)
        standing = self._judge(seen, wishes, now_ns)
        before = parts.status.get()
        mode = parts.modes.step(
            wishes,
            standing.danger,
            seen,
            battery_low=parts.battery_band.active,
            contact=before is not None and before.mode is Mode.DOWNLINK,
            checks_done=False,
            now_ns=now_ns,
        )
        off = standing.shed_payload or not parts.targets.keeper.payload_allowed or before is None
        parts.actuation.apply_blind(
            payload_off=off, busy_permille=wishes.busy_permille, now_ns=now_ns
        )
        level, reason = 0, ThrottleReason.FAULT
        if before is not None and not off:
            level, reason = before.level, before.reason
        self._tell(mode, level, reason, standing, now_ns)
        parts.telemetry.blind_cycle(mode, level, reason, now_ns)

    def _estimate(self, readings: Readings, wishes: Wishes, now_ns: int) -> Estimates:
        parts = self._parts
        frame = readings.frame
        parts.utc.observe(now_ns, frame.utc_ns if frame.valid & SensorBit.UTC else None)
        energy = parts.energy.update(
            readings,
            self._parts.utc.utc_s(now_ns),
            now_ns,
            soc_floor=parts.parameters["power.soc_floor"],
            laser_j=wishes.laser_j,
        )
        thermal = parts.thermal.update(
            now_ns, readings.die_c, readings.sink_c, readings.radiator_c, readings.payload_w
        )
        parts.telemetry.soc(energy)
        self._soc = energy.soc if energy.soc_valid else nan
        drawn_w = readings.payload_measured_w
        self._payload_w = nan if drawn_w is None else drawn_w
        if readings.battery_c is not None:
            parts.heater_band.update(readings.battery_c)
        return Estimates(energy, thermal, parts.battery_band.update(self._soc))

    def _see(self, readings: Readings | None, wishes: Wishes) -> Seen:
        """What reads back, beside what was told before it was read."""
        parts = self._parts
        actuation, before = parts.actuation, parts.status.get()
        may_lase = wishes.contact_active and before is not None and before.link_allowed
        return Seen(
            None if readings is None else readings.payload_level,
            None if readings is None else readings.laser_on,
            None if readings is None else readings.beam_lit(parts.lit_w),
            None if readings is None else readings.heater_on,
            actuation.told_level if actuation.takes_orders("payload") else None,
            actuation.told_heater if actuation.takes_orders("heater") else None,
            may_lase,
        )

    def _judge(self, seen: Seen, wishes: Wishes, now_ns: int) -> Standing:
        """What stands in this cycle; a beam that should be dark is put out whoever hangs."""
        parts = self._parts
        parts.targets.look(seen, now_ns)
        if parts.targets.drifts(Part.LASER) or parts.targets.drifts(Part.BEAM):
            parts.actuation.darken(now_ns)
        return parts.safety.update(
            now_ns,
            blind_cycles=self._blind_cycles,
            command_lost=wishes.command_lost,
            guard_tripped=wishes.guard_tripped,
            drifts=parts.targets.conditions,
        )

    def _decide(
        self, estimates: Estimates, standing: Standing, wishes: Wishes, seen: Seen, now_ns: int
    ) -> Decision:
        parts = self._parts
        mode = parts.modes.step(
            wishes,
            standing.danger,
            seen,
            battery_low=parts.battery_band.active,
            contact=wishes.contact_active,
            checks_done=estimates.energy.ready,
            now_ns=now_ns,
        )
        governor = parts.governor.decide(
            GovernorInputs(
                thermal=estimates.thermal,
                power=estimates.energy.power,
                duty=wishes.duty,
                payload_allowed=parts.targets.keeper.payload_allowed,
                commanded_off=not wishes.inference_enabled or parts.modes.wanted is Mode.IDLE,
                queue_full=wishes.queue_full,
                fault=standing.shed_payload or not estimates.energy.ready,
                battery_low=estimates.battery_low,
                contact=wishes.contact_active,
                utc_s=self._parts.utc.utc_s(now_ns),
            ),
            parts.parameters["governor.die_target_c"],
            parts.parameters["governor.sink_target_c"],
            now_ns,
        )
        return Decision(mode, governor, parts.heater_band.active and not standing.heater_off)

    def _publish(
        self, estimates: Estimates, standing: Standing, decision: Decision, now_ns: int
    ) -> None:
        governor, mode = decision.governor, decision.mode
        # Whether work and laser fit together matters while there is work; SAFE has its own rule.
        borne = governor.link or not self._parts.targets.keeper.payload_allowed
        self._tell(mode, governor.level, governor.reason, standing, now_ns, borne=borne)
        self._parts.telemetry.cycle(estimates, decision, now_ns)

    def _tell(  # noqa: PLR0913  what the services are told
        self, mode: Mode, level: int, reason: ThrottleReason, standing: Standing, now_ns: int,
        *, borne: bool = True,
    ) -> None:  # fmt: skip
        utc_s = self._parts.utc.utc_s(now_ns)
        # The link stays alive in SAFE for as long as the battery can bear it: losing the ground
        # is the one thing that makes a safe mode unsafe.
        keeper = self._parts.targets.keeper
        link_allowed = keeper.link_allowed and not standing.laser_off and borne
        self._parts.status.set(
            NodeStatus(
                now_ns=now_ns,
                utc_s=nan if utc_s is None else utc_s,
                mode=mode,
                level=level,
                reason=reason,
                link_allowed=link_allowed,
                soc=self._soc,
                payload_w=self._payload_w,
            ),
            now_ns,
        )
