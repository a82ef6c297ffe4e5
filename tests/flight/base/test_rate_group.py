import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.base.clock import LoopClock
from flight.base.rate_group import RateGroup, RateGroupRunner

S = 1_000_000_000


class Member:
    def __init__(self, name, log, act=None):
        self.name, self._log, self._act = name, log, act

    def step(self, now_ns):
        self._log.append((now_ns, self.name))
        if self._act is not None:
            self._act(now_ns)


class SlowClock:
    """A clock that a member can push forward, as slow work does."""

    def __init__(self, loop):
        self._loop, self.extra_ns = loop, 0

    def now_ns(self):
        return self._loop.time_ns() + self.extra_ns

    async def sleep_until(self, t_ns):
        await self._loop.at(t_ns - self.extra_ns)


def run(loop, clock, groups, until_ns):
    async def main():
        service = asyncio.create_task(RateGroupRunner(clock, groups).serve())
        await loop.at(until_ns)
        service.cancel()
        await asyncio.gather(service, return_exceptions=True)

    loop.run_until_complete(main())


def test_members_step_in_the_order_of_the_table_at_absolute_multiples(loop):
    log = []
    group = RateGroup("1hz", S, [Member("b", log), Member("a", log)])
    run(loop, LoopClock(loop), [group], 2 * S + 1)
    assert log == [(t, n) for t in (0, S, 2 * S) for n in ("b", "a")]
    assert (group.steps, group.overruns, group.max_busy_ns, group.max_late_ns) == (3, 0, 0, 0)


def test_groups_due_at_one_instant_step_in_the_order_of_the_table(loop):
    log = []
    slow = RateGroup("1hz", S, [Member("slow", log)])
    fast = RateGroup("10hz", S // 10, [Member("fast", log)])
    run(loop, LoopClock(loop), [fast, slow], 3 * S + 1)
    at_seconds = [name for t, name in log if t % S == 0]
    assert at_seconds == ["fast", "slow"] * 4
    assert len(log) == 31 + 4


def test_a_runner_started_late_begins_at_the_next_due_time_with_its_offset(loop):
    log = []
    loop.run_until_ns(7 * S + 3)
    group = RateGroup("2s", 2 * S, [Member("m", log)], offset_ns=5)
    run(loop, LoopClock(loop), [group], 12 * S + 4)
    assert [t for t, _ in log] == [8 * S + 5, 10 * S + 5]


def test_missed_periods_are_counted_and_never_caught_up(loop):
    clock, log = SlowClock(loop), []

    def act(now_ns):
        if now_ns == 2 * S:
            clock.extra_ns += 3 * S + S // 2

    group = RateGroup("1hz", S, [Member("m", log, act)])
    run(loop, clock, [group], 5 * S)
    assert [t for t, _ in log][:4] == [0, S, 2 * S, 6 * S]
    assert (group.overruns, group.max_busy_ns) == (3, 3 * S + S // 2)


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 50), st.integers(0, 500), st.integers(0, 500), st.integers(0, 1000))
def test_the_next_due_time_is_on_the_grid_and_no_earlier_than_the_end(period, n, late, busy):
    group = RateGroup("g", period, [])
    due = n * period
    end = due + late + busy
    following = group.account(due_ns=due, started_ns=due + late, ended_ns=end)
    assert following % period == 0
    assert following >= max(end, due + 1)
    assert following - period < max(end, due + 1)
    assert group.overruns == (following - due) // period - 1


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 50), st.integers(0, 49), st.integers(0, 10_000))
def test_the_first_due_time_is_the_nearest_of_the_grid(period, offset, now):
    offset %= period
    due = RateGroup("g", period, [], offset_ns=offset).due_from(now)
    assert (due - offset) % period == 0
    assert 0 <= due - now < period


def test_the_latest_start_and_the_longest_step_are_kept():
    group = RateGroup("g", 100, [])
    assert group.account(due_ns=0, started_ns=7, ended_ns=10) == 100
    assert group.account(due_ns=100, started_ns=102, ended_ns=150) == 200
    assert (group.max_late_ns, group.max_busy_ns, group.overruns) == (7, 48, 0)


def test_a_group_due_a_nanosecond_later_is_stepped_a_nanosecond_later(loop):
    log = []
    groups = [
        RateGroup(name, S, [Member(name, log)], offset_ns=offset)
        for name, offset in (("a", 1), ("b", 0))
    ]
    run(loop, LoopClock(loop), groups, S + S // 2)
    assert log == [(0, "b"), (1, "a"), (S, "b"), (S + 1, "a")]


def fail(_now_ns):
    raise ValueError("planted")


def test_a_failing_member_does_not_stop_the_members_after_it():
    log, told = [], []
    members = [Member("a", log, fail), Member("b", log), Member("c", log, fail), Member("d", log)]
    group = RateGroup("g", S, members, on_error=lambda *what: told.append(what))
    group.step(5)
    group.step(6)
    assert [name for _, name in log] == list("abcdabcd")
    assert [(name, str(error), t) for name, error, t in told] == [
        (name, "planted", t) for t in (5, 6) for name in "ac"
    ]
    assert group.member_errors == {"a": 2, "b": 0, "c": 2, "d": 0}


def test_without_an_ear_for_errors_a_failing_member_is_loud():
    with pytest.raises(ValueError, match="planted"):
        RateGroup("g", S, [Member("a", [], fail)]).step(5)


def test_a_table_with_repeated_names_or_an_offset_outside_the_period_is_refused():
    with pytest.raises(AssertionError, match="repeat"):
        RateGroup("g", S, [Member("a", []), Member("a", [])])
    with pytest.raises(AssertionError, match="offset"):
        RateGroup("g", S, [], offset_ns=S)


def test_a_step_is_told_when_it_was_due_and_not_when_it_began(loop):
    clock, log = SlowClock(loop), []
    group = RateGroup("1hz", S, [Member("m", log)])
    clock.extra_ns = S // 4
    run(loop, clock, [group], 3 * S)
    assert [t for t, _ in log] == [S, 2 * S, 3 * S]

    class Hasty(SlowClock):
        async def sleep_until(self, t_ns):
            await super().sleep_until(t_ns)
            self.extra_ns += S // 4

    log.clear()
    run(loop, Hasty(loop), [group], 6 * S)
    assert all(t % S == 0 for t, _ in log)
    assert log
    assert group.max_late_ns > 0


def test_a_loop_that_stood_still_steps_once_for_the_newest_due_time(loop):
    log, told = [], []

    class Stopped(SlowClock):
        async def sleep_until(self, t_ns):
            await super().sleep_until(t_ns)
            if t_ns == 2 * S:
                self.extra_ns = 3 * S + S // 2

    group = RateGroup("1hz", S, [Member("m", log)])
    group.on_overrun = told.append
    run(loop, Stopped(loop), [group], 4 * S)
    assert [t for t, _ in log] == [0, S, 5 * S, 6 * S, 7 * S]
    assert (group.overruns, told, group.max_late_ns) == (3, [3], 3 * S + S // 2)


def test_every_overrun_is_told_as_it_is_counted():
    group, told = RateGroup("g", S, []), []
    group.on_overrun = told.append
    group.account(due_ns=0, started_ns=0, ended_ns=S)
    group.account(due_ns=S, started_ns=S, ended_ns=4 * S + 1)
    group.account(due_ns=5 * S, started_ns=5 * S, ended_ns=6 * S + 1)
    assert told == [3, 4]


def test_what_became_of_a_step_s_time_is_booked_and_shown_step_by_step():
    group, shown = RateGroup("g", S, []), []
    group.on_account = lambda: shown.append(
        (group.busy_ns, group.max_busy_ns, group.late_ns, group.max_late_ns)
    )
    group.account(due_ns=0, started_ns=5, ended_ns=30)
    group.account(due_ns=S, started_ns=S + 2, ended_ns=S + 12)
    assert shown == [(25, 25, 5, 5), (10, 25, 2, 5)]


def test_drift_is_what_starts_move_by_against_the_count_of_periods_missed_ones_included():
    group, seen = RateGroup("g", S, []), []

    def step(due_ns, started_ns, ended_ns):
        group.step(due_ns)
        group.account(due_ns=due_ns, started_ns=started_ns, ended_ns=ended_ns)
        seen.append(group.drift_ns)

    step(0, 5, 30)
    step(S, S + 7, S + 9)
    step(2 * S, 2 * S + 1, 4 * S + 1)
    step(5 * S, 5 * S + 4, 5 * S + 9)
    assert seen == [0, 2, -4, -1]


def test_a_clock_that_runs_away_from_the_count_shows_as_drift():
    group = RateGroup("g", S, [])
    for count in range(101):
        group.step(count * S)
        started_ns = count * (S + 350_000)
        group.account(due_ns=started_ns, started_ns=started_ns, ended_ns=started_ns + 1)
    assert group.drift_ns == 100 * 350_000
