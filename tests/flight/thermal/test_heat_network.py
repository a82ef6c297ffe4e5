from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from flight.thermal.heat_network import HeatAhead, HeatCoast, inverse, reduce_network
from flight.thermal.node_model import HeatNode
from hil.score.day_families import make_day
from hil.score.dve_case import node_model

MODEL = node_model(make_day("hot_eol", 1, 3600))
HEAT_W = [17.5, 7.5, 40.0]


def with_nodes(model, capacities, conductances, radiance=None):
    nodes = tuple(
        HeatNode(f"n{i}", c, 350.0, 0.0 if radiance is None else radiance[i])
        for i, c in enumerate(capacities)
    )
    return replace(model, nodes=nodes, conductances=conductances)


def rate(model):
    """dT/dt of the network, written down a second time."""
    count = len(model.nodes)
    g = np.zeros((count, count))
    for a, b, w_k in model.conductances:
        g[[a, b], [b, a]] += w_k
    capacity = np.array([node.capacity_j_k for node in model.nodes])
    radiance = np.array([node.radiance_w_k4 for node in model.nodes])

    def derivative(_, t, heat_w):
        return (heat_w + g @ t - g.sum(axis=1) * t - radiance * t**4) / capacity

    return derivative


def integrated(model, start_k, heat_w, seconds):
    answer = solve_ivp(
        rate(model), (0.0, seconds), start_k, args=(np.array(heat_w),), method="LSODA",
        rtol=1e-9, atol=1e-9, dense_output=True,
    )  # fmt: skip
    return answer.sol


def test_one_second_ahead_agrees_with_an_integrator_of_higher_order():
    start_k = [340.0, 330.0, 325.0]
    exact = integrated(MODEL, start_k, HEAT_W, 1.0)(1.0)
    assert np.allclose(HeatAhead(MODEL).after_second(start_k, HEAT_W), exact, atol=0.05)


@pytest.mark.parametrize("capacity", [4.0, 12.0, 60.0])
def test_warming_is_foreseen_as_the_matrix_exponential_has_it_or_a_little_early(capacity):
    model = with_nodes(MODEL, (capacity, 200.0), ((0, 1, 3.0),))
    flow = np.array([[-3.0, 3.0], [3.0, -3.0]]) / np.array([[capacity], [200.0]])
    whole = np.zeros((3, 3))
    whole[:2, :2], whole[:2, 2] = flow, [10.0 / capacity, 0.0]
    temp_k = [310.0, 310.0]
    ahead = HeatAhead(model)
    for second in range(1, 61):
        temp_k = ahead.after_second(temp_k, [10.0, 0.0])
        die_k, sink_k, _ = expm(whole * second) @ [310.0, 310.0, 1.0]
        assert -1e-6 <= temp_k[0] - die_k <= 0.4
        assert temp_k[1] == pytest.approx(sink_k, abs=0.02)


@settings(deadline=None, max_examples=40)
@given(
    capacities=st.tuples(st.floats(0.5, 40.0), st.floats(20.0, 600.0), st.floats(500.0, 6000.0)),
    w_k=st.tuples(st.floats(0.5, 8.0), st.floats(0.5, 8.0)),
)
def test_explicit_steps_are_short_enough_for_any_network(capacities, w_k):
    model = with_nodes(MODEL, capacities, ((0, 1, w_k[0]), (1, 2, w_k[1])))
    ahead, temp_k = HeatAhead(model), [390.0, 310.0, 300.0]
    for _ in range(30):
        temp_k = ahead.after_second(temp_k, [0.0, 0.0, 0.0])
        assert min(temp_k) >= 300.0 - 1e-9
        assert max(temp_k) <= 390.0 + 1e-9


@settings(deadline=None, max_examples=25)
@given(
    under_k=st.tuples(st.floats(0.1, 5.0), st.floats(0.1, 5.0), st.floats(0.1, 5.0)),
    outside_w=st.floats(20.0, 45.0),
)
def test_the_coast_foresees_what_heat_on_its_way_still_does(under_k, outside_w):
    start_k = [node.limit_k - k for node, k in zip(MODEL.nodes, under_k, strict=True)]
    heat_w = [1.5, 1.5, outside_w]
    course = integrated(MODEL, start_k, heat_w, 180.0)(np.linspace(0.0, 180.0, 361))
    foreseen = HeatCoast(MODEL).peaks_k(start_k, heat_w)
    for peak_k, seen_k in zip(foreseen, course.max(axis=1), strict=True):
        assert seen_k - 0.1 <= peak_k <= seen_k + 0.6


def test_the_planner_carries_the_radiator_and_takes_die_and_sink_as_settled():
    network = reduce_network(MODEL)
    assert (network.slow, network.fast) == ((2,), (0, 1))
    start_k = [350.0, 340.0, 320.0]
    settled = integrated(MODEL, start_k, HEAT_W, 4000.0)(4000.0)
    rise_k = network.fast_rise_k(HEAT_W)
    for k, node in enumerate(network.fast):
        share = network.fast_from_slow[k][0]
        assert share == pytest.approx(1.0)  # nothing else is near them
        assert share * settled[2] + rise_k[k] == pytest.approx(settled[node], abs=0.2)
    assert network.slow_heat_w(HEAT_W) == [pytest.approx(sum(HEAT_W))]


def test_a_network_of_small_nodes_alone_still_has_a_state():
    model = with_nodes(MODEL, (5.0, 9.0), ((0, 1, 3.0),))
    assert reduce_network(model).slow == (1,)


@given(st.lists(st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3), min_size=3, max_size=3))
def test_an_inverse_undoes_its_matrix(rows):
    matrix = np.array(rows) + 4.0 * np.eye(3)
    assert np.allclose(inverse(matrix.tolist()) @ matrix, np.eye(3), atol=1e-9)


def test_a_singular_matrix_has_no_inverse():
    with pytest.raises(ZeroDivisionError):
        inverse([[1.0, 1.0], [1.0, 1.0]])
