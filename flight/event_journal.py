"""Events as lines on standard output, for a terminal or the system's journal.

Hop "told", the nearest end: what an operator on the board itself sees, with or without a link.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flight.telemetry.dictionary import Severity

if TYPE_CHECKING:
    from flight.base.clock import UtcCorrelation
    from flight.telemetry.event_log import Event

_NS_PER_S = 1_000_000_000
_SYSLOG = {
    Severity.DEBUG: 7,
    Severity.INFO: 6,
    Severity.NOTICE: 5,
    Severity.WARNING: 4,
    Severity.ALARM: 2,
    Severity.FATAL: 0,
}


class EventJournal:
    """Listener of the event log: a line an event of severity `least` and above.

    It never raises. A reader that went away (closed pipe, full disk) must not end a flight: the
    lines it missed count in `lost`. A reader that stops reading holds the flight up once the pipe
    is full; a journal always reads.

    Args:
        utc: turns an event's time into a label.
        fd: file descriptor to write to.
        priorities: put "<N>" in front, as the system's journal wants it (sd-daemon(3)).
    """

    def __init__(
        self,
        utc: UtcCorrelation,
        fd: int = 1,
        *,
        least: Severity = Severity.INFO,
        priorities: bool = False,
    ) -> None:
        self._utc = utc
        self._fd = fd
        self._least = least
        self._priorities = priorities
        self.lost = 0

    def __call__(self, event: Event) -> None:
        """Writes the event's line."""
        if event.severity < self._least:
            return
        try:
            os.write(self._fd, self.line(event).encode(errors="replace"))
        except OSError:
            self.lost += 1

    def line(self, event: Event) -> str:
        """UTC, severity, name and sentence; whatever came from outside stays on its line."""
        seconds, rest_ns = divmod(self._utc.utc_ns(event.t_ns), _NS_PER_S)
        stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        text = " ".join(event.text.splitlines())
        priority = f"<{_SYSLOG[event.severity]}>" if self._priorities else ""
        return (
            f"{priority}{stamp}.{rest_ns // 1_000_000:03d}Z {event.severity.name:<7} "
            f"{event.name}: {text}\n"
        )
