"""Rate groups: plain functions stepped in a fixed order at absolute multiples of a period.

Hop: drives "sensor to actuator" every period. One coroutine wakes for all groups; members are
called, never awaited, which costs a tenth of a coroutine wake-up each. A step is told the time it
was due, so its times lie on the grid and drift by nothing; how late it began is counted apart. Late
is never caught up: a burst of missed periods would only make the next one late too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from flight.base.clock import Clock
    from flight.base.component import Component

OnMemberError = Callable[[str, Exception, int], None]


@final
class RateGroup:
    """Members of one period, stepped in the order of the table.

    Due at `n * period_ns + offset_ns` of monotonic time. Without `on_error` a member's exception
    is the caller's; with it, the member's step is given up for this period, counted, reported
    as (member, error, now_ns), and the next members run.

    Attributes:
        steps: periods stepped; the group's heartbeat.
        overruns: periods skipped because an earlier one was not over in time.
        on_overrun: told that number whenever it grows.
        on_account: called when a step that took time has been booked.
        busy_ns, max_busy_ns: last and longest step, on the runner's clock.
        late_ns, max_late_ns: last and latest start after the due time.
        drift_ns: how far the last start has moved against the first, periods counted off.
        member_errors: failed steps by member, in the order of the table.
    """

    def __init__(
        self,
        name: str,
        period_ns: int,
        members: Sequence[Component],
        *,
        offset_ns: int = 0,
        on_error: OnMemberError | None = None,
    ) -> None:
        assert period_ns > 0, f"group {name} needs a period"
        assert 0 <= offset_ns < period_ns, f"group {name}: the offset must lie inside the period"
        self.name: Final = name
        self.period_ns: Final = period_ns
        self.offset_ns: Final = offset_ns
        self.members: Final = tuple(members)
        self._steps: Final = tuple(member.step for member in self.members)
        self._on_error = on_error
        self.on_overrun: Callable[[int], None] | None = None
        self.steps = 0
        self.overruns = 0
        self.on_account: Callable[[], None] | None = None
        self.busy_ns = self.max_busy_ns = 0
        self.late_ns = self.max_late_ns = self.drift_ns = 0
        self._first: tuple[int, int] | None = None
        self.member_errors: dict[str, int] = dict.fromkeys((m.name for m in members), 0)
        assert len(self.member_errors) == len(self.members), f"group {name}: names repeat"

    def step(self, now_ns: int) -> None:
        """Step every member once."""
        self.steps += 1
        if self._on_error is None:
            for step in self._steps:
                step(now_ns)
            return
        for index, step in enumerate(self._steps):
            try:
                step(now_ns)
            except Exception as error:  # noqa: BLE001 - the isolation promised above
                member = self.members[index].name
                self.member_errors[member] += 1
                self._on_error(member, error, now_ns)

    def due_from(self, now_ns: int) -> int:
        """The first due time at or after `now_ns`."""
        behind_ns = (now_ns - self.offset_ns) % self.period_ns
        return now_ns if behind_ns == 0 else now_ns - behind_ns + self.period_ns

    def account(self, *, due_ns: int, started_ns: int, ended_ns: int) -> int:
        """Book one step's times; returns the next due time, past the periods that were missed.

        A step that ends exactly when the next one is due has not overrun.
        """
        if ended_ns == due_ns:  # in virtual time work takes none: the usual case there
            return due_ns + self.period_ns
        self.busy_ns, self.late_ns = ended_ns - started_ns, started_ns - due_ns
        self.max_busy_ns = max(self.max_busy_ns, self.busy_ns)
        self.max_late_ns = max(self.max_late_ns, self.late_ns)
        self._follow_drift(started_ns)
        missed = max(0, (ended_ns - due_ns - 1) // self.period_ns)
        if missed:
            self._miss(missed)
        if self.on_account is not None:
            self.on_account()
        return due_ns + (missed + 1) * self.period_ns

    def _follow_drift(self, started_ns: int) -> None:
        """By what was counted, and not by the times at which steps were due: those cannot drift."""
        periods = self.steps + self.overruns
        if self._first is None:
            self._first = started_ns, periods
        first_ns, first_periods = self._first
        self.drift_ns = started_ns - first_ns - (periods - first_periods) * self.period_ns

    def newest_due(self, due_ns: int, now_ns: int) -> int:
        """The due time that a step beginning at `now_ns` is for: of several, the last.

        After a machine or a loop that stood still the earlier ones are missed for good.
        """
        missed = (now_ns - due_ns) // self.period_ns
        if missed <= 0:
            return due_ns
        self.max_late_ns = max(self.max_late_ns, now_ns - due_ns)
        self._miss(missed)
        return due_ns + missed * self.period_ns

    def _miss(self, periods: int) -> None:
        self.overruns += periods
        if self.on_overrun is not None:
            self.on_overrun(self.overruns)


@final
class RateGroupRunner:
    """Service that steps groups when due; of those due at one instant, in the table's order."""

    def __init__(
        self, clock: Clock, groups: Sequence[RateGroup], name: str = "rate_groups"
    ) -> None:
        assert groups, "a runner needs at least one group"
        self.name = name
        self._clock = clock
        self._groups: Final = tuple(groups)

    async def serve(self) -> None:
        """Run until cancelled, from the next due time on."""
        clock = self._clock
        start_ns = clock.now_ns()
        due = [group.due_from(start_ns) for group in self._groups]
        indexed = tuple(enumerate(self._groups))
        while True:
            wake_ns = min(due)
            await clock.sleep_until(wake_ns)
            for index, group in indexed:
                if due[index] <= wake_ns:
                    started_ns = clock.now_ns()
                    due_ns = group.newest_due(due[index], started_ns)
                    group.step(due_ns)
                    due[index] = group.account(
                        due_ns=due_ns, started_ns=started_ns, ended_ns=clock.now_ns()
                    )
