"""The planner and guard that fly, behind the interface of the governor's referee.

``DveGovernor(public_case)`` and ``decide(observation)``: everything decided here is decided by the
cores of `flight.thermal`; this file only translates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flight.thermal.plan_follower import PlanFollower
from flight.thermal.plan_keeper import PlanKeeper
from flight.thermal.planner import PlanState
from hil.score.guarded_node import GuardedNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flight.thermal.plan_follower import Work
    from hil.score.guarded_node import Sensed

LINK_LEAST = 1e-3


class DveGovernor(GuardedNode):
    """Plans once a minute, and at once when a contact's outlook changes."""

    def __init__(self, public_case: Mapping[str, Any]) -> None:
        super().__init__(public_case)
        self.keeper = PlanKeeper(self.plant)
        self._follower = PlanFollower(self.model)

    def wish(self, obs: Sensed, free_frames: list[float]) -> tuple[Work, bool]:
        """What the plan says for this second."""
        now_s = float(obs.k)
        if self.keeper.due(now_s, obs.link_rate_bps):
            state = PlanState(obs.battery_j, obs.temperature_k, free_frames, obs.stored_bits)
            self.keeper.replan(now_s, state)
        slot = self.keeper.slot(now_s)
        work = self._follower.second(slot, free_frames, self.learner.learned.rate_scale)
        return work, slot is None or slot.link_share > LINK_LEAST
