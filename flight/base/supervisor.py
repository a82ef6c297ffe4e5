"""Supervision in the manner of OTP: children fail alone, come back ever later, or are given up.

Hop: holds every service of the three flows. Children start in the order of the table and are
cancelled in reverse, one after the other has ended; no set of tasks is ever walked. A child's
exception ends at its own guard: siblings and the supervisor's owner only see events and, if a
critical child is given up, one `SupervisionLost`.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, final

from flight.base.clock import Clock
from flight.base.restart_policy import (
    Ending,
    Restart,
    RestartBudget,
    RestartIntensity,
    wants_restart,
)

if TYPE_CHECKING:
    from flight.base.component import Service

_NS_PER_S: Final = 1_000_000_000
_USUAL: Final = RestartIntensity()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One row of the supervisor's table.

    Attributes:
        name: stable name.
        factory: makes the service; called for each (re)start, on the loop. What must survive a
            restart belongs to the composition root, not to the service.
        restart: whether it comes back.
        critical: giving it up ends the supervisor.
        intensity: how often it may come back.
        stop_timeout_ns: how long a cancelled child may take before it is left behind, counted.
    """

    name: str
    factory: Callable[[], "Service"]
    restart: Restart = Restart.PERMANENT
    critical: bool = False
    intensity: RestartIntensity = _USUAL
    stop_timeout_ns: int = 5 * _NS_PER_S


class ChildState(Enum):
    """Where a child is in its life."""

    WAITING = "waiting"  # not started, or waiting out its back-off
    RUNNING = "running"
    DONE = "done"  # returned, and that was right
    GIVEN_UP = "given_up"  # failed, and will not come back
    STOPPED = "stopped"  # cancelled by us
    STUCK = "stuck"  # cancelled by us, did not end in time


class SupervisionKind(Enum):
    """What happened to a child."""

    STARTED = "started"
    RETURNED = "returned"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    HALTED = "halted"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class SupervisionEvent:
    """An edge in a child's life, for the event log and the recovery table."""

    kind: SupervisionKind
    child: str
    at_ns: int
    critical: bool
    restarts: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """A child's counters, for telemetry."""

    name: str
    state: ChildState
    starts: int
    failures: int


class SupervisionLost(RuntimeError):  # noqa: N818 - an outcome, not an accident
    """A critical child was given up; everything else has been stopped in order."""


@final
class _Child:
    def __init__(self, spec: ChildSpec) -> None:
        self.spec, self.budget = spec, RestartBudget(spec.intensity)
        self.state = ChildState.WAITING
        self.asked = ""
        self.leaving = False
        self.starts = self.failures = 0
        self.ended = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def mark_ended(self, _task: asyncio.Task[None]) -> None:
        self.ended.set()


@final
class Supervisor:
    """A service that keeps its children running. Supervisors nest, being services.

    Args:
        name: for events.
        clock: paces the back-off.
        children: the table, in starting order; names must differ.
        on_event: told every edge, at once, on the loop. It must not raise.
        escalate: told when any child is given up after a failure; the critical ones also end
            `serve` with `SupervisionLost`.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        children: Sequence[ChildSpec],
        *,
        on_event: Callable[[SupervisionEvent], None],
        escalate: Callable[[SupervisionEvent], None],
    ) -> None:
        assert len({spec.name for spec in children}) == len(children), "names of children repeat"
        self.name = name
        self._clock = clock
        self._specs: Final = tuple(children)
        self._on_event = on_event
        self._escalate = escalate
        self._children: list[_Child] = []
        self._lost: _Child | None = None
        self._alarm: asyncio.Event | None = None

    def status(self) -> tuple[ChildStatus, ...]:
        """Counters of the children started by the present `serve`, in the order of the table."""
        return tuple(
            ChildStatus(child.spec.name, child.state, child.starts, child.failures)
            for child in self._children
        )

    def restart(self, name: str, reason: str) -> bool:
        """End a child's present life and begin another; it counts as a failure like any other.

        One that was given up or halted comes back with a new budget. False when there is none of
        this name, or nothing to be done: it comes back already, or it is done.
        """
        child = self._named(name)
        if child is None or child.task is None:
            return False
        if child.state is ChildState.RUNNING and not child.asked:
            child.asked = reason
            child.task.cancel()
            return True
        if child.state in (ChildState.GIVEN_UP, ChildState.STOPPED) and child.ended.is_set():
            child.budget = RestartBudget(child.spec.intensity)
            self._start(child)
            return True
        return False

    def halt(self, name: str) -> bool:
        """End a child for good, until `restart`; False for none of this name or a critical one."""
        child = self._named(name)
        if child is None or child.spec.critical or child.task is None or child.ended.is_set():
            return False
        child.leaving = True
        child.task.cancel()
        child.state = ChildState.STOPPED
        self._tell(SupervisionKind.HALTED, child)
        return True

    async def serve(self) -> None:
        """Start the children and keep them until cancelled.

        Raises:
            SupervisionLost: a critical child was given up.
        """
        self._lost = None
        self._alarm = asyncio.Event()
        self._children = [_Child(spec) for spec in self._specs]
        try:
            for child in self._children:
                self._start(child)
            await self._alarm.wait()
        finally:
            await self._stop_all()
        assert self._lost is not None, "only a loss rings the alarm"
        raise SupervisionLost(f"{self.name}: critical child {self._lost.spec.name} was given up")

    def _named(self, name: str) -> _Child | None:
        return next((child for child in self._children if child.spec.name == name), None)

    def _start(self, child: _Child) -> None:
        child.ended.clear()
        child.asked, child.leaving = "", False
        child.state = ChildState.WAITING
        child.task = asyncio.create_task(self._keep(child), name=child.spec.name)
        # Not in _keep: a task cancelled before its first step never enters it.
        child.task.add_done_callback(child.mark_ended)

    async def _keep(self, child: _Child) -> None:
        """Run one child through all its lives; nothing but cancellation leaves here."""
        while True:
            ending, error = await self._live(child)
            delay_ns = None
            if wants_restart(child.spec.restart, ending):
                delay_ns = child.budget.request(self._clock.now_ns())
            if delay_ns is None:
                self._end(child, ending, error)
                return
            child.state = ChildState.WAITING
            await self._clock.sleep_until(self._clock.now_ns() + delay_ns)

    async def _live(self, child: _Child) -> tuple[Ending, str]:
        """One life: from the factory to the end; errors become values."""
        child.starts += 1
        child.state = ChildState.RUNNING
        self._tell(SupervisionKind.STARTED, child)
        error, cancelled = "", False
        try:
            await child.spec.factory().serve()
        except asyncio.CancelledError:
            error, cancelled = child.asked or "CancelledError from within", not child.asked
        except Exception as raised:  # noqa: BLE001 - the guard that no child's exception passes
            error = f"{type(raised).__name__}: {raised}"
        self._heed_cancellation(child, cancelled=cancelled)
        if not error:
            self._tell(SupervisionKind.RETURNED, child)
            return Ending.RETURNED, ""
        child.failures += 1
        self._tell(SupervisionKind.FAILED, child, error)
        return Ending.FAILED, error

    @staticmethod
    def _heed_cancellation(child: _Child, *, cancelled: bool) -> None:
        """One of ours ended a life and no more than that; any other one ends the child."""
        child.asked = ""
        task = child.task
        if child.leaving or (cancelled and task is not None and task.cancelling()):
            raise asyncio.CancelledError
        # Python 3.11 leaves behind the request with which a failed `TaskGroup` woke its owner.
        while task is not None and task.cancelling():
            task.uncancel()

    def _end(self, child: _Child, ending: Ending, error: str) -> None:
        """The child will not come back: rightly done, or given up."""
        if ending is Ending.RETURNED and child.spec.restart is not Restart.PERMANENT:
            child.state = ChildState.DONE
            return
        child.state = ChildState.GIVEN_UP
        event = self._tell(SupervisionKind.GIVEN_UP, child, error)
        self._escalate(event)
        if child.spec.critical and self._lost is None and self._alarm is not None:
            self._lost = child
            self._alarm.set()

    async def _stop_all(self) -> None:
        """Cancel in reverse order, each after the one before has ended; never gives up half-way."""
        hurried = False
        for child in reversed(self._children):
            if child.task is None or child.ended.is_set():
                continue
            child.leaving = True
            child.task.cancel()
            try:
                async with asyncio.timeout(child.spec.stop_timeout_ns / _NS_PER_S):
                    await child.ended.wait()
                child.state = ChildState.STOPPED
            except TimeoutError:
                child.state = ChildState.STUCK
                self._tell(SupervisionKind.STUCK, child)
            except asyncio.CancelledError:
                hurried = True  # our owner cannot wait: cancel the rest, then pass it on
        if hurried:
            raise asyncio.CancelledError

    def _tell(self, kind: SupervisionKind, child: _Child, error: str = "") -> SupervisionEvent:
        event = SupervisionEvent(
            kind=kind,
            child=child.spec.name,
            at_ns=self._clock.now_ns(),
            critical=child.spec.critical,
            restarts=max(0, child.starts - 1),
            error=error,
        )
        self._on_event(event)
        return event
