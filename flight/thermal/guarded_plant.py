"""The node as guard and planner share it: learner, reserves and guard, kept in step.

Hop: between a second's readings and what may be done in it. Pure. Whoever flies it (the node, or a
day that is scored) asks once a second: `sensed`, then `allow`, then `done` with what was allowed.
Nothing here needs a plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.thermal.heat_network import HeatAhead
from flight.thermal.heat_surprise import HeatSurprise
from flight.thermal.plan_guard import FLOOR_ALONE_J, GuardReason, PlanGuard
from flight.thermal.plan_reserve import ENERGY_STEP_S, HeatCeiling, Reserve
from flight.thermal.plant_learner import PlantLearner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.thermal.horizon import Forecast
    from flight.thermal.node_model import NodeModel
    from flight.thermal.plan_guard import Allowed, Band

RENEW_EVERY_S = 60.0
DARK = 0.5
"""Less of the solar disc than this is a shadow."""
HOLD_S, LEVEL_STEP_S = 45.0, 15.0
"""A level is held so long; steps of what it keeps back."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A second's readings: energy in the battery, array output now, kelvin by heat node."""

    now_s: float
    energy_j: float
    array_w: float
    temp_k: Sequence[float]


@dataclass(frozen=True, slots=True)
class Load:
    """What is wanted of a second: work in watts and heat above idle, and a share of the link."""

    work_w: float
    heat_w: Sequence[float]
    link: float


class GuardedPlant:
    """One node; `look_ahead` replaces what is known of the time to come."""

    def __init__(
        self, model: NodeModel, forecast: Forecast, learner: PlantLearner | None = None,
        *, levels: bool = False,
    ) -> None:  # fmt: skip
        """`levels`: work comes in steps that are held, and leaves what contacts ahead will need."""
        self.model, self.forecast = model, forecast
        self.learner = PlantLearner(model) if learner is None else learner
        step_s = LEVEL_STEP_S if levels else ENERGY_STEP_S
        self.reserve = Reserve(model, forecast, step_s=step_s)
        self.ceiling = HeatCeiling(model, forecast)
        self.pass_reserve = (
            Reserve(model, forecast, contacts=True, step_s=step_s) if levels else None
        )
        self._guard = PlanGuard(
            model, self.reserve, self.ceiling, self.pass_reserve, HOLD_S if levels else 0.0
        )
        self._ahead = HeatAhead(model)
        self._surprise = HeatSurprise(model)
        self._renewed_s = -RENEW_EVERY_S

    def look_ahead(self, forecast: Forecast) -> None:
        """What is known now of the time to come; counts from the next `renew` on."""
        self.forecast = forecast
        self.reserve.forecast = self.ceiling.forecast = forecast
        if self.pass_reserve is not None:
            self.pass_reserve.forecast = forecast

    def renew(self, now_s: float) -> None:
        """Computes what must be kept back anew with what was learned; once a second at most."""
        if now_s == self._renewed_s:
            return
        learned = self.learner.learned
        self.reserve.renew(now_s, learned)
        self.ceiling.renew(now_s, learned)
        if self.pass_reserve is not None:
            self.pass_reserve.renew(now_s, learned)
        self._renewed_s = now_s

    @property
    def renew_due_s(self) -> float:
        """When what must be kept back is to be computed anew."""
        return self._renewed_s + RENEW_EVERY_S

    def sensed(self, seen: Seen) -> Seen:
        """The readings as far as they can be believed; renews what is due."""
        self._surprise.update(seen.temp_k)
        if not 0.0 <= seen.now_s - self._renewed_s < RENEW_EVERY_S:
            self.renew(seen.now_s)
        temp_k = self._surprise.believed(seen.temp_k)
        return Seen(seen.now_s, seen.energy_j, seen.array_w, temp_k)

    def allow(self, seen: Seen, load: Load, band: Band | None = None) -> Allowed:
        """What may be of a second's load; with a `band` so far inside the limits."""
        return self._guard.allow(
            now_s=seen.now_s, energy_j=seen.energy_j, array_w=seen.array_w, temp_k=seen.temp_k,
            outside_w=self._outside_w(seen.now_s), extra_w=self._surprise.extra_w,
            base_w=self.learner.learned.base_w, work_w=load.work_w, work_heat_w=load.heat_w,
            link=load.link, band=band,
        )  # fmt: skip

    def spared_for(self, now_s: float) -> GuardReason:
        """What energy that is left now is wanted for: a contact, a shadow, or the floor alone."""
        kept_j = self.reserve.at(now_s)
        if self.pass_reserve is not None and self.pass_reserve.at(now_s) > kept_j + FLOOR_ALONE_J:
            return GuardReason.PASS
        forecast = self.forecast
        shadows = forecast.sun.at(now_s) < DARK or bool(forecast.sun.crossings(DARK))
        return GuardReason.RESERVE if shadows else GuardReason.FLOOR

    def done(self, seen: Seen, load: Load) -> None:
        """What is really done in the second that begins: the next readings are held against it."""
        model = self.model
        self.learner.acted(model.idle_w + load.work_w + load.link * model.link_w)
        ahead_k = self.after_second(seen, load)
        self.learner.heat(seen.temp_k, ahead_k)
        self._surprise.foresee(ahead_k, sum(load.heat_w))

    def after_second(self, seen: Seen, load: Load) -> list[float]:
        """Where the model puts the nodes a second later under this load, in kelvin."""
        outside_w = self._outside_w(seen.now_s)
        heat_w = [
            q + h + load.link * lit
            for q, h, lit in zip(outside_w, load.heat_w, self.model.link_heat_w, strict=True)
        ]
        return self._ahead.after_second(seen.temp_k, heat_w)

    def _outside_w(self, now_s: float) -> list[float]:
        """All heat but the payload's work and the link's, by node."""
        model = self.model
        return [
            series.at(now_s + 0.5) + learned + idle + base
            for series, learned, idle, base in zip(
                self.forecast.heat_w, self.learner.learned.heat_w, model.idle_heat_w,
                model.base_heat_w, strict=True,
            )
        ]  # fmt: skip
