"""The fast guard: whatever a plan says, the next second ends inside every limit.

Once a second it takes the work and the link share that are wanted and returns what of them may
be. Heat: the network one second ahead, from what the sensors show, must stay under every limit and
under the ceiling of the orbit ahead, and so must what follows when all is off from then on (heat on
its way to the radiator). Battery: the energy a second ahead must not fall below the reserve
(`plan_reserve` has both). It needs no plan; without a sensor's reading it allows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING

from flight.telemetry.definitions import ThrottleReason
from flight.thermal.heat_network import HeatAhead, HeatCoast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.thermal.node_model import NodeModel
    from flight.thermal.plan_reserve import HeatCeiling, Reserve

TEMP_MARGIN_K = 0.2
"""Sensor rounding and half a second of rise."""
CLOSE_K = 1.0
"""What outside heat may add within minutes."""
FLOOR_ALONE_J = 200.0
"""A reserve of less than this above the floor is for no shadow."""


class GuardReason(Enum):
    """What made the guard take something away; the first that binds."""

    NONE = "none"
    NODE = "heat"
    RESERVE = "reserve"
    FLOOR = "floor"
    PASS = "pass"  # noqa: S105  a reserve for a pass, no password
    SENSOR = "sensor"


ENERGY_REASON = {
    GuardReason.RESERVE: ThrottleReason.ECLIPSE_RESERVE,
    GuardReason.FLOOR: ThrottleReason.BATTERY_FLOOR,
    GuardReason.PASS: ThrottleReason.PASS_RESERVE,
}
"""What scarce energy is called, by what it is kept for."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Shares of what was wanted that may be, 0..1, why not all, and which heat node if heat."""

    work: float
    link: float
    reason: GuardReason
    node: int


def still_coming_k(model: NodeModel, node: int) -> float:
    """The most by which heat already in the other nodes can yet warm this one, in kelvin.

    They can give what they hold above it, and never make it warmer than the warmest of them.
    """
    own = model.nodes[node]
    above = [
        (other.capacity_j_k / own.capacity_j_k, max(0.0, other.limit_k - own.limit_k))
        for i, other in enumerate(model.nodes)
        if i != node
    ]
    warmest_k = max((k for _, k in above), default=0.0)
    ratio = sum(share for share, _ in above)
    if ratio >= 1.0:
        return warmest_k
    return min(warmest_k, sum(share * k for share, k in above) / (1.0 - ratio))


@dataclass(frozen=True, slots=True)
class Band:
    """How far inside the limits a load must stay to be taken up; one that runs may go up to them.

    The bands of neighbouring levels overlap, so that a node at a limit keeps to one level.
    """

    temp_k: float
    energy_j: float


NO_BAND = Band(0.0, 0.0)


class PlanGuard:
    """One `allow` a second.

    Args:
        pass_reserve: what contacts ahead need as well; the link may use it, work may not.
        hold_s: work is judged as if it went on for so long, for levels that are not to chatter.
    """

    def __init__(
        self, model: NodeModel, reserve: Reserve, ceiling: HeatCeiling,
        pass_reserve: Reserve | None = None, hold_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._model = model
        self._reserve, self._ceiling = reserve, ceiling
        self._pass_reserve = pass_reserve
        self._hold_s = hold_s
        self._ahead = HeatAhead(model)
        self._coast = HeatCoast(model)
        self._limits: list[float] = []
        self._close_k = [CLOSE_K + still_coming_k(model, i) for i in range(len(model.nodes))]

    def allow(  # noqa: PLR0913  what one second depends on
        self, *, now_s: float, energy_j: float, array_w: float, temp_k: Sequence[float],
        outside_w: Sequence[float], base_w: float, work_w: float, work_heat_w: Sequence[float],
        link: float, band: Band | None = None, extra_w: Sequence[float] | None = None,
    ) -> Allowed:  # fmt: skip
        """What may be of this work (watts and heat above idle) and of this link share.

        `outside_w` is all heat but the payload's and the link's; `extra_w` is heat that came as a
        surprise: it counts for the minutes after, or for as long as the work is held. With a
        reading that is no number nothing may be: what is not seen cannot be kept inside its limits.
        """
        if not all(map(isfinite, (energy_j, array_w, *temp_k))):
            return Allowed(0.0, 0.0, GuardReason.SENSOR, 0)
        inside = NO_BAND if band is None else band
        margin_k = TEMP_MARGIN_K + inside.temp_k
        self._limits = [
            min(node.limit_k, ceiling) - margin_k
            for node, ceiling in zip(self._model.nodes, self._ceiling.at(now_s + 1.0), strict=True)
        ]
        surprise_w = (0.0,) * len(outside_w) if extra_w is None else extra_w
        now_w = [q + more for q, more in zip(outside_w, surprise_w, strict=True)]
        after_w = outside_w if self._hold_s > 0.0 else now_w
        link, heat_link, node = self._heat_link(temp_k, now_w, after_w, link)
        work, heat_work, work_node = self._heat_work(temp_k, now_w, after_w, work_heat_w, link)
        reason = GuardReason.NODE if heat_link or heat_work else GuardReason.NONE
        node = work_node if heat_work else node
        fixed_w = base_w + self._model.idle_w - array_w
        kept_j = self._reserve.at(now_s + 1.0)
        room_j = energy_j - kept_j - inside.energy_j
        change_w = self._model.battery.change_w
        scarce = self._scarce(kept_j)
        if link > 0.0 and room_j + change_w(-(fixed_w + link * self._model.link_w)) < 0.0:
            link, reason = 0.0, scarce
        fixed_w += link * self._model.link_w
        if self._pass_reserve is not None and work > 0.0:
            if room_j + change_w(-(fixed_w + work * work_w)) >= 0.0:
                scarce = GuardReason.PASS
            room_j += min(0.0, kept_j - self._pass_reserve.at(now_s + 1.0))
        if work > 0.0 and room_j + change_w(-(fixed_w + work * work_w)) < 0.0:
            work, reason = self._fit(room_j, fixed_w, work * work_w) * work, scarce
        return Allowed(work, link, reason, node)

    def _scarce(self, kept_j: float) -> GuardReason:
        """Whether a shadow ahead is what energy is kept for, or the floor alone."""
        floor_j = self._model.battery.energy_floor_j + FLOOR_ALONE_J
        return GuardReason.RESERVE if kept_j > floor_j else GuardReason.FLOOR

    def _heat_link(
        self, temp_k: Sequence[float], now_w: Sequence[float], after_w: Sequence[float],
        link: float,
    ) -> tuple[float, bool, int]:  # fmt: skip
        if link <= 0.0 or not any(self._model.link_heat_w):
            return link, False, 0
        lit_w = [q + link * h for q, h in zip(now_w, self._model.link_heat_w, strict=True)]
        dark = self._peaks_k(temp_k, now_w, after_w)
        share, node = self._share(dark, self._peaks_k(temp_k, lit_w, after_w))
        return link * share, share < 1.0, node

    def _heat_work(
        self, temp_k: Sequence[float], now_w: Sequence[float], after_w: Sequence[float],
        work_heat_w: Sequence[float], link: float,
    ) -> tuple[float, bool, int]:  # fmt: skip
        if not any(work_heat_w):
            return 1.0, False, 0
        base_w = [q + link * h for q, h in zip(now_w, self._model.link_heat_w, strict=True)]
        all_w = [q + h for q, h in zip(base_w, work_heat_w, strict=True)]
        hot = self._peaks_k(temp_k, all_w, after_w)
        if all(t <= limit for t, limit in zip(hot, self._limits, strict=True)):
            return 1.0, False, 0
        share, node = self._share(self._peaks_k(temp_k, base_w, after_w), hot)
        return share, True, node

    def _peaks_k(
        self, temp_k: Sequence[float], heat_w: Sequence[float], after_w: Sequence[float]
    ) -> list[float]:
        """The highest temperatures of a second with this heat and of the minutes without it."""
        ahead = self._ahead.after_second(temp_k, heat_w)
        if self._hold_s > 0.0:
            return self._coast.peaks_k(ahead, after_w, heat_w, self._hold_s)
        calm = zip(ahead, self._limits, self._close_k, strict=True)
        if all(t < limit - close for t, limit, close in calm):
            return ahead
        return self._coast.peaks_k(ahead, after_w)

    def _share(self, without: Sequence[float], with_all: Sequence[float]) -> tuple[float, int]:
        """Largest share of a change that keeps every node under its limit, and who binds."""
        share, node = 1.0, 0
        for i, (a, b, limit) in enumerate(zip(without, with_all, self._limits, strict=True)):
            if b > limit:
                room = (limit - a) / (b - a) if b > a else 0.0
                if room < share:
                    share, node = max(0.0, room), i
        return share, node

    def _fit(self, room_j: float, fixed_w: float, work_w: float) -> float:
        """Share of the work's power that leaves the reserve whole, by bisection."""
        low, high = 0.0, 1.0
        change_w = self._model.battery.change_w
        for _ in range(12):
            middle = 0.5 * (low + high)
            if room_j + change_w(-(fixed_w + middle * work_w)) < 0.0:
                high = middle
            else:
                low = middle
        return low
