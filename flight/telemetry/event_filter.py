"""Which events are told at all: from a severity on, and not those held back one by one.

Pure. FATAL is never held back, whoever asks. What is held back is counted, and the filter's state
is telemetry and durable: a silence must be told apart from a quiet node.
"""

from __future__ import annotations

import msgspec

from flight.telemetry.definitions import Severity
from flight.telemetry.dictionary import EVENT_BY_ID, EventDef

ALWAYS_TOLD = "EVENT_FILTER_SET"
"""Or nobody would know why it is quiet."""
HELD_MAX = 64
"""Events held back one by one; more of them ask for a severity."""


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    severity: Severity
    held: frozenset[int]


class EventFilter:
    """What the ground does not want to hear.

    Attributes:
        severity: events below it are held back.
        filtered_total: events held back since the start.
    """

    def __init__(self) -> None:
        self.severity = Severity.DEBUG
        self.filtered_total = 0
        self._held: frozenset[int] = frozenset()

    @property
    def held(self) -> int:
        """How many events are held back one by one."""
        return len(self._held)

    def passes(self, event: EventDef) -> bool:
        """Whether it is told; one that is not is counted."""
        if event.severity is Severity.FATAL or event.name == ALWAYS_TOLD:
            return True
        if event.severity >= self.severity and event.event_id not in self._held:
            return True
        self.filtered_total += 1
        return False

    def hold(self, event: EventDef) -> bool:
        """Holds one event back; False for a FATAL one, and when too many are held already."""
        if event.severity is Severity.FATAL or len(self._held | {event.event_id}) > HELD_MAX:
            return False
        self._held |= {event.event_id}
        return True

    def release(self, event: EventDef) -> None:
        """Tells it again."""
        self._held -= {event.event_id}

    def dump(self) -> bytes:
        """For the durable store."""
        return msgspec.msgpack.encode(_State(self.severity, self._held), order="deterministic")

    def restore(self, blob: bytes | None) -> bool:
        """Takes over a dump; one that cannot be read leaves everything told, and is False."""
        if blob is None:
            return True
        try:
            state = msgspec.msgpack.decode(blob, type=_State)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        self.severity = state.severity
        self._held = frozenset(i for i in state.held if i in EVENT_BY_ID)
        return True
