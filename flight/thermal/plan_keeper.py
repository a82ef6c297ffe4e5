"""The plan in force: when the next one is due, and how far the present one can be trusted.

It degrades by steps. Fresh: followed. Stale (no newer one came): followed as long as its slots
reach. None: whoever follows does without, and the guard alone holds the limits as it always does.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from flight.thermal.heat_network import reduce_network
from flight.thermal.plan_solver_native import on_the_spot
from flight.thermal.planner import ContactSight, Planner

if TYPE_CHECKING:
    from flight.thermal.guarded_plant import GuardedPlant
    from flight.thermal.horizon import Forecast
    from flight.thermal.plan_solver_native import Plan, SlotPlan, Steps
    from flight.thermal.planner import PlanState

PLAN_EVERY_S = 60.0
STALE_S = 150.0
"""A plan of this age has missed two of its successors."""


class PlanStanding(IntEnum):
    """How far there is a plan; order as in the dictionary."""

    NONE = 0
    STALE = 1
    FRESH = 2


class PlanKeeper:
    """Plans for one plant and keeps the last plan that came out right.

    Attributes:
        plan: that plan, or None before the first.
        plans, refused: made, and of those not accurate enough to follow.
    """

    def __init__(self, plant: GuardedPlant) -> None:
        self._plant = plant
        self.planner = Planner(plant.model, plant.forecast, reduce_network(plant.model))
        self._sight = ContactSight()
        self._tried_s: float | None = None
        self._made_s = 0.0
        self.plan: Plan | None = None
        self.plans = self.refused = 0

    def look_ahead(self, forecast: Forecast) -> None:
        """What is known now of the time to come, for guard and planner alike."""
        self._plant.look_ahead(forecast)
        self.planner.look_ahead(forecast)

    def due(self, now_s: float, link_bps: float) -> bool:
        """Whether to plan now: a minute has passed, or an open contact turned out otherwise."""
        windows = self._plant.forecast.windows
        start_s = next((w.start_s for w in windows if w.start_s <= now_s < w.end_s), None)
        changed = self._sight.look(start_s, link_bps)
        tried_s = self._tried_s
        return changed or tried_s is None or not 0.0 <= now_s - tried_s < PLAN_EVERY_S

    def replan(self, now_s: float, state: PlanState) -> Plan | None:
        """`replanning` on the spot."""
        return on_the_spot(self.replanning(now_s, state))

    def replanning(self, now_s: float, state: PlanState) -> Steps[Plan | None]:
        """A new plan; the one before stays in force when this one came to nothing."""
        plant = self._plant
        plant.renew(now_s)
        self._tried_s = now_s
        self.plans += 1
        plan = yield from self.planner.planning(
            now_s, state, plant.learner.learned, self._sight.probability, plant.ceiling
        )
        if plan is not None and plan.accurate:
            self.plan, self._made_s = plan, now_s
            return plan
        self.refused += 1
        return None

    def slot(self, now_s: float) -> SlotPlan | None:
        """What the plan says for now; None without one, or past its slots."""
        return None if self.plan is None else self.plan.slot_at(now_s)

    def age_s(self, now_s: float) -> float:
        """Of the plan in force; without one since time 0."""
        return now_s - self._made_s

    def standing(self, now_s: float) -> PlanStanding:
        """How far there is a plan."""
        if self.slot(now_s) is None:
            return PlanStanding.NONE
        return PlanStanding.STALE if self.age_s(now_s) >= STALE_S else PlanStanding.FRESH
