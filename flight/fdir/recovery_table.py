"""Conditions and what is done about them: which rows fire now, which stand, which are spent.

Hop: "sensor to actuator", between `limit_monitor` and the mode table. After the action points of
NASA's limit checker: a row fires once and is then spent until it is armed again, so a storm of
faults cannot loop; a row in shadow counts what it would have done. What that lacks is added: a row
may try again while its condition lasts, a bounded number of times, and then calls another row.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, final

from flight.fdir.recovery_row import (
    Action,
    Activity,
    Arming,
    Arrangement,
    Recovery,
    RecoveryStatus,
    Response,
    RowMemory,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

SETTLE_NS: Final = 30_000_000_000
"""After a reset a spent row is not armed by a condition that nobody has measured yet."""


@final
class _Row:
    __slots__ = (
        "activity", "armed", "called", "exhausted", "fired", "firings_ns", "holds", "recovery",
        "shadow_fired",
    )  # fmt: skip

    def __init__(self, recovery: Recovery) -> None:
        self.recovery = recovery
        self.activity = Activity.ACTIVE
        self.armed = True
        self.holds = False
        self.called = False
        self.exhausted = False
        self.fired = 0
        self.shadow_fired = 0
        self.firings_ns: deque[int] = deque()

    def judge(self, conditions: Collection[str]) -> bool:
        """Whether it holds: its condition, a call, or a condition that is not yet clear."""
        row = self.recovery
        if row.condition in conditions or self.called:
            return True
        return bool(self.holds and row.clear and row.clear in conditions)

    def forget(self, now_ns: int) -> None:
        """Firings that have left the window no longer count."""
        retry, firings = self.recovery.retry, self.firings_ns
        if retry is not None:
            while firings and firings[0] <= now_ns - retry.within_ns:
                firings.popleft()

    def left(self) -> int:
        retry = self.recovery.retry
        return -1 if retry is None else max(0, retry.times - len(self.firings_ns))

    def is_due(self, now_ns: int) -> bool:
        """Whether it fires now: armed, or long enough after the last of its tries."""
        if self.armed:
            return True
        retry = self.recovery.retry
        if retry is None or retry.every_ns == 0 or not self.firings_ns:
            return False
        return now_ns - self.firings_ns[-1] >= retry.every_ns


@final
class RecoveryTable:
    """The rows and which of them are spent.

    Attributes:
        changes: grows with everything that telemetry shows or a reset must not forget.
        live: some row holds, or has something to forget; without it nothing stands.
    """

    def __init__(self, rows: Sequence[Recovery]) -> None:
        ordered = sorted(rows, key=lambda row: row.precedence)
        self._rows: Final = {row.name: _Row(row) for row in ordered}
        assert len(self._rows) == len(rows), "names of recoveries repeat"
        assert len({row.precedence for row in rows}) == len(rows), "two rows of one precedence"
        for row in rows:
            assert row.actions or row.sequence or row.restart, f"{row.name} does nothing"
            assert not row.escalates_to or row.retry, f"{row.name}: nothing that could be used up"
            self._check_escalation(row)
        self.live = False
        self._arms_from_ns = 0
        self.changes = 0

    def update(self, conditions: Collection[str], now_ns: int) -> list[Response]:
        """Fire the armed rows whose condition holds, most urgent first.

        A row in shadow is spent and armed exactly as if it had acted; it calls no other row.
        """
        if not conditions and not self.live:
            return []
        responses: list[Response] = []
        live = False
        for row in self._rows.values():
            held, row.holds = row.holds, row.judge(conditions)
            self.changes += held is not row.holds
            if not row.holds:
                self._rest(row, now_ns)
            elif row.activity is not Activity.DISABLED and not row.exhausted:
                response = self._fire(row, now_ns)
                if response is not None:
                    responses.append(response)
            live = live or row.holds or bool(row.firings_ns)
        self.live = live or now_ns < self._arms_from_ns
        return responses

    def standing(self) -> tuple[Action, ...]:
        """Actions of active rows whose condition still holds; guards of a mode's exit ask this."""
        wanted: list[Action] = []
        for row in self._rows.values():
            if row.holds and row.activity is Activity.ACTIVE:
                wanted.extend(row.recovery.actions)
        return tuple(action for action in Action if action in wanted) if wanted else ()

    def most_urgent(self, action: Action) -> str:
        """Name of the most urgent active row that stands and asks for `action`, "" for none."""
        for name, row in self._rows.items():
            if row.holds and row.activity is Activity.ACTIVE and action in row.recovery.actions:
                return name
        return ""

    def arm(self, name: str) -> Arrangement:
        """The ground arms a row again, with a full budget; if its condition holds, it fires."""
        row = self._rows.get(name)
        if row is None:
            return Arrangement.UNKNOWN_ROW
        row.armed = True
        row.firings_ns.clear()
        self._set_exhausted(row, exhausted=False)
        self.changes += 1
        return Arrangement.DONE

    def set_activity(self, name: str, activity: Activity) -> Arrangement:
        """The ground makes a row act, shadow or rest. Leaving shadow arms it: nothing was done."""
        row = self._rows.get(name)
        if row is None:
            return Arrangement.UNKNOWN_ROW
        if row.activity is Activity.SHADOW and activity is Activity.ACTIVE:
            row.armed = True
            row.firings_ns.clear()
        if activity is not Activity.ACTIVE:
            self._set_exhausted(row, exhausted=False)
        row.activity = activity
        self.changes += 1
        return Arrangement.DONE

    def replace(self, recovery: Recovery) -> None:
        """Another retry or sequence for the row of this name; what was found so far stays."""
        row = self._rows[recovery.name]
        assert row.recovery.precedence == recovery.precedence, "a row keeps its place"
        assert row.recovery.condition == recovery.condition, "a row keeps its condition"
        row.recovery = recovery
        self.changes += 1

    def recovery(self, name: str) -> Recovery:
        """The row of this name as it is in force; KeyError without one."""
        return self._rows[name].recovery

    def status(self) -> tuple[RecoveryStatus, ...]:
        """Counters by precedence."""
        return tuple(
            RecoveryStatus(
                name, row.activity, row.armed, row.holds, row.fired, row.shadow_fired,
                row.left(), row.exhausted,
            )
            for name, row in self._rows.items()
        )  # fmt: skip

    def memory(self) -> dict[str, RowMemory]:
        """What a reset must not forget; a row as it was made is left out."""
        rows = {
            name: (row.activity.value, row.armed, row.fired, row.shadow_fired)
            for name, row in self._rows.items()
        }
        return {name: row for name, row in rows.items() if row != _FRESH}

    def restore(self, memory: Mapping[str, RowMemory], now_ns: int) -> None:
        """What `memory` said before a reset; rows that are gone are left out.

        A spent row whose condition outlasted the reset does not fire again.
        """
        self._arms_from_ns = now_ns + SETTLE_NS
        for name, (activity, armed, fired, shadow_fired) in memory.items():
            row = self._rows.get(name)
            if row is not None and activity in _ACTIVITIES:
                row.activity = _ACTIVITIES[activity]
                row.armed, row.fired, row.shadow_fired = armed, fired, shadow_fired
                self.live = True
        self.changes += 1

    def _fire(self, row: _Row, now_ns: int) -> Response | None:
        if not row.is_due(now_ns):
            return None
        row.forget(now_ns)
        self.changes += row.armed or row.left() != 0
        spent, row.armed = row.left() == 0, False
        if spent:
            self._set_exhausted(row, exhausted=row.activity is Activity.ACTIVE)
            return None
        if row.recovery.retry is not None:
            row.firings_ns.append(now_ns)
        if row.activity is Activity.SHADOW:
            row.shadow_fired += 1
            return None
        row.fired += 1
        say = row.recovery
        return Response(say.name, say.condition, say.actions, now_ns, say.sequence, say.restart)

    def _rest(self, row: _Row, now_ns: int) -> None:
        """A row whose condition does not hold: armed by that, and its budget comes back."""
        if row.firings_ns:
            left = row.left()
            row.forget(now_ns)
            self.changes += row.left() != left
            if row.exhausted and row.left() > 0:
                self._set_exhausted(row, exhausted=False)
        settled = now_ns >= self._arms_from_ns
        if not row.armed and settled and row.recovery.arming is Arming.WHEN_CLEAR:
            row.armed = True
            self.changes += 1

    def _set_exhausted(self, row: _Row, *, exhausted: bool) -> None:
        if row.exhausted is exhausted:
            return
        row.exhausted = exhausted
        self.changes += 1
        called = self._rows.get(row.recovery.escalates_to)
        if called is not None:
            called.called = any(
                other.exhausted and other.recovery.escalates_to == called.recovery.name
                for other in self._rows.values()
            )
            self.live = True

    def _check_escalation(self, row: Recovery) -> None:
        seen, name = {row.name}, row.escalates_to
        while name:
            assert name in self._rows, f"{row.name} escalates to {name}, which is not there"
            assert name not in seen, f"{row.name}: the escalation goes round in a circle"
            seen.add(name)
            name = self._rows[name].recovery.escalates_to


_ACTIVITIES: Final = {activity.value: activity for activity in Activity}
_FRESH: Final[RowMemory] = (Activity.ACTIVE.value, True, 0, 0)
