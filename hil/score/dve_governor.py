"""The planner and guard that fly, behind the interface of the governor's referee.

``DveGovernor(public_case)`` and ``decide(observation)``: everything decided here is decided by the
cores of `flight.thermal`; this file only translates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flight.thermal.heat_network import reduce_network
from flight.thermal.plan_follower import PlanFollower
from flight.thermal.planner import ContactSight, Planner, PlanState
from hil.score.guarded_node import GuardedNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.thermal.plan_follower import Work
    from flight.thermal.plan_solver_native import Plan
    from hil.score.guarded_node import Sensed

PLAN_EVERY_S = 60
LINK_LEAST = 1e-3


class DveGovernor(GuardedNode):
    """Plans once a minute, and at once when a contact's outlook changes."""

    def __init__(self, public_case: Mapping[str, Any]) -> None:
        super().__init__(public_case)
        self.planner = Planner(self.model, self.forecast, reduce_network(self.model))
        self._follower = PlanFollower(self.model)
        self._sight = ContactSight()
        self._next_s = 0
        self.plan: Plan | None = None
        self.plans = 0

    def wish(self, obs: Sensed, free_frames: list[float]) -> tuple[Work, bool]:
        """What the plan says for this second."""
        now_s = float(obs.k)
        changed = self._sight.look(self._window_start(now_s), obs.link_rate_bps)
        if obs.k >= self._next_s or changed:
            self._replan(obs, now_s, free_frames)
        slot = None if self.plan is None else self.plan.slot_at(now_s)
        work = self._follower.second(slot, free_frames, self.learner.learned.rate_scale)
        return work, slot is None or slot.link_share > LINK_LEAST

    def _replan(self, obs: Sensed, now_s: float, free_frames: list[float]) -> None:
        learned = self.learner.learned
        state = PlanState(obs.battery_j, obs.temperature_k, free_frames, obs.stored_bits)
        self.renew_reserve(now_s)
        self.plan = self.planner.plan(now_s, state, learned, self._sight.probability, self.ceiling)
        self._next_s = obs.k + PLAN_EVERY_S
        self.plans += 1

    def _window_start(self, now_s: float) -> float | None:
        return next(
            (w.start_s for w in self.forecast.windows if w.start_s <= now_s < w.end_s), None
        )
