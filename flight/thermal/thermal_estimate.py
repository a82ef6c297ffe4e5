"""Where the heat is going: slopes of sink and radiator, and the die a moment ahead.

Three nodes with three time constants (die seconds, sink minutes, radiator the better part of an
hour): the die follows sink and power at once, so its future is the sink's future plus the step
that a new power makes across the die's resistance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

_NS = 1e-9
SLOPE_TIME_S = 20.0
"""Slopes are smoothed over this long: well under the sink's time constant."""


@dataclass(frozen=True, slots=True)
class ThermalState:
    """Temperatures as sensed (degC) and slopes (K/s); NaN where a sensor gave nothing valid.

    `payload_w` is a mean over the slopes' own time, `payload_now_w` the last second's.
    """

    die_c: float
    sink_c: float
    radiator_c: float
    sink_slope_k_s: float
    radiator_slope_k_s: float
    payload_w: float
    payload_now_w: float = float("nan")


class SlopeFilter:
    """First-order filter of a difference quotient; ignores gaps."""

    def __init__(self) -> None:
        self.slope_per_s = 0.0
        self._last: float | None = None
        self._last_ns = 0

    def update(self, value: float | None, now_ns: int) -> float:
        """Takes one sample (`None`: not valid) and returns the slope per second."""
        if value is None:
            self._last = None
            return self.slope_per_s
        if self._last is not None and now_ns > self._last_ns:
            dt_s = (now_ns - self._last_ns) * _NS
            weight = min(1.0, dt_s / SLOPE_TIME_S)
            self.slope_per_s += weight * ((value - self._last) / dt_s - self.slope_per_s)
        self._last, self._last_ns = value, now_ns
        return self.slope_per_s


class ThermalEstimator:
    """Keeps the slopes; one `update` a cycle.

    Args:
        sink_k_per_w: die above sink, for a board without a sensor on its sink: the sink is then
            taken to be as much cooler than the die as the present power makes it. `None` for a
            board that has one.
    """

    def __init__(self, sink_k_per_w: float | None = None) -> None:
        self._sink_k_per_w = sink_k_per_w
        self._sink = SlopeFilter()
        self._radiator = SlopeFilter()
        self._payload_w = float("nan")
        self._then_ns = 0

    def update(
        self,
        now_ns: int,
        die_c: float | None,
        sink_c: float | None,
        radiator_c: float | None,
        payload_w: float | None,
    ) -> ThermalState:
        """One step; `None` marks a sensor without a valid value."""
        nan = float("nan")
        mean_w = self._mean_payload_w(payload_w, now_ns)
        if sink_c is None and die_c is not None and self._sink_k_per_w is not None:
            sink_c = die_c - self._sink_k_per_w * (0.0 if isnan(mean_w) else mean_w)
        return ThermalState(
            die_c=nan if die_c is None else die_c,
            sink_c=nan if sink_c is None else sink_c,
            radiator_c=nan if radiator_c is None else radiator_c,
            sink_slope_k_s=self._sink.update(sink_c, now_ns),
            radiator_slope_k_s=self._radiator.update(radiator_c, now_ns),
            payload_w=mean_w,
            payload_now_w=nan if payload_w is None else payload_w,
        )

    def _mean_payload_w(self, payload_w: float | None, now_ns: int) -> float:
        """Payload power over the slopes' own time, so that both tell of the same past."""
        if payload_w is not None:
            dt_s = (now_ns - self._then_ns) * _NS
            weight = min(1.0, dt_s / SLOPE_TIME_S)
            before = payload_w if isnan(self._payload_w) else self._payload_w
            self._payload_w = before + weight * (payload_w - before)
        self._then_ns = now_ns
        return self._payload_w
