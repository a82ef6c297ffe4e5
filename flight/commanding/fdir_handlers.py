"""Commands about recoveries and health: what acts, what is armed, what may be used.

Hop "acted" of command -> ack. What is said of a component is durable before it counts; what is
said of a row is kept by the recovery table's own watch in the cycle that follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flight.commanding.dispatcher import COMPLETED, Binding, HandlerResult, failed
from flight.fdir.health_table import LASTING, TRANSITIONS, HealthCause
from flight.fdir.recovery_row import Activity, Arrangement
from flight.telemetry.command_table import RecoveryArm, RecoverySetActivity, SetHealth
from flight.telemetry.definitions import Health
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.fdir.health_watch import HealthWatch
    from flight.fdir.recovery_table import RecoveryTable
    from flight.telemetry.event_log import EventLog

_CAUSES: Final = {
    "EXTERNAL_CONTROL": HealthCause.TAKEN_OVER,
    "PERMANENTLY_FAULTY": HealthCause.CONDEMNED,
    "CLEAR": HealthCause.CLEARED,
}

INDISPENSABLE: Final = ("main", "downlink")
"""What the node cannot do without: not to be used any more would be the end of the flight."""


class FdirHandlers:
    """The rows of the opcode table that deal with fault protection.

    Args:
        keep_health: makes what the ground has said durable; False when it could not.

    Attributes:
        restart: begins a service anew, with a reason; set once there is a supervisor.
        halt: ends a service; likewise.
    """

    def __init__(
        self,
        *,
        table: RecoveryTable,
        health: HealthWatch,
        keep_health: Callable[[dict[str, int], int], bool],
        events: EventLog,
    ) -> None:
        self._table = table
        self._health = health
        self._keep_health = keep_health
        self._events = events
        self.restart: Callable[[str, str], bool] = lambda _name, _reason: False
        self.halt: Callable[[str], bool] = lambda _name: False

    def bindings(self) -> list[Binding[object]]:
        """Every command about fault protection with its handler."""
        rows: list[tuple[type, Callable[..., HandlerResult]]] = [
            (RecoverySetActivity, self._set_activity),
            (RecoveryArm, self._arm),
            (SetHealth, self._set_health),
        ]
        return [Binding(kind, handler) for kind, handler in rows]

    def _set_activity(self, command: RecoverySetActivity, now_ns: int) -> HandlerResult:
        activity = Activity[command.activity]
        if self._table.set_activity(command.row, activity) is Arrangement.UNKNOWN_ROW:
            return failed(CommandReason.NOT_FOUND)
        self._events.emit("RECOVERY_SET", now_ns, name=command.row, activity=activity.value)
        return COMPLETED

    def _arm(self, command: RecoveryArm, now_ns: int) -> HandlerResult:
        if self._table.arm(command.row) is Arrangement.UNKNOWN_ROW:
            return failed(CommandReason.NOT_FOUND)
        self._events.emit("RECOVERY_SET", now_ns, name=command.row, activity="armed")
        return COMPLETED

    def _set_health(self, command: SetHealth, now_ns: int) -> HandlerResult:
        """A word that changes nothing is refused: the operator's picture is not the node's."""
        table, cause = self._health.table, _CAUSES[command.word]
        if command.component not in table:
            return failed(CommandReason.NOT_FOUND)
        old = table[command.component]
        new = TRANSITIONS.get((old, cause))
        condemned = cause is HealthCause.CONDEMNED
        if new is None or (condemned and command.component in INDISPENSABLE):
            return failed(CommandReason.REFUSED)
        lasting = {name: word for name, word in table.lasting().items()
                   if name != command.component}  # fmt: skip
        if new in LASTING:
            lasting[command.component] = int(new)
        if not self._keep_health(lasting, now_ns):
            return failed(CommandReason.NOT_DURABLE)
        self._health.apply(command.component, cause, now_ns)
        if condemned:
            self.halt(command.component)
        elif new is Health.NEEDS_RECOVERY and old is not Health.EXTERNAL_CONTROL:
            self.restart(command.component, cause.value)
        return COMPLETED
