"""Who is watched for signs of life, and how long each may take for the next one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flight.fdir.health_monitor import Heartbeat
from flight.fdir.health_watch import HealthWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.rate_group import RateGroup
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog

_NS_PER_S: Final = 1_000_000_000
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
