"""Plans beside the cycle, at a pace of their own.

When the service fails the plan grows old and the guard flies on; nothing of the cycle waits for it.
Where time is real the solver runs on a thread, and the loop goes on meanwhile; where it is granted
or simulated a plan is made on the spot, in no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flight.base.clock import Clock
    from flight.thermal.plan_desk import PlanDesk


class Beside(Protocol):
    """Somewhere else to run the solver; one run at a time."""

    @property
    def busy(self) -> bool:
        """Whether a run is under way, be it for a service that is no more."""
        ...

    def run(self, work: Callable[[], int]) -> Awaitable[int]:
        """What `work` returns."""
        ...


NS_PER_S = 1_000_000_000
PHASE_NS = NS_PER_S // 2
"""Half a second off the cycle's tick: none of the milliseconds that a plan takes are the tick's."""


class PlanService:
    """Looks once a second whether a plan is due, and makes it.

    Args:
        clock: its time.
        desk: what outlives a restart of the service.
        beside: where the solver runs, which outlives one too; None is on the spot.
    """

    name = "planner"

    def __init__(self, clock: Clock, desk: PlanDesk, beside: Beside | None = None) -> None:
        self._clock = clock
        self._desk = desk
        self._beside = beside

    async def serve(self) -> None:
        """Runs until cancelled."""
        while True:
            now_ns = self._clock.now_ns()
            next_ns = (now_ns // NS_PER_S + 1) * NS_PER_S + PHASE_NS
            await self._clock.sleep_until(next_ns)
            now_s = next_ns * 1e-9
            if self._beside is None:
                if self._desk.due(now_s):
                    self._desk.plan(now_s)
            elif not self._beside.busy and self._desk.due(now_s):
                await self._plan(now_s, self._beside)

    async def _plan(self, now_s: float, beside: Beside) -> None:
        """One plan, prepared and read here and solved there."""
        steps = self._desk.planning(now_s)
        work = next(steps, None)
        while work is not None:
            answer = await beside.run(work)
            try:
                work = steps.send(answer)
            except StopIteration:
                return
