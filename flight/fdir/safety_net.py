"""Judges the node each cycle: limits, then recoveries, then what stands until it is over.

Joins the two tables and tells their edges. What stands (`Standing`) is a fact about this cycle, not
a memory of one: a response that fired keeps its effect exactly as long as its condition holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from flight.fdir.command_loss import CONDITION as COMMAND_LOSS
from flight.fdir.limit_monitor import Band, LimitMonitor, Sample, Verdict
from flight.fdir.recovery_row import Action
from flight.fdir.recovery_table import RecoveryTable
from flight.fdir.safety_tables import (
    BLIND_CYCLES_MAX,
    GUARD_TRIPPED,
    RECOVERIES,
    SENSORS_LOST,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.fdir.limit_monitor import Limit, LimitEdge
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog


@dataclass(frozen=True, slots=True)
class Standing:
    """What the recoveries ask for in this cycle.

    Attributes:
        danger: name of the most urgent row that asks for SAFE, "" for none.
        shed_payload: the payload is to be off.
        laser_off: the terminal is not to be used.
    """

    danger: str = ""
    shed_payload: bool = False
    laser_off: bool = False


NOTHING = Standing()


class SafetyNet:
    """One `update` a cycle."""

    def __init__(
        self, limits: Sequence[Limit], channels: ChannelValues, events: EventLog, now_ns: int
    ) -> None:
        self._monitor = LimitMonitor(limits, now_ns)
        self._table = RecoveryTable(RECOVERIES)
        self._events = events
        self._values = channels.values
        names = dict.fromkeys(limit.channel for limit in limits)
        self._watched_channels = frozenset(names)
        self._watched = tuple((name, channels.index(name)) for name in names)
        self._samples: dict[str, Sample | None] = {}
        self._asks_safe = tuple(r.name for r in RECOVERIES if Action.ENTER_SAFE in r.actions)

    def replace(self, limit: Limit) -> None:
        """Other bounds for one row, from the next cycle on; a row that is not watched stays so."""
        if limit.channel in self._watched_channels:
            self._monitor.replace(limit)

    def update(
        self, now_ns: int, *, blind_cycles: int, command_lost: bool, guard_tripped: bool = False
    ) -> Standing:
        """Judges the latest channel values; on a blind cycle the last ones only grow older."""
        if blind_cycles == 0:
            for name, index in self._watched:
                value = self._values[index]
                if not isnan(value):
                    self._samples[name] = Sample(value, now_ns)
        for edge in self._monitor.evaluate(self._samples, now_ns):
            self._tell(edge, now_ns)
        conditions = list(self._monitor.conditions())
        if blind_cycles >= BLIND_CYCLES_MAX:
            conditions.append(SENSORS_LOST)
        if guard_tripped:
            conditions.append(GUARD_TRIPPED)
        if command_lost:
            conditions.append(COMMAND_LOSS)
        for response in self._table.update(conditions, now_ns):
            asked = ", ".join(action.value for action in response.actions)
            self._events.emit(
                "RECOVERY_FIRED", now_ns, condition=response.condition, response=asked
            )
        return self._standing() if conditions else NOTHING

    def _standing(self) -> Standing:
        actions = self._table.standing()
        danger = ""
        if Action.ENTER_SAFE in actions:
            holding = (row.name for row in self._table.status() if row.holds)
            danger = next(name for name in holding if name in self._asks_safe)
        return Standing(danger, Action.SHED_PAYLOAD in actions, Action.LASER_OFF in actions)

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
