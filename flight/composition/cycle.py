"""The control cycle with all its cores, from configuration and surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from flight.base.hysteresis import Hysteresis
from flight.boot_keeper import BootKeeper
from flight.cycle_telemetry import CycleTelemetry
from flight.downlink.store_values import StoreError
from flight.executive import Executive, ExecutiveParts
from flight.fdir.health_watch import DriftWatch
from flight.io.acquisition import Acquisition
from flight.io.actuation import Actuation
from flight.io.guard_watch import GuardWatch
from flight.modes.mode_keeper import MEMORY, ModeKeeper, decode_kept, encode_kept
from flight.modes.mode_table import ModeMachine
from flight.power.energy_estimate import EnergyEstimator
from flight.power.power_budget import low_band
from flight.power.state_of_charge import BatteryData, SocEstimator
from flight.thermal.governor import FullPower, Governor
from flight.thermal.thermal_estimate import ThermalEstimator

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.channels import Latest
    from flight.base.rate_group import RateGroup
    from flight.base.supervisor import ChildSpec
    from flight.commanding.parameters import ParameterTable
    from flight.composition.downlink import DownlinkParts
    from flight.composition.surroundings import Shared, Surroundings
    from flight.config import BatteryConfig, NodeConfig, OrbitConfig
    from flight.downlink.product_store_sqlite import ProductStore
    from flight.executive import GovernorLike
    from flight.fdir.safety_net import SafetyNet
    from flight.modes.mode_keeper import Kept
    from flight.modes.mode_table import ModeChange
    from flight.node_status import NodeStatus, Wishes
    from flight.power.mains_supply import MainsSupply
    from flight.power.orbit_forecast import OrbitForecast
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog
    from flight.utc_watch import UtcWatch

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
HEATER_ON_C, HEATER_OFF_C = 5.0, 8.0
"""Battery heater band: charging below 0 degC is forbidden by the cell's data sheet."""
LIT_SHARE = 0.5
"""A terminal that draws more than this share of what it draws when lit is lit, whatever it says."""
COMMIT_SHARE = 8
"""One part in so many of the store's cap is for products that wait for a commit, new or freed."""
FIRST_GUESS_ARRAY_W, FIRST_GUESS_BASE_W = 40.0, 12.0
"""Until the running means have seen the real ones: about a minute."""


@dataclass(frozen=True, slots=True)
class Governing:
    """The governor of the cycle, and what runs beside it for it."""

    governor: GovernorLike
    children: tuple[ChildSpec, ...] = ()


def battery_data(config: BatteryConfig) -> BatteryData:
    """The battery as a whole, from its cells."""
    return BatteryData(
        capacity_as=config.cell_capacity_ah * 3600.0 * config.parallel,
        series=config.series,
        resistance_ohm=config.cell_resistance_ohm * config.series / config.parallel,
        ocv_soc=config.ocv_soc,
        ocv_v=config.ocv_v,
    )


def energy_estimator(config: NodeConfig) -> EnergyEstimator:
    """State of charge, running means, shadow forecast."""
    battery = battery_data(config.battery)
    forecast = fade = None
    if config.orbit is not None:  # where no shadow is known there are no swings to learn from
        from flight.power.battery_fade import BatteryFade  # noqa: PLC0415

        forecast, fade = orbit_forecast(config.orbit), BatteryFade(battery)
    return EnergyEstimator(
        SocEstimator(battery),
        battery,
        forecast,
        array_w=FIRST_GUESS_ARRAY_W,
        base_w=FIRST_GUESS_BASE_W,
        fade=fade,
    )


def executive(  # noqa: PLR0913, PLR0917  what the root shares with it
    around: Surroundings,
    channels: ChannelValues,
    events: EventLog,
    parameters: ParameterTable,
    status: Latest[NodeStatus],
    wishes: Latest[Wishes],
    safety: SafetyNet,
    utc: UtcWatch,
    governor: GovernorLike,
    on_mode: Callable[[ModeChange, int], None] | None,
    now_ns: int,
) -> Executive:
    """The control cycle with all its cores; `on_mode` is told each change of the mode."""
    profile, absent = around.profile, around.config.sensors.absent
    energy = _mains() if "battery" in absent else energy_estimator(around.config)
    modes = ModeMachine(now_ns)
    targets = DriftWatch(channels, events, safety.health, now_ns)
    telemetry = CycleTelemetry(channels, events, modes, energy, on_mode)
    store = around.store
    floor = parameters["power.soc_floor"]
    parts = ExecutiveParts(
        acquisition=Acquisition(around.devices, channels, events, absent),
        energy=energy,
        thermal=ThermalEstimator(profile.die_k_per_w if "sink" in absent else None),
        safety=safety,
        battery_band=Hysteresis(*low_band(floor, parameters["power.soc_resume"]), 2),
        heater_band=Hysteresis(HEATER_ON_C, HEATER_OFF_C, 3),
        modes=ModeKeeper(
            modes,
            targets,
            telemetry,
            decode_kept(None if around.on_defaults else store.load_state(MEMORY)),
            partial(_keep_mode, store, events),
        ),
        targets=targets,
        governor=governor,
        actuation=Actuation(around.devices, channels, events, lambda: not safety.health.stalled),
        telemetry=telemetry,
        parameters=parameters,
        utc=utc,
        status=status,
        lit_w=around.laser_w * LIT_SHARE,
    )
    return Executive(parts, wishes)


def _keep_mode(store: ProductStore, events: EventLog, kept: Kept, now_ns: int) -> None:
    try:
        store.store_state(MEMORY, encode_kept(kept))
    except StoreError as error:
        events.emit("STORE_FAILED", now_ns, kind=error.kind.name)


def _mains() -> MainsSupply:
    from flight.power.mains_supply import MainsSupply  # noqa: PLC0415  most nodes have a battery

    return MainsSupply()


def orbit_forecast(orbit: OrbitConfig) -> OrbitForecast:
    """The propagator of this orbit."""
    # Only then: a node that knows of no orbit has no use for the propagator.
    from flight.power.orbit_forecast import MeanElements, OrbitForecast  # noqa: PLC0415

    return OrbitForecast(MeanElements(**msgspec.structs.asdict(orbit)))


def governing(shared: Shared, downlink: DownlinkParts) -> Governing:
    """What sets the payload's level: as the configuration wants it and the board allows."""
    if shared.around.governor is not None:
        return Governing(shared.around.governor)
    if not has_plant(shared.around):
        return Governing(plain_governor(shared.around))
    # Only a node with a model of itself loads what foresees with it.
    from flight.composition.governing import governing_with_model  # noqa: PLC0415

    return governing_with_model(shared, downlink)


def has_plant(around: Surroundings) -> bool:
    """Whether a governor is wanted and enough of this node is known to foresee it."""
    config = around.config
    known = around.profile.watts_known and config.orbit is not None
    seen = not {"battery", "die", "sink"} & set(config.sensors.absent)
    return config.inference.governor != "none" and known and seen


def plain_governor(around: Surroundings) -> GovernorLike:
    """The guard that needs no model, or none."""
    if around.config.inference.governor == "none":
        return FullPower(around.profile)
    return Governor(around.profile, around.config.sensors.absent)


def boot_keeper(
    around: Surroundings,
    status: Latest[NodeStatus],
    channels: ChannelValues,
    events: EventLog,
    now_ns: int,
) -> BootKeeper | None:
    """Who keeps the boot record, where there is one."""
    if around.boot is None:
        return None
    return BootKeeper(around.boot, status=status, channels=channels, events=events, now_ns=now_ns)


def guard_watch(
    around: Surroundings, channels: ChannelValues, events: EventLog
) -> GuardWatch | None:
    """The look at the dead-man, on a board that has a tick of its own."""
    if around.tick is None:
        return None
    return GuardWatch(around.tick, around.devices, channels, events)


FIGURES = ("busy_ms", "busy_max_ms", "late_ms", "late_max_ms", "drift_ms")
"""Of a group's time, in the order of `time_figures`."""


def time_figures(
    group: RateGroup, channels: ChannelValues, events: EventLog, around: Surroundings
) -> None:
    """A group's overruns are told everywhere; its other figures where time is the machine's."""
    total, values = channels.counter("system.overruns"), channels.values

    def overrun(count: int) -> None:
        values[total] = count
        now_ns = around.clock.now_ns()
        events.emit("RATE_OVERRUN", now_ns, name=group.name, overruns=count)

    group.on_overrun = overrun
    if around.tick is None:
        return
    index = tuple(channels.index(f"rate.{group.name}_{figure}") for figure in FIGURES)
    slips = channels.counter(f"rate.{group.name}_overruns")
    values[channels.index(f"rate.{group.name}_period_ms")] = group.period_ns / NS_PER_MS

    def account() -> None:
        times_ns = (
            group.busy_ns, group.max_busy_ns, group.late_ns, group.max_late_ns, group.drift_ns,
        )  # fmt: skip
        for place, time_ns in zip(index, times_ns, strict=True):
            values[place] = time_ns / NS_PER_MS
        values[slips] = group.overruns

    group.on_account = account
