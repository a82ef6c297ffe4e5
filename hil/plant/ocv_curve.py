"""Open-circuit voltage of a cell over its state of charge: monotone, smooth, integrable.

Piecewise cubic Hermite with Fritsch-Carlson slopes (SIAM J. Numer. Anal. 17, 1980), the
same rule as SciPy's `PchipInterpolator`. The integral is exact, which is what lets the
battery's energy ledger close.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hil.plant._plant_native import ffi, lib

NMC_SOC = (0.0, 0.05, 0.10, 0.20, 0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 0.95, 1.0)
NMC_OCV_V = (3.00, 3.30, 3.45, 3.55, 3.60, 3.65, 3.71, 3.79, 3.88, 3.98, 4.08, 4.14, 4.20)
"""Shape of a nickel-manganese-cobalt cell at 25 C; the ends are the usual 3.0 and 4.2 V."""


def _edge_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    """One-sided three-point slope, kept from overshooting."""
    slope = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if slope * d0 <= 0.0:
        return 0.0
    if d0 * d1 <= 0.0 and abs(slope) > 3.0 * abs(d0):
        return 3.0 * d0
    return slope


def _slopes(h: Sequence[float], d: Sequence[float]) -> list[float]:
    """Fritsch-Carlson slopes at the knots, from widths and secants."""
    slopes = [_edge_slope(h[0], h[1], d[0], d[1])]
    for k in range(1, len(d)):
        if d[k - 1] * d[k] <= 0.0:
            slopes.append(0.0)
            continue
        w1, w2 = 2.0 * h[k] + h[k - 1], h[k] + 2.0 * h[k - 1]
        slopes.append((w1 + w2) / (w1 / d[k - 1] + w2 / d[k]))
    slopes.append(_edge_slope(h[-1], h[-2], d[-1], d[-2]))
    return slopes


class MonotoneCurve:
    """A monotone curve through given points; arguments are clamped to its ends."""

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        if len(x) != len(y) or len(x) < 3:
            raise ValueError("a curve needs at least three points, as many y as x")
        if len(x) > lib.PLANT_CURVE_PIECES_MAX + 1:
            raise ValueError(f"{len(x)} points do not fit the kernel")
        h = [b - a for a, b in pairwise(x)]
        if min(h) <= 0.0:
            raise ValueError("the points must be in strictly rising order")
        d = [(b - a) / w for (a, b), w in zip(pairwise(y), h, strict=True)]
        slopes = _slopes(h, d)
        self._curve = curve = ffi.new("struct plant_curve *")
        curve.piece_count = len(h)
        curve.knot[0 : len(x)] = tuple(x)
        area = 0.0
        for k, width in enumerate(h):
            c2 = (3.0 * d[k] - 2.0 * slopes[k] - slopes[k + 1]) / width
            c3 = (slopes[k] + slopes[k + 1] - 2.0 * d[k]) / (width * width)
            curve.piece[k] = (y[k], slopes[k], c2, c3, area)
            area += width * (
                y[k] + width * (slopes[k] / 2.0 + width * (c2 / 3.0 + width * c3 / 4.0))
            )

    @property
    def native(self) -> Any:
        """The `struct plant_curve`, for the kernels."""
        return self._curve[0]

    def value(self, x: float) -> float:
        """The curve at `x`."""
        return float(lib.plant_curve_value(self._curve, x))

    def integral(self, x: float) -> float:
        """Area under the curve from its first point to `x`."""
        return float(lib.plant_curve_integral(self._curve, x))

    def mean(self, x0: float, x1: float) -> float:
        """Mean of the curve between two arguments, exact; the curve itself where they meet."""
        return float(lib.plant_curve_mean(self._curve, x0, x1))
