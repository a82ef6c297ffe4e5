"""What a node tells of itself, put into the run's record: a row a second, and every event."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import CHANNELS, EVENT_BY_NAME
from hil.umbilical import Umbilical

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.telemetry.event_log import Event
    from hil.stream_bench import StreamBench
    from hil.stream_world import StreamWorld

_BOOTED = EVENT_BY_NAME["BOOTED"].event_id


class NodeRecord:
    """Hears the node through its umbilical.

    Args:
        mission_ns: turns the node's time into mission time.
        on_start_unasked: called when the node says that it has started and nobody made it.

    Attributes:
        starts_expected: starts of the node that this bench knows of and has not heard of yet.
        rows_missing: seconds without a row although the node was up.
    """

    def __init__(
        self,
        world: StreamWorld,
        bench: StreamBench,
        mission_ns: Callable[[int], int],
        on_start_unasked: Callable[[], None],
    ) -> None:
        self._world = world
        self._mission_ns = mission_ns
        self._on_start_unasked = on_start_unasked
        self.umbilical = Umbilical(self._on_event)
        bench.on_told = self.umbilical.take
        self.starts_expected = 0
        self.rows_missing = 0

    def sample(self, t_ns: int, *, up: bool) -> None:
        """The row of the second that began at `t_ns` and is over; NaN where none was told."""
        told_ns, row = self.umbilical.row_t_ns, self.umbilical.row
        if told_ns is None or self._mission_ns(told_ns) < t_ns:
            self.rows_missing += up
            row = [nan] * len(CHANNELS)
        self._world.recorder.sample(t_ns, row, self._world.plant.truth)

    def _on_event(self, event: Event) -> None:
        t_ns = self._mission_ns(event.t_ns)
        self._world.recorder.flight_event(t_ns, event.event_id, event.args)
        self._world.ledger.on_event(event)
        if event.event_id != _BOOTED:
            return
        if self.starts_expected:
            self.starts_expected -= 1
        else:
            self._on_start_unasked()
