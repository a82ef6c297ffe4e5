"""What must be kept back for later: energy for the shadows ahead, coolness for the heat ahead.

Both are computed backwards over what is known of the orbit, for a node that does nothing but idle
from a moment on: the least energy, and the highest temperature of each radiating node, from which
it then comes through without passing a limit (the viability kernels of battery and radiator). They
need no plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.thermal.horizon import Forecast
    from flight.thermal.node_model import NodeModel
    from flight.thermal.plant_learner import Learned

ENERGY_MARGIN_J = 100.0
ENERGY_STEP_S, HEAT_STEP_S = 5.0, 30.0
AHEAD_S = 4.0 * 3600.0
"""Two orbits: what lies beyond can still be charged for, or cooled for."""
HEAT_DOUBT = 0.15
"""Share by which heat from outside and from the base loads may jump before it is learned."""
FREE_K = 1e4
"""No ceiling: the node gives its heat to others."""


class Reserve:
    """The least energy for each moment from which all shadows ahead are survived.

    With `contacts` the laser is lit in each of them, whatever the sky.
    """

    def __init__(
        self, model: NodeModel, forecast: Forecast, *, contacts: bool = False,
        step_s: float = ENERGY_STEP_S,
    ) -> None:  # fmt: skip
        self._model = model
        self.forecast = forecast
        self._contacts = contacts
        self._step_s = step_s
        self._start_s = 0.0
        self._least_j: list[float] = []

    def renew(self, now_s: float, learned: Learned) -> None:
        """Computes it anew from `now_s` on with what has been learned."""
        battery, forecast, step_s = self._model.battery, self.forecast, self._step_s
        steps = _steps(now_s, forecast.end_s, step_s)
        load_w = learned.base_w + self._model.idle_w
        full_w = forecast.array_w * learned.array_scale
        net_w = [full_w * sun - load_w for sun in forecast.sun.means(now_s, step_s, steps)]
        if self._contacts:
            self._light(net_w, now_s)
        least = [0.0] * (steps + 1)
        for i in range(steps - 1, -1, -1):
            need_j = least[i + 1] - battery.change_w(net_w[i]) * step_s
            least[i] = max(0.0, need_j)
        self._start_s = now_s
        kept_j = battery.energy_floor_j + ENERGY_MARGIN_J
        self._least_j = [kept_j + each for each in least]

    def _light(self, net_w: list[float], now_s: float) -> None:
        """Takes the laser's power off in every step that a contact touches."""
        for window in self.forecast.windows:
            first = max(0, int((window.start_s - now_s) / self._step_s))
            after = int((window.end_s - now_s) / self._step_s) + 1
            for i in range(first, min(after, len(net_w))):
                net_w[i] -= self._model.link_w

    def at(self, t_s: float) -> float:
        """The reserve at a time; the higher of the two steps around it."""
        i = _place(t_s - self._start_s, self._step_s, len(self._least_j))
        return max(self._least_j[i], self._least_j[min(i + 1, len(self._least_j) - 1)])


class HeatCeiling:
    """The highest temperature for each moment and radiating node from which idling stays inside.

    The node's own capacity alone counts: with what hangs on it, it would warm more slowly.
    """

    def __init__(self, model: NodeModel, forecast: Forecast) -> None:
        self._model = model
        self.forecast = forecast
        self._start_s = 0.0
        self._most_k: list[list[float]] = []

    def renew(self, now_s: float, learned: Learned) -> None:
        """Computes it anew from `now_s` on with what has been learned."""
        steps = _steps(now_s, self.forecast.end_s, HEAT_STEP_S)
        idle_w = sum(self._model.idle_heat_w)
        self._start_s = now_s
        self._most_k = []
        for i, node in enumerate(self._model.nodes):
            if node.radiance_w_k4 <= 0.0:
                self._most_k.append([FREE_K] * (steps + 1))
                continue
            series = self.forecast.heat_w[i]
            doubt = 1.0 + HEAT_DOUBT
            fixed_w = learned.heat_w[i] + idle_w + doubt * self._model.base_heat_w[i]
            most = [node.limit_k] * (steps + 1)
            for k in range(steps - 1, -1, -1):
                heat_w = fixed_w + doubt * series.at(now_s + (k + 0.5) * HEAT_STEP_S)
                flow_w = heat_w - node.radiance_w_k4 * most[k + 1] ** 4
                gain_k = flow_w * HEAT_STEP_S / node.capacity_j_k
                most[k] = min(node.limit_k, most[k + 1] - gain_k)
            self._most_k.append(most)

    def at(self, t_s: float) -> list[float]:
        """The ceilings at a time, by heat node; the lower of the two steps around it."""
        count = len(self._most_k[0])
        i = _place(t_s - self._start_s, HEAT_STEP_S, count)
        j = min(i + 1, count - 1)
        return [min(most[i], most[j]) for most in self._most_k]


def _steps(now_s: float, end_s: float, step_s: float) -> int:
    return int(min(AHEAD_S, max(end_s - now_s, step_s)) / step_s)


def _place(passed_s: float, step_s: float, count: int) -> int:
    return min(max(int(passed_s / step_s), 0), count - 1)
