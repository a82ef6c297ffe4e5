"""The recovery table acts, is told, is shown in telemetry, and outlives a reset.

Hop: "sensor to actuator", beside `safety_net`. Every autonomous act is an event with its cause; a
row in shadow is told too, as what it would have done. What the table must not forget is kept each
time it changes, never in a cycle in which nothing happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from flight.fdir.recovery_row import Activity
from flight.telemetry.health_channels import RETRYING_SLUGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flight.fdir.recovery_row import RecoveryStatus, Response, RowMemory
    from flight.fdir.recovery_table import RecoveryTable
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.event_log import EventLog


def nobody(_name: str, _argument: int | str) -> bool:
    """There is nobody who could: nothing was started."""
    return False


@final
class RecoveryWatch:
    """Hands responses on and keeps telemetry and memory at what the table says.

    Attributes:
        start_sequence: starts a sequence by name at a time; set by the composition root.
        restart: begins a service anew, with a reason; likewise.
        keep: makes the memory durable; likewise. It tells of a failure itself, and the next
            change tries again.
    """

    def __init__(self, table: RecoveryTable, channels: ChannelValues, events: EventLog) -> None:
        self.start_sequence: Callable[[str, int], bool] = nobody
        self.restart: Callable[[str, str], bool] = nobody
        self.keep: Callable[[Mapping[str, RowMemory], int], None] = lambda _memory, _now_ns: None
        self._table: Final = table
        self._events = events
        self._values = channels.values
        self._kept: Mapping[str, RowMemory] = {}
        self._seen = -1
        self._told: dict[str, RecoveryStatus] = {row.name: row for row in table.status()}
        self._index = {
            row.name: tuple(channels.index(name) for name in _channels_of(row.name))
            for row in table.status()
        }
        self._show(0)

    def act(self, responses: Iterable[Response], now_ns: int) -> None:
        """Starts what fired rows want started; then tells, shows and keeps what has changed."""
        for response in responses:
            asked = [action.value for action in response.actions]
            asked += [f"restart {response.restart}"] if response.restart else []
            asked += [f"sequence {response.sequence}"] if response.sequence else []
            self._events.emit(
                "RECOVERY_FIRED", now_ns, condition=response.condition, response=", ".join(asked)
            )
            if response.restart and not self.restart(response.restart, response.condition):
                self._failed(response, f"restart of {response.restart}", now_ns)
            if response.sequence and not self.start_sequence(response.sequence, now_ns):
                self._failed(response, f"sequence {response.sequence}", now_ns)
        if self._table.changes != self._seen:
            self._show(now_ns)

    def restore(self, memory: Mapping[str, RowMemory], now_ns: int) -> None:
        """What was kept before a reset; it is not told again."""
        self._table.restore(memory, now_ns)
        self._kept = self._table.memory()
        self._told = {row.name: row for row in self._table.status()}
        self._show(now_ns)

    def _failed(self, response: Response, what: str, now_ns: int) -> None:
        self._events.emit("RECOVERY_FAILED", now_ns, name=response.name, what=what)

    def _show(self, now_ns: int) -> None:
        self._seen = self._table.changes
        for row in self._table.status():
            shown = (row.state, row.fired, row.shadow_fired, row.retries_left)
            for index, value in zip(self._index[row.name], shown, strict=False):
                self._values[index] = value
            self._tell(self._told[row.name], row, now_ns)
            self._told[row.name] = row
        memory = self._table.memory()
        if memory != self._kept:
            self._kept = memory
            self.keep(memory, now_ns)

    def _tell(self, before: RecoveryStatus, row: RecoveryStatus, now_ns: int) -> None:
        recovery = self._table.recovery(row.name)
        if row.exhausted and not before.exhausted:
            follows = recovery.escalates_to or "nobody"
            self._events.emit("RECOVERY_EXHAUSTED", now_ns, name=row.name, next=follows)
        if row.shadow_fired > before.shadow_fired and row.activity is Activity.SHADOW:
            self._events.emit(
                "RECOVERY_SHADOWED", now_ns, name=row.name, condition=recovery.condition
            )


def _channels_of(name: str) -> tuple[str, ...]:
    slug = name.replace(" ", "_")
    channels = (f"recovery.{slug}", f"recovery.{slug}_fired", f"recovery.{slug}_shadow")
    return (*channels, f"recovery.{slug}_left") if slug in RETRYING_SLUGS else channels
