"""What is known of every component, once a cycle: stalls, crashes, drift and the ground's word.

Joins `health_monitor` and `health_table`, and tells their edges. First member of the cycle: its
conditions are judged by the recoveries of the same cycle. A component that was in need of recovery
counts as well again only after it has gone on for a while: one that crashes at once does not flap.

Drift from the target of a mode joins `modes.target_keeper` and the rest of fault protection. What
the ground has taken under its own control, or declared permanently faulty, is watched and shown as
ever, but is no condition: the node could do nothing about it, and would never get out of SAFE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from flight.base.supervisor import SupervisionKind
from flight.fdir.health_monitor import HealthMonitor
from flight.fdir.health_table import HealthCause, HealthTable
from flight.modes.mode_table import Part
from flight.modes.target_keeper import EdgeKind, TargetKeeper
from flight.telemetry.definitions import Health
from flight.telemetry.health_channels import COMPONENTS

if TYPE_CHECKING:
    from flight.base.supervisor import SupervisionEvent
    from flight.fdir.health_table import HealthChange
    from flight.modes.target_keeper import Seen, TargetEdge
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.definitions import Mode
    from flight.telemetry.event_log import EventLog

WELL_AFTER_NS: Final = 10_000_000_000
"""Time without a finding after which a component in need of recovery is well again."""
DOUBT_NS_MAX: Final = 120_000_000_000
"""A life that ends early raises it to three times its length, up to this: what fails every quarter
of a minute is not well in between."""

COMPONENT: Final = {
    Part.PAYLOAD: "payload",
    Part.LASER: "terminal",
    Part.BEAM: "terminal",
    Part.HEATER: "heater",
}
"""Whose health a drift is."""
CONDITION: Final = {part: f"drift.{part.value}" for part in Part}
_NOT_OURS: Final = (Health.EXTERNAL_CONTROL, Health.PERMANENTLY_FAULTY)

_CAUSES: Final = {
    SupervisionKind.FAILED: HealthCause.FAILED,
    SupervisionKind.RETURNED: None,
    SupervisionKind.GIVEN_UP: HealthCause.GIVEN_UP,
    SupervisionKind.HALTED: None,
    SupervisionKind.STUCK: None,
}


@final
class HealthWatch:
    """Stepped first in the cycle; told of the supervisor's edges in between.

    Attributes:
        monitor: who counts on.
        table: the words.
        conditions: for the recoveries: those of the table, and `health.NAME.stalled`.
        unusable: components that the ground has declared permanently faulty.
        stalled: who stood still at the last step, of those whom the node has to answer for.
    """

    name = "health"

    def __init__(self, channels: ChannelValues, events: EventLog) -> None:
        self.monitor = HealthMonitor()
        self.table = HealthTable(COMPONENTS)
        self.conditions: tuple[str, ...] = ()
        self.unusable: frozenset[str] = frozenset()
        self.stalled: tuple[str, ...] = ()
        self._events = events
        self._values = channels.values
        self._index = {name: channels.index(f"health.{name}") for name in COMPONENTS}
        self._stalled_total = channels.counter("health.stalls_total")
        self._stalled: tuple[str, ...] = ()
        self._found_ns: dict[str, int] = {}
        self._began_ns: dict[str, int] = {}
        self._doubt_ns: dict[str, int] = {}
        self._down: set[str] = set()
        for index in self._index.values():
            channels.values[index] = Health.HEALTHY

    def step(self, now_ns: int) -> None:
        """One look at all of them."""
        found = self.monitor.progress(now_ns)
        if not found and not self._stalled and not self.table.conditions:
            self.conditions = self.stalled = ()
            return
        for one in found:
            self._found_ns[one.name] = now_ns
            if one.name not in self._stalled:
                self._values[self._stalled_total] += 1
                seconds = one.silent_ns / 1e9
                self._events.emit("HEARTBEAT_LOST", now_ns, name=one.name, seconds=seconds)
                self.apply(one.name, HealthCause.STALLED, now_ns)
        self._stalled = tuple(one.name for one in found)
        for component, word in self.table.words().items():
            if word is Health.NEEDS_RECOVERY and self._is_well(component, now_ns):
                self.apply(component, HealthCause.WELL, now_ns)
        self.stalled = tuple(name for name in self._stalled if self._is_ours(name))
        stalled = (f"health.{name}.stalled" for name in self.stalled)
        self.conditions = (*self.table.conditions, *stalled)

    def standing_still(self, now_ns: int) -> tuple[str, ...]:
        """Who stands still now, of those whom the node has to answer for; changes nothing.

        For a watchdog, which asks at its own pace: whoever would step this watch may be dead.
        """
        found = self.monitor.progress(now_ns)
        return tuple(one.name for one in found if self._is_ours(one.name))

    def on_supervision(self, event: SupervisionEvent) -> None:
        """An edge in a service's life."""
        if event.kind is SupervisionKind.STARTED:
            self._down.discard(event.child)
            self._found_ns[event.child] = self._began_ns[event.child] = event.at_ns
            self.monitor.resume(event.child, event.at_ns)
            return
        self._down.add(event.child)
        lived_ns = event.at_ns - self._began_ns.get(event.child, 0)
        self._doubt_ns[event.child] = min(max(WELL_AFTER_NS, 3 * lived_ns), DOUBT_NS_MAX)
        self.monitor.suspend(event.child)
        cause = _CAUSES[event.kind]
        if cause is not None:
            self.apply(event.child, cause, event.at_ns)

    def apply(self, component: str, cause: HealthCause, now_ns: int) -> HealthChange | None:
        """One observation or command; what it changes is told."""
        if cause is not HealthCause.WELL:
            self._found_ns[component] = now_ns
        change = self.table.apply(component, cause)
        if change is not None:
            self._show(component)
            self._events.emit(
                "HEALTH_CHANGED",
                now_ns,
                name=component,
                old=change.old.name.lower(),
                new=change.new.name.lower(),
                cause=cause.value,
            )
        return change

    def restore(self, lasting: dict[str, int]) -> None:
        """What the ground had said before a reset."""
        self.table.restore(lasting)
        for component in lasting:
            if component in self.table:
                self._show(component)

    def _show(self, component: str) -> None:
        self._values[self._index[component]] = self.table[component]
        self.unusable = frozenset(name for name in COMPONENTS if not self.table.usable(name))

    def _is_well(self, component: str, now_ns: int) -> bool:
        quiet_ns = now_ns - self._found_ns.get(component, now_ns)
        doubt_ns = self._doubt_ns.get(component, WELL_AFTER_NS)
        return quiet_ns >= doubt_ns and component not in self._down

    def _is_ours(self, component: str) -> bool:
        """Whether a stall is the node's to answer: not of what the ground has taken."""
        if component not in self.table:
            return True
        return self.table[component] not in _NOT_OURS


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
            self._events.emit("MODE_REACHED", now_ns, mode=mode, seconds=edge.after_ns * 1e-9)
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
            seconds=edge.after_ns * 1e-9,
        )
