"""The planner: once a minute, the plan of greatest delivered value over the orbit that is known.

Sun, contacts and the heat outside are known ahead; arrivals are forecast rates; clouds are a
probability. A contact's expected capacity is taken `LINK_OPTIMISM` times higher than its mean: a
result too many costs energy that the array would have shunted, a result too few wastes a clear sky.
What is put off to a contact is worth as much less as it may never come down: a contact that clouds
take passes it on to the next one, the last one to nobody.
Certainty-equivalent receding horizon (Mayne et al., Automatica 36, 2000): every plan starts from
what was measured, so a forecast that lies costs value and not a limit, which is the guard's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from flight.thermal.horizon import SLOTS_MAX, slot_edges
from flight.thermal.plan_solver_native import (
    Margins,
    PlanSolver,
    PlanStart,
    SlotInput,
    on_the_spot,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flight.thermal.heat_network import Reduction
    from flight.thermal.horizon import Forecast, LinkWindow
    from flight.thermal.node_model import NodeModel
    from flight.thermal.plan_reserve import HeatCeiling
    from flight.thermal.plan_solver_native import Plan, Steps
    from flight.thermal.plant_learner import Learned

LINK_OPTIMISM = 1.7
SEEN_DARK, SEEN_CUT = 0.05, 0.5
"""Probability that an open contact carries yet: nothing came so far, or it did and stopped."""
DISCOUNT_A_DAY = 2e-3
"""Of two plans of one value, the one that delivers earlier."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class PlanState:
    """Where the node stands; heat by node, frames by class, bits by variant and class."""

    energy_j: float
    temp_k: Sequence[float]
    waiting: Sequence[float]
    stored_bits: Sequence[Sequence[float]]


class ContactSight:
    """What has been seen of the contact that is open: carrying, dark from the start, or cut."""

    def __init__(self) -> None:
        self._window: float | None = None
        self._carried = False
        self.probability: float | None = None

    def look(self, window_start_s: float | None, rate_bps: float) -> bool:
        """One second's rate inside the window that began then; whether the outlook changed."""
        if window_start_s != self._window:
            self._window, self._carried = window_start_s, False
        before = self.probability
        if window_start_s is None:
            self.probability = None
        elif rate_bps > 0.0:
            self._carried, self.probability = True, 1.0
        else:
            self.probability = SEEN_CUT if self._carried else SEEN_DARK
        return self.probability != before


@dataclass(frozen=True, slots=True)
class _Hope:
    """What may be expected of a contact.

    Attributes:
        window: the contact.
        carried: share of its bits that is planned with.
        worth: probability that what is put off to it comes down, then or in a later contact.
    """

    window: LinkWindow
    carried: float
    worth: float


class Planner:
    """Makes plans; keeps nothing between them but the solver's memory."""

    def __init__(
        self, model: NodeModel, forecast: Forecast, network: Reduction,
        margins: Margins = Margins(),  # noqa: B008  frozen
    ) -> None:  # fmt: skip
        self._model = model
        self._forecast = forecast
        self._network = network
        self._events = forecast.edges()
        self.margins = margins
        self._solver = PlanSolver(model, network, margins, SLOTS_MAX + 1)

    def look_ahead(self, forecast: Forecast) -> None:
        """What is known now of the time to come."""
        self._forecast = forecast
        self._events = forecast.edges()

    def aim(self, energy_end_j: float, value: Mapping[tuple[int, int], float]) -> None:
        """What is wanted at the horizon, and what results are worth, by (variant, class)."""
        self._solver.aim(energy_end_j, value)

    def plan(
        self, now_s: float, state: PlanState, learned: Learned, open_probability: float | None,
        ceiling: HeatCeiling | None = None,
    ) -> Plan | None:  # fmt: skip
        """`planning` on the spot."""
        return on_the_spot(self.planning(now_s, state, learned, open_probability, ceiling))

    def planning(
        self, now_s: float, state: PlanState, learned: Learned, open_probability: float | None,
        ceiling: HeatCeiling | None = None,
    ) -> Steps[Plan | None]:  # fmt: skip
        """A plan from `now_s` to the forecast's end; None when there is nothing to plan.

        `open_probability` replaces the forecast's for the contact that is open now; `ceiling` is
        what the guard will hold the radiators to.
        """
        forecast, network = self._forecast, self._network
        if forecast.end_s - now_s < 1.0:
            return None
        edges = slot_edges(now_s, forecast.end_s, self._events)
        hopes = self._hopes(now_s, open_probability)
        slots = [self._slot(a, b, now_s, learned, hopes) for a, b in pairwise(edges)]
        for slot, end_s in zip(slots, edges[1:], strict=True):
            slot.slow_limit_k = self._limits_k(ceiling, end_s)
        start = PlanStart(
            state.energy_j,
            [state.temp_k[i] for i in network.slow],
            [max(0.0, frames) for frames in state.waiting],
            state.stored_bits,
        )
        radiance = [self._model.nodes[i].radiance_w_k4 for i in network.slow]
        return (yield from self._solver.solving(start, slots, edges, radiance, learned.rate_scale))

    def _slot(
        self, start_s: float, end_s: float, now_s: float, learned: Learned, hopes: Sequence[_Hope],
    ) -> SlotInput:  # fmt: skip
        forecast, model = self._forecast, self._model
        array_w = forecast.array_w * learned.array_scale * forecast.sun.mean(start_s, end_s)
        heat_w = [
            series.mean(start_s, end_s) + extra + idle + base
            for series, extra, idle, base in zip(
                forecast.heat_w, learned.heat_w, model.idle_heat_w, model.base_heat_w, strict=True
            )
        ]
        bits, bps, worth = self._link(start_s, end_s, hopes)
        return SlotInput(
            length_s=end_s - start_s,
            surplus_w=array_w - learned.base_w - model.idle_w,
            arrivals=[
                series.mean(start_s, end_s) * (end_s - start_s) for series in forecast.arrivals_fps
            ],
            link_bits=bits,
            link_bps=bps,
            worth=worth - DISCOUNT_A_DAY * (start_s - now_s) / DAY_S,
            slow_heat_w=self._network.slow_heat_w(heat_w),
            slow_limit_k=(),
            fast_k=self._network.fast_rise_k(heat_w),
        )

    def _limits_k(self, ceiling: HeatCeiling | None, end_s: float) -> list[float]:
        """What each slow node may have at the end of a slot; nothing where there is no ceiling."""
        if ceiling is None:
            return []
        ceilings = ceiling.at(end_s)
        return [ceilings[i] - self.margins.temp_k for i in self._network.slow]

    def _hopes(self, now_s: float, open_probability: float | None) -> list[_Hope]:
        """What each contact may carry and is worth, the last one first looked at."""
        hopes: list[_Hope] = []
        worth = 0.0
        for window in reversed(self._forecast.windows):
            clear, carried = window.clear_probability, window.clear_probability * LINK_OPTIMISM
            if window.start_s <= now_s < window.end_s and open_probability is not None:
                clear = carried = open_probability
            worth = clear + (1.0 - clear) * worth
            hopes.append(_Hope(window, min(1.0, carried), worth))
        return hopes[::-1]

    def _link(
        self, start_s: float, end_s: float, hopes: Sequence[_Hope]
    ) -> tuple[float, float, float]:
        """Bits that contacts may carry in a slot, at what rate, and what delivery then is worth."""
        bits = bps = 0.0
        worth = 1.0
        for hope in hopes:
            window = hope.window
            overlap_s = min(end_s, window.end_s) - max(start_s, window.start_s)
            if overlap_s <= 0.0:
                continue
            bits += overlap_s * window.rate_bps * hope.carried
            bps = max(bps, window.rate_bps)
            worth = min(worth, hope.worth)
        return bits, bps, worth
