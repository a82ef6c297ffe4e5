"""Events on board: throttled at the source, kept in a bounded queue, every loss counted.

A token bucket per event and source (its `key` in the dictionary) lets a burst through and then
holds the flood back; what was held back is announced once the bucket refills, also when the flood
has ended. So a chattering sensor hides neither another fault nor its own extent.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from flight.base.channels import Bounded, Overflow
from flight.telemetry.dictionary import EVENT_BY_ID, EVENT_BY_NAME, Severity, event_text
from flight.telemetry.event_filter import EventFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.telemetry.dictionary import EventDef

_UNTHROTTLED = (Severity.DEBUG, Severity.FATAL)
_SUPPRESSED = EVENT_BY_NAME["EVENTS_SUPPRESSED"].event_id

BURST = 16
REFILL_NS = 10_000_000_000
"""A bucket holds 16 events and gains one every ten seconds."""
RECENT_MAX = 64
SOURCES_MAX = 64
"""Buckets of one event; sources beyond that many share one."""


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
    __slots__ = ("label", "refilled_ns", "suppressed", "tokens")

    def __init__(self, label: str, now_ns: int) -> None:
        self.label = label
        self.tokens = BURST
        self.refilled_ns = now_ns
        self.suppressed = 0

    def refill(self, now_ns: int) -> None:
        gained = (now_ns - self.refilled_ns) // REFILL_NS
        if gained > 0:
            self.tokens = min(BURST, self.tokens + gained)
            self.refilled_ns += gained * REFILL_NS

    def take(self, now_ns: int) -> bool:
        self.refill(now_ns)
        if self.tokens == 0:
            self.suppressed += 1
            return False
        self.tokens -= 1
        return True


class EventLog:
    """Takes events from every room and hands them to telemetry.

    Attributes:
        pending: events on their way to telemetry; what it drops, it counts.
        total: events that passed the throttle, announcements included.
        suppressed_total: events the throttle held back.
        filter: which events are told at all.
        recent: the newest that passed, NOTICE and above, oldest first: for who asks what led here.

    Args:
        capacity: events that wait for telemetry; beyond it the oldest is dropped and counted.
        listener: called with every event that passes the throttle (bench and journal).
    """

    def __init__(self, capacity: int, listener: Callable[[Event], None] | None = None) -> None:
        self.pending: Bounded[Event] = Bounded("event_log", capacity, Overflow.DROP_OLDEST)
        self.total = 0
        self.suppressed_total = 0
        self.filter = EventFilter()
        self.recent: deque[Event] = deque(maxlen=RECENT_MAX)
        self._listener = listener
        self._buckets: dict[tuple[int, str], _Bucket] = {}
        self._sources: dict[int, int] = {}

    def emit(self, name: str, now_ns: int, /, **args: float | str) -> None:
        """Raises the event `name`; KeyError for a name the dictionary lacks."""
        definition = EVENT_BY_NAME[name]
        if not self.filter.passes(definition):
            return
        if definition.severity not in _UNTHROTTLED:
            bucket = self._bucket(definition, args, now_ns)
            if not bucket.take(now_ns):
                self.suppressed_total += 1
                return
            self._announce(bucket, now_ns)
        self._pass_on(Event(definition.event_id, now_ns, args))

    def step(self, now_ns: int) -> None:
        """Tells of floods that have ended; called as often as telemetry is sent."""
        for bucket in self._buckets.values():
            if bucket.suppressed:
                bucket.refill(now_ns)
                if bucket.tokens:
                    self._announce(bucket, now_ns)

    def finish(self, now_ns: int) -> None:
        """Tells of every flood, ended or not: nobody will later."""
        for bucket in self._buckets.values():
            self._announce(bucket, now_ns)

    def mute(self) -> None:
        """The node is without power from here on: what its ending tasks say is not heard."""
        self._listener = None

    def _bucket(self, definition: EventDef, args: dict[str, float | str], now_ns: int) -> _Bucket:
        event_id = definition.event_id
        source = str(args.get(definition.key, "")) if definition.key else ""
        bucket = self._buckets.get((event_id, source))
        if bucket is None:
            count = self._sources[event_id] = self._sources.get(event_id, 0) + 1
            if count > SOURCES_MAX:
                self._sources[event_id] = SOURCES_MAX
                source = ""
            label = f"{definition.name} {source}".rstrip()
            bucket = self._buckets.setdefault((event_id, source), _Bucket(label, now_ns))
        return bucket

    def _announce(self, bucket: _Bucket, now_ns: int) -> None:
        if bucket.suppressed:
            held, bucket.suppressed = bucket.suppressed, 0
            if not self.filter.passes(EVENT_BY_ID[_SUPPRESSED]):
                return
            self._pass_on(Event(_SUPPRESSED, now_ns, {"count": held, "name": bucket.label}))

    def _pass_on(self, event: Event) -> None:
        self.total += 1
        if self._listener is not None:
            self._listener(event)
        if event.severity > Severity.DEBUG:
            self.pending.offer(event)
        if event.severity >= Severity.NOTICE:
            self.recent.append(event)
