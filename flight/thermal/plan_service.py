"""Plans beside the cycle, at a pace of their own.

When the service fails the plan grows old and the guard flies on; nothing of the cycle waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.base.clock import Clock
    from flight.thermal.plan_desk import PlanDesk

NS_PER_S = 1_000_000_000
PHASE_NS = NS_PER_S // 2
"""Half a second off the cycle's tick: none of the milliseconds that a plan takes are the tick's."""


class PlanService:
    """Looks once a second whether a plan is due, and makes it.

    Args:
        clock: its time.
        desk: what outlives a restart of the service.
    """

    name = "planner"

    def __init__(self, clock: Clock, desk: PlanDesk) -> None:
        self._clock = clock
        self._desk = desk

    async def serve(self) -> None:
        """Runs until cancelled."""
        while True:
            now_ns = self._clock.now_ns()
            next_ns = (now_ns // NS_PER_S + 1) * NS_PER_S + PHASE_NS
            await self._clock.sleep_until(next_ns)
            now_s = next_ns * 1e-9
            if self._desk.due(now_s):
                self._desk.plan(now_s)
