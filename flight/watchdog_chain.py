"""The watchdog's chain, and the link in it that can say no.

Hop: beside "sensor to actuator". Whoever would reset the node hears that it is well only while each
rate group, service and thread counts on (`health_monitor`). A loop that is blocked says nothing at
all; a task that never comes back, a thread that gets no turn or a tick that has stopped are found
by their counters, and the stroke is withheld. What is told are the lines of sd_notify(3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

READY: Final = "READY=1"
STROKE: Final = "WATCHDOG=1"
STOPPING: Final = "STOPPING=1"
FIRST_PACE_NS: Final = 20_000_000
"""Between two looks while the first steps are awaited: readiness is told without delay."""
PACE_NS_MAX: Final = 1_000_000_000
"""Between two looks with an interval of seconds, or none: a status that is not old."""


@final
class WatchdogChain:
    """Asked at its own pace, `pace_ns`: whoever would step it with the others may be dead.

    Attributes:
        ready: everybody whom the node cannot do without has counted once.
        strokes, withheld: looks that gave a stroke, and looks that did not because of a stall.
    """

    def __init__(
        self,
        interval_ns: int,
        *,
        begun: Callable[[], bool],
        standing_still: Callable[[int], tuple[str, ...]],
        word: Callable[[], str],
    ) -> None:
        """`interval_ns` is what the watchdog allows between two strokes, 0 for no watchdog."""
        self._interval_ns = interval_ns
        self._begun = begun
        self._standing_still = standing_still
        self._word = word
        self._told = ""
        self.ready = False
        self.strokes = 0
        self.withheld = 0

    @property
    def pace_ns(self) -> int:
        """Until the next look; half of what the watchdog allows (sd_watchdog_enabled(3))."""
        if not self.ready:
            return FIRST_PACE_NS
        return min(self._interval_ns // 2, PACE_NS_MAX) if self._interval_ns else PACE_NS_MAX

    def look(self, now_ns: int) -> str:
        """What the service manager is to be told now, line by line; empty for nothing."""
        lines: list[str] = []
        if not self.ready:
            if not self._begun():
                return ""
            self.ready = True
            lines.append(READY)
        stalled = self._standing_still(now_ns)
        status = self._word()
        if stalled:
            self.withheld += 1
            status += f", watchdog withheld for {', '.join(stalled)}"
        elif self._interval_ns:
            self.strokes += 1
            lines.append(STROKE)
        if status != self._told:
            self._told = status
            lines.append(f"STATUS={status}")
        return "\n".join(lines)
