"""The monotone curve against SciPy's own interpolator."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.interpolate import PchipInterpolator

from hil.plant.ocv_curve import NMC_OCV_V, NMC_SOC, MonotoneCurve

CURVE = MonotoneCurve(NMC_SOC, NMC_OCV_V)
ORACLE = PchipInterpolator(NMC_SOC, NMC_OCV_V)


def test_the_curve_is_scipys_pchip() -> None:
    for x in np.linspace(0.0, 1.0, 401):
        assert CURVE.value(float(x)) == pytest.approx(float(ORACLE(x)), abs=1e-12)


def test_its_integral_and_mean_are_exact() -> None:
    for low, high in ((0.0, 1.0), (0.13, 0.62), (0.5, 0.500001), (0.9, 0.2)):
        area = float(ORACLE.integrate(low, high))
        assert CURVE.integral(high) - CURVE.integral(low) == pytest.approx(area, abs=1e-12)
        assert CURVE.mean(low, high) == pytest.approx(area / (high - low), abs=1e-9)
    assert CURVE.mean(0.4, 0.4) == CURVE.value(0.4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 2.0), st.floats(0.0, 3.0)), min_size=2, max_size=12))
def test_any_rising_table_gives_a_rising_curve_equal_to_scipys(
    steps: list[tuple[float, float]],
) -> None:
    x, y = [0.0], [1.0]
    for dx, dy in steps:
        x.append(x[-1] + dx)
        y.append(y[-1] + dy)
    curve, oracle = MonotoneCurve(x, y), PchipInterpolator(x, y)
    grid = np.linspace(0.0, x[-1], 60)
    values = [curve.value(float(each)) for each in grid]
    assert values == pytest.approx([float(each) for each in oracle(grid)], abs=1e-9)
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(values))
    area, _ = quad(curve.value, 0.0, x[-1], points=x[1:-1], limit=200)
    assert curve.integral(x[-1]) == pytest.approx(area, rel=1e-8)


def test_the_ends_hold_outside_the_table() -> None:
    assert (CURVE.value(-0.1), CURVE.value(1.1)) == (3.0, 4.2)


def test_a_table_that_is_no_function_is_refused() -> None:
    with pytest.raises(ValueError, match="rising"):
        MonotoneCurve((0.0, 0.0, 1.0), (1.0, 2.0, 3.0))
    with pytest.raises(ValueError, match="three points"):
        MonotoneCurve((0.0, 1.0), (1.0, 2.0))
