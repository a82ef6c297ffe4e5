"""Fault protection of the node: limits, recoveries, health, and what of them outlives a reset.

Who is watched for signs of life, and how long each may take for the next one, is said here too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flight.commanding.fdir_handlers import FdirHandlers
from flight.downlink.store_values import StoreError
from flight.fdir.health_monitor import Heartbeat
from flight.fdir.health_watch import HealthWatch
from flight.fdir.recovery_load import RecoveryLoad, activities
from flight.fdir.recovery_row import RowMemory
from flight.fdir.safety_net import SafetyNet
from flight.fdir.safety_tables import RECOVERIES, node_limits
from flight.telemetry.recorder import MEMORY as TOLD
from flight.telemetry.recorder import AnomalyReports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flight.base.rate_group import RateGroup
    from flight.base.supervisor import Supervisor
    from flight.commanding.parameters import ParameterTable
    from flight.commanding.sequencer import Sequencer
    from flight.composition.downlink import DownlinkParts
    from flight.composition.surroundings import Shared, Surroundings
    from flight.fdir.limit_row import Limit
    from flight.fdir.recovery_load import RecoverySet
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog

_NS_PER_S: Final = 1_000_000_000
MEMORY: Final = "fdir.recoveries"
"""What the recovery table must not forget, by row."""
SET: Final = "fdir.set"
"""The tuned set in force, and the former one."""
HEALTH: Final = "fdir.health"
"""What the ground has said of components."""

GROUP_LIMIT_NS: Final = 5 * _NS_PER_S
"""A member of the cycle: so many of its steps in a row are missing, or have failed."""
DOWNLINK_LIMIT_NS: Final = 10 * _NS_PER_S
"""The contact loop turns at least once a second; ten are room for a store that is slow."""
STORE_LIMIT_NS: Final = 10 * _NS_PER_S
"""The store's writer beats four times a second; ten seconds in one sync are a medium that hangs."""
INFERENCE_LIMIT_NS: Final = 60 * _NS_PER_S
"""One job, with the start of a worker in front of it: `START_TIMEOUT_NS` and `TIMEOUT_NS`."""


@dataclass(frozen=True, slots=True)
class Hearts:
    """The counters of the services; they outlive each life of a service."""

    downlink: Heartbeat = field(default_factory=Heartbeat)
    inference: Heartbeat = field(default_factory=Heartbeat)


@dataclass(frozen=True, slots=True)
class FdirParts:
    """What judges, what the ground may tune of it, and the commands about both."""

    safety: SafetyNet
    load: RecoveryLoad
    handlers: FdirHandlers

    def connect(self, supervisor: Supervisor, sequencer: Sequencer) -> None:
        """Who begins services anew and ends them, and who runs sequences; once they are there."""
        self.safety.recoveries.restart = supervisor.restart
        self.safety.recoveries.start_sequence = sequencer.start_response
        self.handlers.restart, self.handlers.halt = supervisor.restart, supervisor.halt


def fdir_parts(shared: Shared, now_ns: int) -> FdirParts:
    """Everything as it was before the last reset."""
    limits = _limits(shared.around, shared.keeper.table)
    safety = safety_net(
        shared.around, shared.keeper.table, shared.health, shared.channels, shared.events, now_ns
    )
    load = RecoveryLoad(limits, RECOVERIES, partial(_apply, safety), partial(_keep, shared, SET))
    handlers = FdirHandlers(
        table=safety.table,
        health=shared.health,
        keep_health=lambda words, t_ns: _keep(shared, HEALTH, msgspec.msgpack.encode(words), t_ns),
        events=shared.events,
    )
    _restore(shared, safety, load, now_ns)
    safety.recoveries.keep = lambda memory, t_ns: _keep_memory(shared, memory, t_ns)
    return FdirParts(safety, load, handlers)


def safety_net(  # noqa: PLR0913, PLR0917  what the root shares with it
    around: Surroundings,
    parameters: ParameterTable,
    health: HealthWatch,
    channels: ChannelValues,
    events: EventLog,
    now_ns: int,
) -> SafetyNet:
    """The limits of what this board measures, and the recoveries as built."""
    absent = around.config.sensors.absent
    watched = [row for row in _limits(around, parameters) if row.name not in absent]
    return SafetyNet(watched, health, channels, events, now_ns)


def _limits(around: Surroundings, parameters: ParameterTable) -> tuple[Limit, ...]:
    return node_limits(
        die_limit_c=around.profile.die_limit_c,
        soc_safe=parameters["power.soc_safe"],
        soc_floor=parameters["power.soc_floor"],
    )


def _apply(safety: SafetyNet, wanted: RecoverySet) -> None:
    """A set that was activated or rolled back: everything that it does not name is as built."""
    safety.tune(wanted)
    rows = {row.name: row for row in RECOVERIES}
    for name, activity in activities(wanted, rows).items():
        safety.table.set_activity(name, activity)


def anomaly_reports(shared: Shared, downlink: DownlinkParts) -> AnomalyReports:
    """Tells the ground why the node is safe; on defaults, too, for they may be the cause."""
    return AnomalyReports(
        intake=downlink.intake,
        channels=shared.channels,
        events=shared.events,
        parameters=shared.keeper.table,
        status=shared.status,
        keep=partial(_keep, shared, TOLD),
        kept=shared.around.store.load_state(TOLD),
    )


def _keep_memory(shared: Shared, memory: Mapping[str, RowMemory], now_ns: int) -> None:
    _keep(shared, MEMORY, msgspec.msgpack.encode(memory), now_ns)


def _keep(shared: Shared, name: str, blob: bytes, now_ns: int) -> bool:
    try:
        shared.around.store.store_state(name, blob)
    except StoreError as error:
        shared.events.emit("STORE_FAILED", now_ns, kind=error.kind.name)
        return False
    return True


def _restore(shared: Shared, safety: SafetyNet, load: RecoveryLoad, now_ns: int) -> None:
    store = shared.around.store
    blob = store.load_state(SET)
    if blob is not None:
        if load.restore(blob):
            safety.tune(load.in_force)
        else:
            # Another software, or a damaged record: the tables hold as they were built.
            shared.events.emit(
                "LOAD_REFUSED", now_ns, kind=load.kind, what="restored", reason="unreadable"
            )
    memory = _decoded(store.load_state(MEMORY), dict[str, RowMemory])
    if memory:
        safety.recoveries.restore(memory, now_ns)
    words = _decoded(store.load_state(HEALTH), dict[str, int])
    if words:
        shared.health.restore(words)


def _decoded(blob: bytes | None, kind: Any) -> Any:
    if blob is None:
        return None
    try:
        return msgspec.msgpack.decode(blob, type=kind)
    except msgspec.DecodeError:
        return None


def health_watch(
    channels: ChannelValues,
    events: EventLog,
    hearts: Hearts,
    beats: Callable[[], int],
    now_ns: int,
) -> HealthWatch:
    """The watch over services; the cycle's members join when their group is made.

    `beats` is the counter of the store's writer.
    """
    health = HealthWatch(channels, events)
    watch = health.monitor.watch
    watch(
        "downlink", hearts.downlink.read, limit_ns=DOWNLINK_LIMIT_NS, now_ns=now_ns, critical=True
    )
    watch("store", beats, limit_ns=STORE_LIMIT_NS, now_ns=now_ns)
    watch("inference", hearts.inference.read, limit_ns=INFERENCE_LIMIT_NS, now_ns=now_ns)
    return health


def watch_group(health: HealthWatch, group: RateGroup, member: str, now_ns: int) -> None:
    """The group itself, and that member of it which may fail without the others."""
    monitor = health.monitor
    monitor.watch(
        group.name, lambda: group.steps, limit_ns=GROUP_LIMIT_NS, now_ns=now_ns, critical=True
    )
    monitor.watch(
        member,
        lambda: group.steps - group.member_errors[member],
        limit_ns=GROUP_LIMIT_NS,
        now_ns=now_ns,
    )
