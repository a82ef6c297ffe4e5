"""The thermal network as the judge of a day steps it: classical Runge-Kutta 4, a second a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flight.thermal.node_model import NodeModel


class HeatTruth:
    """C dT/dt = heat + conduction - emissivity x area x sigma x T^4, heat held over the second."""

    def __init__(self, model: NodeModel) -> None:
        self._edges = model.conductances
        self._capacity = [node.capacity_j_k for node in model.nodes]
        self._radiance = [node.radiance_w_k4 for node in model.nodes]

    def rate_k_s(
        self, temp_k: Sequence[float], heat_w: Sequence[float], emissivity: Sequence[float]
    ) -> list[float]:
        """Kelvin a second; `emissivity` over the model's, by node."""
        flow = [
            heat - share * radiance * (t * t) * (t * t)
            for heat, share, radiance, t in zip(
                heat_w, emissivity, self._radiance, temp_k, strict=True
            )
        ]
        for a, b, w_k in self._edges:
            passed = w_k * (temp_k[b] - temp_k[a])
            flow[a] += passed
            flow[b] -= passed
        return [w / c for w, c in zip(flow, self._capacity, strict=True)]

    def after_second(
        self, temp_k: Sequence[float], heat_w: Sequence[float], emissivity: Sequence[float]
    ) -> list[float]:
        """Temperatures a second later."""
        k1 = self.rate_k_s(temp_k, heat_w, emissivity)
        k2 = self.rate_k_s(_moved(temp_k, k1, 0.5), heat_w, emissivity)
        k3 = self.rate_k_s(_moved(temp_k, k2, 0.5), heat_w, emissivity)
        k4 = self.rate_k_s(_moved(temp_k, k3, 1.0), heat_w, emissivity)
        return [
            t + (a + 2.0 * b + 2.0 * c + d) / 6.0
            for t, a, b, c, d in zip(temp_k, k1, k2, k3, k4, strict=True)
        ]


def _moved(temp_k: Sequence[float], rate: Sequence[float], dt_s: float) -> list[float]:
    return [t + dt_s * r for t, r in zip(temp_k, rate, strict=True)]
