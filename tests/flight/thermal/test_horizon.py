from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.thermal.horizon import LEAST_S, SLOTS_MAX, Forecast, LinkWindow, Series, slot_edges

knots = st.lists(
    st.tuples(st.floats(0.1, 500.0), st.floats(-50.0, 50.0)), min_size=1, max_size=8
).map(lambda steps: [(sum(s for s, _ in steps[: i + 1]), x) for i, (_, x) in enumerate(steps)])


@given(knots, st.floats(-500.0, 5000.0))
def test_a_series_is_linear_between_knots_and_constant_outside(points, t):
    times, values = zip(*points, strict=True)
    assert Series(points).at(t) == pytest.approx(float(np.interp(t, times, values)), abs=1e-6)


@given(knots, st.floats(-500.0, 4000.0), st.floats(1.0, 2000.0))
def test_a_mean_is_the_area_over_the_span(points, start, length):
    series = Series(points)
    edges = sorted({start, start + length, *[t for t, _ in points if start < t < start + length]})
    area = sum(0.5 * (series.at(a) + series.at(b)) * (b - a) for a, b in pairwise(edges))
    assert series.mean(start, start + length) == pytest.approx(area / length, abs=1e-6)


def test_a_shadow_is_crossed_where_half_the_light_is_gone():
    series = Series([(0.0, 1.0), (100.0, 1.0), (120.0, 0.0), (900.0, 0.0), (920.0, 1.0)])
    assert series.crossings(0.5) == [pytest.approx(110.0), pytest.approx(910.0)]


@pytest.mark.parametrize("points", [[], [(1.0, 0.0), (1.0, 1.0)], [(2.0, 0.0), (1.0, 1.0)]])
def test_knots_that_do_not_rise_are_refused(points):
    with pytest.raises(ValueError, match="rise"):
        Series(points)


@given(
    now=st.floats(0.0, 80_000.0),
    left=st.floats(1.0, 86_400.0),
    events=st.lists(st.floats(0.0, 160_000.0), max_size=80).map(sorted),
)
def test_slots_cover_the_horizon_from_now_to_the_end_in_bounded_number(now, left, events):
    edges = slot_edges(now, now + left, events)
    assert edges[0] == now
    assert 1 <= len(edges) - 1 <= SLOTS_MAX + 1
    assert all(b > a for a, b in pairwise(edges))
    if len(edges) - 1 < SLOTS_MAX:
        assert edges[-1] == now + left


def test_no_slot_straddles_the_edge_of_a_shadow_or_a_contact():
    events = [1000.0, 2200.0, 2300.0, 9000.0]
    edges = slot_edges(0.0, 20_000.0, events)
    assert set(events) <= set(edges)
    assert min(b - a for a, b in pairwise(edges)) >= LEAST_S


def test_edges_of_a_forecast_are_those_of_shadows_and_contacts_before_its_end():
    forecast = Forecast(
        end_s=5000.0,
        sun=Series([(0.0, 1.0), (1000.0, 1.0), (1020.0, 0.0), (6000.0, 0.0), (6020.0, 1.0)]),
        array_w=60.0,
        heat_w=(Series([(0.0, 1.0)]),),
        windows=(LinkWindow(300.0, 500.0, 1e8, 0.9), LinkWindow(4900.0, 5200.0, 1e8, 0.9)),
        arrivals_fps=(),
    )
    assert forecast.edges() == [300.0, 500.0, pytest.approx(1010.0), 4900.0]
