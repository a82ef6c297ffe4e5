"""Drift from the target of a mode: told, counted, a matter of health, and a condition.

Joins `modes.target_keeper` and the rest of fault protection. What the ground has taken under its
own control, or declared permanently faulty, is watched and shown as ever, but is no condition: the
node could do nothing about it, and would never get out of SAFE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from flight.fdir.health_table import HealthCause
from flight.modes.mode_table import Part
from flight.modes.target_keeper import EdgeKind, TargetKeeper
from flight.telemetry.definitions import Health

if TYPE_CHECKING:
    from flight.fdir.health_watch import HealthWatch
    from flight.modes.target_keeper import Seen, TargetEdge
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.definitions import Mode
    from flight.telemetry.event_log import EventLog

COMPONENT: Final = {Part.PAYLOAD: "payload", Part.LASER: "terminal", Part.HEATER: "heater"}
"""Whose health a drift is."""
CONDITION: Final = {part: f"drift.{part.value}" for part in Part}
_NOT_OURS: Final = (Health.EXTERNAL_CONTROL, Health.PERMANENTLY_FAULTY)
_NS: Final = 1e-9


@final
class DriftWatch:
    """One `look` a cycle, before the recoveries are judged, and one after each change of mode.

    Attributes:
        keeper: what is allowed in the mode, and how far it is.
        conditions: for the recoveries.
    """

    def __init__(
        self, channels: ChannelValues, events: EventLog, health: HealthWatch, now_ns: int
    ) -> None:
        self.keeper = TargetKeeper(now_ns)
        self.conditions: tuple[str, ...] = ()
        self._health = health
        self._events = events
        self._values = channels.values
        self._progress = channels.index("mode.progress")
        self._drifts = channels.counter("mode.drifts_total")
        self._values[self._progress] = self.keeper.progress.value

    def look(self, seen: Seen, now_ns: int) -> None:
        """What reads back, against what should be."""
        keeper = self.keeper
        for edge in keeper.look(seen, now_ns):
            self._tell(edge, now_ns)
        if keeper.drifts:
            for part in keeper.drifts:
                self._health.apply(COMPONENT[part], HealthCause.DRIFTED, now_ns)
            self.conditions = tuple(
                CONDITION[part] for part in keeper.drifts if self._is_ours(part)
            )
        else:
            self.conditions = ()
        self._values[self._progress] = keeper.progress.value

    def enter(self, mode: Mode, seen: Seen, now_ns: int) -> None:
        """Another mode, and what is confirmed of it at once."""
        self.keeper.enter(mode, now_ns)
        self.look(seen, now_ns)

    def drifts(self, part: Part) -> bool:
        """Whether this part drifts, whoever answers for it."""
        return part in self.keeper.drifts

    def _is_ours(self, part: Part) -> bool:
        return self._health.table[COMPONENT[part]] not in _NOT_OURS

    def _tell(self, edge: TargetEdge, now_ns: int) -> None:
        mode = self.keeper.mode.name
        if edge.part is None or edge.need is None:
            self._events.emit("MODE_REACHED", now_ns, mode=mode, seconds=edge.after_ns * _NS)
            return
        if edge.kind is EdgeKind.DRIFTED:
            self._values[self._drifts] += 1
        self._events.emit(
            "TARGET_DRIFTED" if edge.kind is EdgeKind.DRIFTED else "TARGET_REGAINED",
            now_ns,
            part=edge.part.value,
            mode=mode,
            shown="?" if edge.shown is None else edge.shown,
            need=edge.need.value,
            seconds=edge.after_ns * _NS,
        )
