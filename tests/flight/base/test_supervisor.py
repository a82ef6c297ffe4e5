import asyncio

import pytest

from flight.base.clock import LoopClock
from flight.base.restart_policy import Restart, RestartIntensity
from flight.base.supervisor import (
    ChildSpec,
    ChildState,
    SupervisionKind,
    SupervisionLost,
    Supervisor,
)

S = 1_000_000_000
FAST = RestartIntensity(max_restarts=3, window_ns=1000 * S, first_delay_ns=S, max_delay_ns=4 * S)


class Bench:
    """A supervisor, its diary, and a way to run it for a while."""

    def __init__(self, loop):
        self.loop, self.diary, self.events, self.escalated = loop, [], [], []
        self.answers = []

    def service(self, name, *, life_ns=None, error=None, stop=None):
        bench = self

        class Scripted:
            async def serve(self):
                bench.diary.append((bench.loop.time_ns(), "start", name))
                try:
                    await bench.loop.at(bench.loop.time_ns() + (life_ns or 10**18))
                finally:
                    if stop is not None:
                        await stop()
                    bench.diary.append((bench.loop.time_ns(), "end", name))
                if error is not None:
                    raise error

        Scripted.name = name
        return Scripted

    def run(self, children, until_ns, deeds=()):
        """Returns (supervisor, how serve ended); `deeds` are (time, what to do with it)."""

        async def main():
            supervisor = Supervisor(
                "top",
                LoopClock(),
                children,
                on_event=self.events.append,
                escalate=self.escalated.append,
            )
            task = asyncio.create_task(supervisor.serve())
            for t_ns, deed in deeds:
                await self.loop.at(t_ns)
                self.answers.append(deed(supervisor))
            while self.loop.time_ns() < until_ns and not task.done():
                await self.loop.at(min(until_ns, self.loop.time_ns() + S))
            task.cancel()
            (ending,) = await asyncio.gather(task, return_exceptions=True)
            return supervisor, ending

        return self.loop.run_until_complete(main())

    def kinds(self, name):
        return [event.kind.value for event in self.events if event.child == name]


@pytest.fixture
def bench(loop):
    return Bench(loop)


def test_children_start_in_order_and_stop_in_reverse_each_after_the_one_before(bench, loop):
    async def slow():
        await loop.at(loop.time_ns() + 5)

    names = ["a", "b", "c", "d"]
    specs = [ChildSpec(name=n, factory=bench.service(n, stop=slow)) for n in names]
    supervisor, ending = bench.run(specs, S)
    assert isinstance(ending, asyncio.CancelledError)
    assert [entry for entry in bench.diary if entry[1] == "start"] == [
        (0, "start", name) for name in names
    ]
    assert [entry for entry in bench.diary if entry[1] == "end"] == [
        (S + 5 * (index + 1), "end", name) for index, name in enumerate(reversed(names))
    ]
    assert {status.state for status in supervisor.status()} == {ChildState.STOPPED}


def test_a_failing_child_comes_back_ever_later_and_its_siblings_never_notice(bench):
    specs = [
        ChildSpec(name="ok", factory=bench.service("ok")),
        ChildSpec(
            name="bad",
            factory=bench.service("bad", life_ns=S, error=ValueError("planted")),
            intensity=FAST,
        ),
    ]
    supervisor, _ = bench.run(specs, 60 * S)
    starts = [t for t, what, name in bench.diary if (what, name) == ("start", "bad")]
    assert starts == [0, 2 * S, 5 * S, 10 * S]
    assert bench.kinds("bad") == ["started", "failed"] * 4 + ["given_up"]
    assert bench.kinds("ok") == ["started"]
    assert [(e.child, e.critical, e.restarts) for e in bench.escalated] == [("bad", False, 3)]
    assert "ValueError: planted" in bench.escalated[0].error
    states = {s.name: (s.state, s.starts, s.failures) for s in supervisor.status()}
    assert states == {"ok": (ChildState.STOPPED, 1, 0), "bad": (ChildState.GIVEN_UP, 4, 4)}


def test_a_critical_child_given_up_stops_the_others_in_reverse_and_raises(bench):
    specs = [
        ChildSpec(name="a", factory=bench.service("a")),
        ChildSpec(
            name="vital",
            factory=bench.service("vital", life_ns=S, error=OSError("gone")),
            restart=Restart.TEMPORARY,
            critical=True,
        ),
        ChildSpec(name="c", factory=bench.service("c")),
    ]
    _, ending = bench.run(specs, 60 * S)
    assert isinstance(ending, SupervisionLost)
    assert "vital" in str(ending)
    assert [name for _, what, name in bench.diary if what == "end"] == ["vital", "c", "a"]
    assert [event.child for event in bench.escalated] == ["vital"]


@pytest.mark.parametrize(
    ("restart", "error", "starts", "state"),
    [
        (Restart.PERMANENT, None, 4, ChildState.GIVEN_UP),
        (Restart.TRANSIENT, None, 1, ChildState.DONE),
        (Restart.TEMPORARY, None, 1, ChildState.DONE),
        (Restart.PERMANENT, ValueError(), 4, ChildState.GIVEN_UP),
        (Restart.TRANSIENT, ValueError(), 4, ChildState.GIVEN_UP),
        (Restart.TEMPORARY, ValueError(), 1, ChildState.GIVEN_UP),
    ],
)
def test_restart_types_decide_who_comes_back(bench, restart, error, starts, state):
    spec = ChildSpec(
        name="x",
        factory=bench.service("x", life_ns=S, error=error),
        restart=restart,
        intensity=FAST,
    )
    supervisor, _ = bench.run([spec], 60 * S)
    (status,) = supervisor.status()
    assert (status.starts, status.state) == (starts, state)
    assert len(bench.escalated) == (state is ChildState.GIVEN_UP)


def test_a_factory_that_fails_is_a_failed_child_and_the_rest_still_start(bench):
    def broken():
        raise ImportError("no such provider")

    specs = [
        ChildSpec(name="broken", factory=broken, restart=Restart.TEMPORARY),
        ChildSpec(name="link", factory=bench.service("link")),
    ]
    bench.run(specs, S)
    assert bench.kinds("broken") == ["started", "failed", "given_up"]
    assert (0, "start", "link") in bench.diary


def test_a_child_that_refuses_to_stop_is_left_behind_and_told(bench, loop):
    release = asyncio.Event()

    async def refuse():
        await release.wait()

    specs = [
        ChildSpec(name="first", factory=bench.service("first")),
        ChildSpec(name="mule", factory=bench.service("mule", stop=refuse), stop_timeout_ns=2 * S),
    ]
    supervisor, _ = bench.run(specs, S)
    assert bench.kinds("mule") == ["started", "stuck"]
    assert {s.name: s.state for s in supervisor.status()} == {
        "first": ChildState.STOPPED,
        "mule": ChildState.STUCK,
    }
    assert (3 * S, "end", "first") in bench.diary
    release.set()


def test_a_cancellation_from_within_a_child_is_a_failure_and_not_a_stop(bench):
    class Confused:
        name = "confused"

        async def serve(self):
            inner = asyncio.ensure_future(asyncio.Event().wait())
            inner.cancel()
            await inner

    spec = ChildSpec(name="confused", factory=Confused, intensity=FAST)
    supervisor, _ = bench.run([spec], 60 * S)
    assert supervisor.status()[0].failures == 4


def test_a_supervisor_cancelled_in_the_instant_of_its_start_stops_in_that_instant(bench, loop):
    async def main():
        supervisor = Supervisor(
            "top",
            LoopClock(),
            [ChildSpec(name="a", factory=bench.service("a"))],
            on_event=bench.events.append,
            escalate=bench.escalated.append,
        )
        task = asyncio.create_task(supervisor.serve())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return loop.time_ns()

    assert loop.run_until_complete(main()) == 0
    assert [what for _, what, _ in bench.diary] in ([], ["start", "end"])


def test_an_impatient_owner_still_gets_every_child_cancelled(bench, loop):
    async def slow():
        await loop.at(loop.time_ns() + 3 * S)

    async def main():
        supervisor = Supervisor(
            "top",
            LoopClock(),
            [ChildSpec(name=n, factory=bench.service(n, stop=slow)) for n in "abc"],
            on_event=bench.events.append,
            escalate=bench.escalated.append,
        )
        task = asyncio.create_task(supervisor.serve())
        await loop.at(S)
        task.cancel()
        await loop.at(2 * S)
        for _ in range(3):
            task.cancel()
            await loop.at(loop.time_ns() + 1)
        await asyncio.gather(task, return_exceptions=True)
        gone_ns = loop.time_ns()
        await loop.at(20 * S)
        return task.cancelled(), gone_ns

    cancelled, gone_ns = loop.run_until_complete(main())
    assert cancelled
    assert gone_ns < 3 * S
    assert sorted(name for _, what, name in bench.diary if what == "end") == ["a", "b", "c"]


def test_supervisors_nest_and_a_lost_branch_is_restarted_whole(bench):
    def branch():
        return Supervisor(
            "branch",
            LoopClock(),
            [
                ChildSpec(
                    name="leaf",
                    factory=bench.service("leaf", life_ns=S, error=ValueError()),
                    restart=Restart.TEMPORARY,
                    critical=True,
                )
            ],
            on_event=bench.events.append,
            escalate=bench.escalated.append,
        )

    bench.run([ChildSpec(name="branch", factory=branch, intensity=FAST)], 60 * S)
    assert bench.kinds("branch") == ["started", "failed"] * 4 + ["given_up"]
    assert bench.kinds("leaf") == ["started", "failed", "given_up"] * 4
    assert SupervisionKind.GIVEN_UP.value == "given_up"


def test_names_in_a_table_must_differ(loop):
    spec = ChildSpec(name="a", factory=lambda: None)
    with pytest.raises(AssertionError, match="repeat"):
        Supervisor("t", LoopClock(loop), [spec, spec], on_event=print, escalate=print)


def restart(name):
    return lambda supervisor: supervisor.restart(name, "stands still")


def halt(name):
    return lambda supervisor: supervisor.halt(name)


def test_a_child_that_is_asked_to_begin_anew_ends_waits_and_lives_again(bench):
    specs = [ChildSpec(name=n, factory=bench.service(n), intensity=FAST) for n in "ab"]
    supervisor, ending = bench.run(specs, 10 * S, [(2 * S, restart("a"))])
    assert isinstance(ending, asyncio.CancelledError)
    assert bench.answers == [True]
    assert [entry for entry in bench.diary if entry[2] == "a"][:3] == [
        (0, "start", "a"), (2 * S, "end", "a"), (3 * S, "start", "a"),
    ]  # fmt: skip
    assert bench.kinds("a") == ["started", "failed", "started"]
    assert bench.kinds("b") == ["started"]
    failed = next(event for event in bench.events if event.kind is SupervisionKind.FAILED)
    assert failed.error == "stands still"
    assert supervisor.status()[0].failures == 1


def test_beginning_anew_uses_up_the_same_budget_as_failing(bench):
    specs = [ChildSpec(name="a", factory=bench.service("a"), intensity=FAST)]
    deeds = [(10 * S * n, restart("a")) for n in range(1, 6)]
    supervisor, _ = bench.run(specs, 100 * S, deeds)
    assert bench.answers == [True, True, True, True, True]
    assert bench.kinds("a").count("failed") == 1 + FAST.max_restarts
    assert bench.kinds("a")[-2:] == ["given_up", "started"]
    assert supervisor.status()[0].state is ChildState.STOPPED


def test_a_child_that_is_coming_back_already_is_not_asked_twice(bench):
    specs = [ChildSpec(name="a", factory=bench.service("a"), intensity=FAST)]
    bench.run(specs, 10 * S, [(S, restart("a")), (S + 1, restart("a")), (S + 2, restart("x"))])
    assert bench.answers == [True, False, False]


def test_one_that_was_given_up_comes_back_by_command_with_a_new_budget(bench):
    failing = bench.service("a", life_ns=S, error=ValueError("broken"))
    specs = [ChildSpec(name="a", factory=failing, intensity=FAST)]
    supervisor, _ = bench.run(specs, 1_000 * S, [(500 * S, restart("a"))])
    assert bench.answers == [True]
    assert bench.kinds("a").count("given_up") == 2
    assert bench.kinds("a").count("started") == 2 * (1 + FAST.max_restarts)
    assert supervisor.status()[0].state is ChildState.GIVEN_UP


def test_a_halted_child_stays_away_until_it_is_asked_back_and_a_critical_one_is_never_halted(bench):
    specs = [
        ChildSpec(name="a", factory=bench.service("a"), intensity=FAST),
        ChildSpec(name="b", factory=bench.service("b"), critical=True),
    ]
    deeds = [(S, halt("a")), (2 * S, halt("a")), (3 * S, halt("b")), (9 * S, restart("a"))]
    _, ending = bench.run(specs, 20 * S, deeds)
    assert bench.answers == [True, False, False, True]
    assert [entry[:2] for entry in bench.diary if entry[2] == "a"] == [
        (0, "start"), (S, "end"), (9 * S, "start"), (20 * S, "end"),
    ]  # fmt: skip
    assert bench.kinds("a") == ["started", "halted", "started"]
    assert isinstance(ending, asyncio.CancelledError)


def test_a_child_that_ends_in_another_way_when_asked_can_still_be_stopped_by_its_owner(bench):
    class Deaf:
        """Takes a cancellation for a reason to fail in its own words."""

        name = "a"

        async def serve(self):
            try:
                await bench.loop.at(10**18)
            except asyncio.CancelledError:
                raise ValueError("in my own words") from None

    specs = [ChildSpec(name="a", factory=Deaf, intensity=FAST)]
    supervisor, ending = bench.run(specs, 10 * S, [(S, restart("a"))])
    assert isinstance(ending, asyncio.CancelledError)
    assert bench.kinds("a")[:3] == ["started", "failed", "started"]
    failed = [event.error for event in bench.events if event.kind is SupervisionKind.FAILED]
    assert failed == ["ValueError: in my own words"]
    assert supervisor.status()[0].state is ChildState.STOPPED


def grouped(bench, *, error):
    """A service with loops of its own in a task group, one of which fails after a second."""

    async def fail():
        await bench.loop.at(bench.loop.time_ns() + S)
        raise error

    class Grouped:
        name = "a"

        async def serve(self):
            bench.diary.append((bench.loop.time_ns(), "start", "a"))
            try:
                async with asyncio.TaskGroup() as loops:
                    loops.create_task(bench.loop.at(10**18))
                    loops.create_task(fail())
            except* ValueError as failed:
                raise failed.exceptions[0] from None

    return Grouped


def test_a_child_whose_own_task_group_failed_comes_back_like_any_other_and_can_be_stopped(bench):
    specs = [ChildSpec(name="a", factory=grouped(bench, error=ValueError("x")), intensity=FAST)]
    supervisor, ending = bench.run(specs, 4 * S)
    assert [t for t, what, _ in bench.diary if what == "start"] == [0, 2 * S]
    assert bench.kinds("a") == ["started", "failed", "started", "failed"]
    assert isinstance(ending, asyncio.CancelledError)
    assert supervisor.status()[0].state is ChildState.STOPPED
