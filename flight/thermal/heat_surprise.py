"""What the model did not foresee: heat that makes a node rise faster, and readings that cannot be.

A node without a radiator gets its heat from its neighbours and its load alone. What it takes up
beyond that, smoothed, is heat the guard has to reckon with at once (rate of rise); what it takes up
less while there is a load cannot be: such a thermometer is stuck or off its place.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.thermal.node_model import NodeModel

SMOOTHING = 0.06
"""Share of a second in the running means: readings are rounded to a tenth of a kelvin or worse."""
KNOWN_W = 4.0
"""Less heat than this is rounding and the model's own error."""
DOUBT_SHARE, LOAD_LEAST_W = 0.45, 5.0
"""A node that misses more than this share of the load's heat is not believed."""
FALL_K = 6.0
"""No node falls so far in a second beyond what the model says."""
DOUBT_S = 300
"""So long a thermometer is not believed again; each second of doubt begins it anew."""


class HeatSurprise:
    """One `update` a second."""

    def __init__(self, model: NodeModel) -> None:
        self._capacity = [node.capacity_j_k for node in model.nodes]
        self._inside = [node.radiance_w_k4 <= 0.0 for node in model.nodes]
        self._missed_w = [0.0] * len(model.nodes)
        self._doubt_s = [0] * len(model.nodes)
        self._load_w = 0.0
        self._foreseen_k: list[float] | None = None
        self._heat_w = 0.0

    @property
    def extra_w(self) -> list[float]:
        """Heat beyond the model's by node; 0 where it is no more than its error."""
        return [missed if missed > KNOWN_W else 0.0 for missed in self._missed_w]

    def believed(self, temp_k: Sequence[float]) -> list[float]:
        """The readings, NaN where a thermometer is in doubt."""
        doubted = zip(temp_k, self._doubt_s, strict=True)
        return [float("nan") if doubt else t for t, doubt in doubted]

    def foresee(self, temp_k: Sequence[float], load_heat_w: float) -> None:
        """Where the model puts the nodes at the next update, under this heat of the load."""
        self._foreseen_k, self._heat_w = list(temp_k), load_heat_w

    def update(self, temp_k: Sequence[float]) -> None:
        """Compares a second's readings with what was foreseen for them."""
        self._doubt_s = [max(0, left - 1) for left in self._doubt_s]
        foreseen, self._foreseen_k = self._foreseen_k, None
        if foreseen is None or not all(map(isfinite, (*temp_k, *foreseen))):
            return
        self._load_w += SMOOTHING * (self._heat_w - self._load_w)
        for i, inside in enumerate(self._inside):
            if not inside:
                continue
            missed_k = temp_k[i] - foreseen[i]
            self._missed_w[i] += SMOOTHING * (missed_k * self._capacity[i] - self._missed_w[i])
            cold_w = DOUBT_SHARE * max(self._load_w, LOAD_LEAST_W)
            if self._missed_w[i] < -cold_w or missed_k < -FALL_K:
                self._doubt_s[i], self._missed_w[i] = DOUBT_S, 0.0
