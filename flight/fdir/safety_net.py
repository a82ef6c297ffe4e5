"""Judges the node each cycle: limits, then recoveries, then what stands until it is over.

Joins the tables and tells their edges. What stands (`Standing`) is a fact about this cycle, not
a memory of one: a response that fired keeps its effect exactly as long as its condition holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from flight.fdir.command_loss import CONDITION as COMMAND_LOSS
from flight.fdir.limit_monitor import LimitMonitor
from flight.fdir.limit_row import Band, Sample, Verdict
from flight.fdir.recovery_load import limit_of, recovery_of
from flight.fdir.recovery_row import Action
from flight.fdir.recovery_table import RecoveryTable
from flight.fdir.recovery_watch import RecoveryWatch
from flight.fdir.safety_tables import (
    BLIND_CYCLES_MAX,
    GUARD_TRIPPED,
    RECOVERIES,
    SENSORS_LOST,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flight.fdir.health_watch import HealthWatch
    from flight.fdir.limit_row import Limit, LimitEdge
    from flight.fdir.recovery_load import LimitTuning, RecoverySet
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog


@dataclass(frozen=True, slots=True)
class Standing:
    """What the recoveries, and the components that may not be used, ask for in this cycle.

    Attributes:
        danger: name of the most urgent row that asks for SAFE, "" for none.
        shed_payload: the payload is to be off.
        laser_off: the terminal is not to be used.
        heater_off: the heater is not to be used.
    """

    danger: str = ""
    shed_payload: bool = False
    laser_off: bool = False
    heater_off: bool = False


NOTHING = Standing()


class SafetyNet:
    """One `update` a cycle.

    Attributes:
        table: the recoveries; the ground arms and sets them through it.
        recoveries: how the table acts, is told, shown and kept.
        health: who stands still, and what is said of every component.
    """

    def __init__(
        self,
        limits: Sequence[Limit],
        health: HealthWatch,
        channels: ChannelValues,
        events: EventLog,
        now_ns: int,
    ) -> None:
        self._monitor = LimitMonitor(limits, now_ns)
        self.table = RecoveryTable(RECOVERIES)
        self.recoveries = RecoveryWatch(self.table, channels, events)
        self.health = health
        self._events = events
        self._values = channels.values
        names = dict.fromkeys(limit.channel for limit in limits)
        self._watched_channels = frozenset(names)
        self._watched = tuple((name, channels.index(name)) for name in names)
        self._samples: dict[str, Sample | None] = {}
        self._built = {limit.name: limit for limit in limits}
        self._tuning: Mapping[str, LimitTuning] = {}

    def replace(self, limit: Limit) -> None:
        """Other bounds for one row, from the next cycle on; a row that is not watched stays so."""
        if limit.channel in self._watched_channels:
            self._built[limit.name] = limit
            self._monitor.replace(limit_of(limit, self._tuning.get(limit.name)))

    def tune(self, wanted: RecoverySet) -> None:
        """Limits and recoveries as a validated set has them; the activity of rows is apart."""
        self._tuning = wanted.limits
        for limit in self._built.values():
            self._monitor.replace(limit_of(limit, wanted.limits.get(limit.name)))
        for row in RECOVERIES:
            self.table.replace(recovery_of(row, wanted.recoveries.get(row.name)))

    def update(
        self,
        now_ns: int,
        *,
        blind_cycles: int,
        command_lost: bool,
        guard_tripped: bool = False,
        drifts: Sequence[str] = (),
    ) -> Standing:
        """Judges the latest channel values; on a blind cycle the last ones only grow older."""
        if blind_cycles == 0:
            for name, index in self._watched:
                value = self._values[index]
                if not isnan(value):
                    self._samples[name] = Sample(value, now_ns)
        for edge in self._monitor.evaluate(self._samples, now_ns):
            self._tell(edge, now_ns)
        conditions = [*self._monitor.conditions(), *self.health.conditions, *drifts]
        if blind_cycles >= BLIND_CYCLES_MAX:
            conditions.append(SENSORS_LOST)
        if guard_tripped:
            conditions.append(GUARD_TRIPPED)
        if command_lost:
            conditions.append(COMMAND_LOSS)
        self.recoveries.act(self.table.update(conditions, now_ns), now_ns)
        return self._standing()

    def _standing(self) -> Standing:
        unusable = self.health.unusable
        if not self.table.live and not unusable:
            return NOTHING
        actions = self.table.standing()
        danger = self.table.most_urgent(Action.ENTER_SAFE)
        shed = Action.SHED_PAYLOAD in actions or not unusable.isdisjoint(("payload", "inference"))
        laser_off = Action.LASER_OFF in actions or "terminal" in unusable
        return Standing(danger, shed, laser_off, "heater" in unusable)

    def _tell(self, edge: LimitEdge, now_ns: int) -> None:
        if edge.verdict in (Verdict.STALE, Verdict.ERROR):
            self._events.emit("SENSOR_STALE", now_ns, channel=edge.channel)
            return
        cleared = edge.band is Band.NOMINAL
        self._events.emit(
            "LIMIT_CLEARED" if cleared else "LIMIT_VIOLATED",
            now_ns,
            limit=edge.limit,
            value=round(edge.value, 3),
            bound=edge.bound,
        )
