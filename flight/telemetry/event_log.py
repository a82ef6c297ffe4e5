"""Events on board: throttled at the source, kept in a bounded queue, every loss counted.

A token bucket per event id lets a burst through and then holds the flood back; what was held
back is announced once the bucket refills, so a chattering sensor cannot hide another fault
(the traps of event squelch in the reference frameworks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flight.base.channels import Bounded, Overflow
from flight.telemetry.dictionary import EVENT_BY_ID, EVENT_BY_NAME, Severity, event_text

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = 16
REFILL_NS = 10_000_000_000
"""A bucket holds 16 events and gains one every ten seconds."""


class Event(msgspec.Struct, frozen=True):
    """One event as raised: number, mission time, arguments of its sentence."""

    event_id: int
    t_ns: int
    args: dict[str, int | float | str]

    @property
    def name(self) -> str:
        """Name in the dictionary."""
        return EVENT_BY_ID[self.event_id].name

    @property
    def severity(self) -> Severity:
        """Severity in the dictionary."""
        return EVENT_BY_ID[self.event_id].severity

    @property
    def text(self) -> str:
        """The sentence with its arguments."""
        return event_text(EVENT_BY_ID[self.event_id], self.args)


class _Bucket:
    __slots__ = ("refilled_ns", "suppressed", "tokens")

    def __init__(self, now_ns: int) -> None:
        self.tokens = BURST
        self.refilled_ns = now_ns
        self.suppressed = 0

    def take(self, now_ns: int) -> bool:
        gained = (now_ns - self.refilled_ns) // REFILL_NS
        if gained > 0:
            self.tokens = min(BURST, self.tokens + gained)
            self.refilled_ns += gained * REFILL_NS
        if self.tokens == 0:
            self.suppressed += 1
            return False
        self.tokens -= 1
        return True


class EventLog:
    """Takes events from every room and hands them to telemetry.

    Args:
        capacity: events that wait for telemetry; beyond it the oldest is dropped and counted.
        listener: called with every event that passes the throttle (bench and journal).
    """

    def __init__(self, capacity: int, listener: Callable[[Event], None] | None = None) -> None:
        self.pending: Bounded[Event] = Bounded("event_log", capacity, Overflow.DROP_OLDEST)
        self.total = 0
        self.suppressed_total = 0
        self._listener = listener
        self._buckets: dict[int, _Bucket] = {}

    def emit(self, name: str, now_ns: int, /, **args: float | str) -> None:
        """Raises the event `name`; KeyError for a name the dictionary lacks."""
        definition = EVENT_BY_NAME[name]
        if definition.severity > Severity.DEBUG and not self._allowed(
            definition.event_id, definition.severity, now_ns
        ):
            return
        self._pass_on(Event(definition.event_id, now_ns, args))

    def _allowed(self, event_id: int, severity: Severity, now_ns: int) -> bool:
        if severity is Severity.FATAL:
            return True
        bucket = self._buckets.get(event_id)
        if bucket is None:
            bucket = self._buckets[event_id] = _Bucket(now_ns)
        if not bucket.take(now_ns):
            self.suppressed_total += 1
            return False
        if bucket.suppressed:
            held, bucket.suppressed = bucket.suppressed, 0
            name = EVENT_BY_ID[event_id].name
            announcement = EVENT_BY_NAME["EVENTS_SUPPRESSED"].event_id
            self._pass_on(Event(announcement, now_ns, {"count": held, "name": name}))
        return True

    def _pass_on(self, event: Event) -> None:
        self.total += 1
        if self._listener is not None:
            self._listener(event)
        if event.severity > Severity.DEBUG:
            self.pending.offer(event)
