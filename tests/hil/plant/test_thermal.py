"""The thermal kernel against an implicit solver, closed forms and its own order."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from hil.plant.constants import STEFAN_BOLTZMANN_W_M2K4 as SIGMA
from hil.plant.thermal import LinkConfig, NodeConfig, ThermalNet

THREE = ThermalNet(
    (NodeConfig(55.0), NodeConfig(380.0), NodeConfig(3000.0, 0.25, 0.88)),
    (LinkConfig(0, 1, 4.0), LinkConfig(1, 2, 4.0)),
)
"""Reference network: die, sink, radiator of 0.25 m2, emissivity 0.88."""


def reference(
    net: ThermalNet, start_k: list[float], heat: Callable[[float], list[float]], edges: list[float]
) -> np.ndarray:
    """Tight Radau between the edges of the heat profile."""
    temp = np.array(start_k)
    for low, high in itertools.pairwise(edges):
        q = np.array(heat(low))

        def slope(_: float, t: np.ndarray, q: np.ndarray = q) -> np.ndarray:
            flow = q.copy()
            for k, node in enumerate(net.nodes):
                flow[k] -= SIGMA * node.emissivity * node.area_m2 * t[k] ** 4
            for link in net.links:
                w = link.conductance_w_k * (t[link.a] - t[link.b])
                flow[link.a] -= w
                flow[link.b] += w
            return flow / np.array([node.capacity_j_k for node in net.nodes])

        temp = solve_ivp(slope, (low, high), temp, method="Radau", rtol=1e-11, atol=1e-11).y[:, -1]
    return temp


def duty(t_s: float) -> list[float]:
    return [30.0 if int(t_s // 60) % 3 < 2 else 4.0, 0.0, 60.0 if t_s < 1200 else 20.0]


def run(net: ThermalNet, start_k: list[float], dt_s: float, end_s: float) -> tuple[float, ...]:
    temp = tuple(start_k)
    for k in range(round(end_s / dt_s)):
        temp = net.step(temp, duty(k * dt_s), dt_s).temp_k
    return temp


def test_one_second_steps_follow_a_tight_implicit_solver() -> None:
    start = [300.0, 298.0, 290.0]
    tight = reference(THREE, start, duty, [60.0 * k for k in range(41)])
    assert max(abs(np.array(run(THREE, start, 1.0, 2400.0)) - tight)) < 1e-4


def test_halving_the_step_divides_the_error_by_sixteen() -> None:
    start = [330.0, 298.0, 290.0]
    tight = reference(THREE, start, duty, [0.0, 60.0])
    errors = [max(abs(np.array(run(THREE, start, dt, 60.0)) - tight)) for dt in (4.0, 2.0, 1.0)]
    for coarse, fine in itertools.pairwise(errors):
        assert math.log2(coarse / fine) == pytest.approx(4.0, abs=0.35)


def test_the_steady_radiator_is_the_closed_form() -> None:
    # 30 W through die and sink, 60 W absorbed: (90 / (0.88 x 0.25 x sigma)) ^ 1/4.
    temp = (290.0, 290.0, 290.0)
    for _ in range(40):
        temp = THREE.step(temp, (30.0, 0.0, 60.0), 1.0, 2000).temp_k
    closed_k = (90.0 / (0.88 * 0.25 * SIGMA)) ** 0.25
    assert closed_k == pytest.approx(291.44, abs=0.02)
    assert temp == pytest.approx((closed_k + 15.0, closed_k + 7.5, closed_k), abs=1e-6)


def test_two_nodes_relax_by_their_eigenvalue() -> None:
    net = ThermalNet((NodeConfig(100.0), NodeConfig(300.0)), (LinkConfig(0, 1, 2.0),))
    temp = net.step((310.0, 290.0), (0.0, 0.0), 0.1, 500).temp_k
    mean_k = (100.0 * 310.0 + 300.0 * 290.0) / 400.0
    gap_k = 20.0 * math.exp(-2.0 * (1 / 100.0 + 1 / 300.0) * 50.0)
    assert temp == pytest.approx((mean_k + 0.75 * gap_k, mean_k - 0.25 * gap_k), abs=1e-9)


def test_heat_in_less_heat_radiated_is_heat_stored() -> None:
    temp, heat_j, radiated_j, stored_j = (300.0, 298.0, 290.0), 0.0, 0.0, 0.0
    for k in range(6000):
        q = duty(float(k))
        step = THREE.step(temp, q, 1.0)
        heat_j += sum(q)
        radiated_j += step.radiated_j
        stored_j += THREE.stored_j(temp, step.temp_k)
        temp = step.temp_k
    assert abs(heat_j - radiated_j - stored_j) <= 1e-9 * heat_j


def test_a_worn_radiator_settles_where_its_emissivity_says() -> None:
    worn = THREE.with_emissivity_scale(2, 0.5)
    balance = brentq(lambda t: 90.0 - 0.44 * 0.25 * SIGMA * t**4, 200.0, 500.0)
    temp = (290.0, 290.0, 290.0)
    for _ in range(60):
        temp = worn.step(temp, (30.0, 0.0, 60.0), 1.0, 2000).temp_k
    assert temp[2] == pytest.approx(balance, abs=1e-5)


def test_a_step_changes_nothing_but_its_result() -> None:
    start = (300.0, 298.0, 290.0)
    assert THREE.step(start, (30.0, 0.0, 0.0), 1.0) == THREE.step(start, (30.0, 0.0, 0.0), 1.0)
    batch = THREE.step(start, (30.0, 0.0, 0.0), 1.0, 10)
    single = start
    for _ in range(10):
        single = THREE.step(single, (30.0, 0.0, 0.0), 1.0).temp_k
    assert batch.temp_k == single


def test_a_network_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="fit the kernel"):
        ThermalNet([NodeConfig(1.0)] * 9, ())
    with pytest.raises(ValueError, match="not there"):
        ThermalNet((NodeConfig(1.0), NodeConfig(1.0)), (LinkConfig(0, 2, 1.0),))
    with pytest.raises(ValueError, match="thermal node"):
        NodeConfig(0.0)
    with pytest.raises(ValueError, match="thermal link"):
        LinkConfig(1, 1, 1.0)
    with pytest.raises(ValueError, match="refused"):
        THREE.step((300.0, 300.0, 300.0), (0.0, 0.0, 0.0), 0.0)
