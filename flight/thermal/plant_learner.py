"""What differs from the forecast in flight: array, loads, outside heat, speed. Learned, bounded.

Every estimate is a first-order filter of a balance over a second or some minutes; what a balance
cannot see (a full battery, a sensor that is gone) leaves it as it is. A degraded array or
radiator thus shows within minutes, in telemetry as well as in the next plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.thermal.node_model import NodeModel

FAST_SHARE, RATE_SHARE, HEAT_SHARE = 0.05, 0.02, 0.35
"""Weight of a second's power balance, of a second's jobs, and of a span's heat balance."""
SCALE_MIN, SCALE_MAX = 0.05, 1.5
HEAT_W_MAX = 200.0
SUN_LEAST = 0.2
"""Less light than this says nothing about the array."""
HEAT_SPAN_S = 180
"""Temperatures are rounded: one balance over minutes says more than many over a second."""


@dataclass(slots=True)
class Learned:
    """Present estimates.

    Attributes:
        array_scale: array output over what was forecast.
        base_w: all loads that are neither payload nor link.
        heat_w: heat from outside beyond the forecast, by heat node (what the radiator does not get
            rid of counts here, too).
        rate_scale: speed of the payload over its profile's.
    """

    array_scale: float
    base_w: float
    heat_w: list[float]
    rate_scale: float


@dataclass(slots=True)
class _Span:
    """A heat balance under way."""

    start_k: list[float]
    predicted_k: list[float] = field(default_factory=list)
    seconds: int = 0


class PlantLearner:
    """Compares each second with what was foreseen for it."""

    def __init__(self, model: NodeModel) -> None:
        self._model = model
        self.learned = Learned(1.0, model.base_w, [0.0] * len(model.nodes), 1.0)
        self._energy_j: float | None = None
        self._load_w = 0.0
        self._array_w = 0.0
        self._span: _Span | None = None

    def power(self, energy_j: float, array_w: float, forecast_w: float, full_w: float) -> None:
        """A second's readings; `forecast_w` is what the array should give, `full_w` in full sun."""
        if not (isfinite(energy_j) and isfinite(array_w)):
            self._energy_j = None
            return
        learned, battery = self.learned, self._model.battery
        if forecast_w > SUN_LEAST * full_w:
            scale = min(max(array_w / forecast_w, SCALE_MIN), SCALE_MAX)
            learned.array_scale += FAST_SHARE * (scale - learned.array_scale)
        if self._energy_j is not None:
            changed_j = energy_j - self._energy_j
            most_j = battery.charge_w_max * battery.charge_efficiency
            if changed_j < 0.999 * most_j and energy_j < 0.999 * battery.energy_max_j:
                efficiency = battery.charge_efficiency
                net_w = changed_j / efficiency if changed_j >= 0.0 else (
                    changed_j * battery.discharge_efficiency
                )  # fmt: skip
                base_w = self._array_w - net_w - self._load_w
                base_w = min(max(base_w, 0.0), 10.0 * self._model.base_w + 1.0)
                learned.base_w += FAST_SHARE * (base_w - learned.base_w)
        self._energy_j, self._array_w = energy_j, array_w

    def acted(self, load_w: float) -> None:
        """Payload and link power of the second that begins now."""
        self._load_w = load_w

    def heat(self, temp_k: Sequence[float], ahead_k: Sequence[float]) -> None:
        """Temperatures now, and where the model alone puts them a second later."""
        if not all(map(isfinite, (*temp_k, *ahead_k))):
            self._span = None
            return
        span = self._span
        if span is None:
            self._span = _Span(list(temp_k), [0.0] * len(temp_k))
            span = self._span
        for i, (now, ahead) in enumerate(zip(temp_k, ahead_k, strict=True)):
            span.predicted_k[i] += ahead - now
        span.seconds += 1
        if span.seconds < HEAT_SPAN_S:
            return
        for i, node in enumerate(self._model.nodes):
            if node.radiance_w_k4 <= 0.0:
                continue
            missed_k = temp_k[i] - span.start_k[i] - span.predicted_k[i]
            missed_w = missed_k * node.capacity_j_k / span.seconds
            known = self.learned.heat_w[i]
            self.learned.heat_w[i] = min(
                max(known + HEAT_SHARE * missed_w, -HEAT_W_MAX), HEAT_W_MAX
            )
        self._span = None

    def speed(self, done_frames: float, expected_frames: float) -> None:
        """Frames a second's work made, against the profile's rate for it."""
        if expected_frames > 0.0 and isfinite(done_frames):
            scale = min(max(done_frames / expected_frames, SCALE_MIN), SCALE_MAX)
            self.learned.rate_scale += RATE_SHARE * (scale - self.learned.rate_scale)
