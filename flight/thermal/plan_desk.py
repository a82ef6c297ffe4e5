"""Planning in flight: what a plan starts from, the plan in force, and what telemetry says of it.

Pure; `plan_service` drives it once a minute beside the cycle, the governor looks at it once a
cycle. Bits are told to the planner in results of a fresh frame (`RESULT_BITS` each), so that what
waits for the link and what contacts carry count in the same coin as what is yet to be computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

from flight.thermal.flight_outlook import ANY_RATE_BPS
from flight.thermal.plan_keeper import PlanKeeper, PlanStanding
from flight.thermal.plan_model import FRAME_VALUE, RESULT_BITS, STORE_BITS, STORED
from flight.thermal.plan_solver_native import on_the_spot
from flight.thermal.planner import PlanState

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.telemetry.channel_values import ChannelValues
    from flight.thermal.node_plant import NodePlant
    from flight.thermal.plan_solver_native import Plan, SlotPlan, Steps

NO_PLAN = -1.0
FIRST_FRAME_BITS = 1e4
"""Of a frame's results, until the first of them are made: the link then seems wide."""
FRAMES_LEAST = 8
BITS_A_BYTE, MEGABYTE_BITS = 8.0, 8e6
DENSITY_MIN, DENSITY_MAX = 0.02, 50.0
STORED_BITS_MAX = 0.8 * STORE_BITS


@dataclass(frozen=True, slots=True)
class Stock:
    """What has been made and what of it still waits.

    Attributes:
        frames: computed so far.
        made_bytes, made_value: of all their results.
        waiting_bytes, waiting_value: of those not delivered yet.
    """

    frames: int
    made_bytes: float
    made_value: float
    waiting_bytes: float
    waiting_value: float


class PlanDesk:
    """Makes plans for a `NodePlant` and answers for them.

    Args:
        stock: asked for each plan.
        link_bps: what the link carries now, 0 without one; asked once a second.

    Attributes:
        keeper: the plan in force; None before the first plant.
    """

    def __init__(
        self, node: NodePlant, stock: Callable[[], Stock], link_bps: Callable[[], float],
        channels: ChannelValues,
    ) -> None:  # fmt: skip
        self._node, self._stock, self._link_bps = node, stock, link_bps
        self._scale = RESULT_BITS / FIRST_FRAME_BITS
        self._version = -1
        self._values = channels.values
        self._index = tuple(channels.index(name) for name in TOLD)
        self.keeper: PlanKeeper | None = None

    def due(self, now_s: float) -> bool:
        """Whether a plan is to be made now; never without an estimate to start from."""
        seen, plant = self._node.seen, self._node.plant
        if seen is None or plant is None or not all(map(isfinite, (seen.energy_j, *seen.temp_k))):
            return False
        if self.keeper is None or self._version != self._node.version:
            self.keeper = PlanKeeper(plant)
            self._version = self._node.version
        return self.keeper.due(now_s, self._link_bps())

    def plan(self, now_s: float) -> Plan | None:
        """`planning` on the spot."""
        return on_the_spot(self.planning(now_s))

    def planning(self, now_s: float) -> Steps[Plan | None]:
        """A new plan from the last readings; None when it came to nothing.

        Limits that move meanwhile make a new keeper: the plan then comes to the old one.
        """
        seen, keeper, plant = self._node.seen, self.keeper, self._node.plant
        if seen is None or keeper is None or plant is None:
            return None
        stock = self._stock()
        self._scale = scale = RESULT_BITS / frame_bits(stock)
        forecast = plant.forecast
        windows = tuple(
            replace(w, rate_bps=min(w.rate_bps * scale, ANY_RATE_BPS)) for w in forecast.windows
        )
        # What waits beyond all that could be carried until the horizon changes no decision.
        carried = sum(w.rate_bps * (w.end_s - max(w.start_s, now_s)) for w in windows)
        stored = min(stock.waiting_bytes * BITS_A_BYTE * scale, carried, STORED_BITS_MAX)
        keeper.planner.look_ahead(replace(forecast, windows=windows))
        keeper.planner.aim(
            energy_end_j=min(seen.energy_j, plant.model.energy_end_j),
            value={(0, STORED): FRAME_VALUE * density(stock)},
        )
        state = PlanState(seen.energy_j, seen.temp_k, [0.0, 0.0], [[0.0, stored]])
        return (yield from keeper.replanning(now_s, state))

    def slot(self, now_s: float) -> SlotPlan | None:
        """What the plan in force says for now."""
        if self.keeper is None or self._version != self._node.version:
            return None
        return self.keeper.slot(now_s)

    def tell(self, now_s: float, level: int | None) -> None:
        """Telemetry of a cycle: the plan's level, its standing and age, and the prices."""
        plan = None if self.keeper is None else self.keeper.plan
        row = [NO_PLAN, float(PlanStanding.NONE), 0.0, 0.0, 0.0, 0.0, 0.0]
        plant = self._node.plant
        if level is not None and plan is not None and self.keeper is not None and plant is not None:
            # Beyond a limit a price is no longer a value: at most more than a joule can earn.
            prices, most = plan.prices, plant.model.end_price_per_j
            row = [
                float(level),
                float(self.keeper.standing(now_s)),
                self.keeper.age_s(now_s),
                1e3 * min(prices.joule, most) / FRAME_VALUE,
                1e3 * min(prices.heat_j, most) / FRAME_VALUE,
                prices.second / FRAME_VALUE,
                prices.link_mbit * 1e-6 * MEGABYTE_BITS * self._scale / FRAME_VALUE,
            ]
        for index, value in zip(self._index, row, strict=True):
            self._values[index] = value


TOLD = (
    "plan.level", "plan.standing", "plan.age_s", "plan.price_energy", "plan.price_heat",
    "plan.price_time", "plan.price_link",
)  # fmt: skip


def frame_bits(stock: Stock) -> float:
    """Of a frame's results on average."""
    if stock.frames < FRAMES_LEAST:
        return FIRST_FRAME_BITS
    return max(1.0, stock.made_bytes * BITS_A_BYTE / stock.frames)


def density(stock: Stock) -> float:
    """Value a bit of what waits over that of what is made."""
    if stock.frames < FRAMES_LEAST or stock.waiting_bytes < 1.0 or stock.made_value <= 0.0:
        return 1.0
    waiting = stock.waiting_value / stock.waiting_bytes
    return min(max(waiting * stock.made_bytes / stock.made_value, DENSITY_MIN), DENSITY_MAX)
