import pytest
from scipy.integrate import solve_ivp

from flight.thermal.horizon import Forecast, Series
from flight.thermal.plan_reserve import ENERGY_MARGIN_J, FREE_K, HEAT_DOUBT, HeatCeiling, Reserve
from flight.thermal.plant_learner import Learned
from hil.score.day_families import make_day
from hil.score.dve_case import node_model

MODEL = node_model(make_day("hot_eol", 1, 3600))
LEARNED = Learned(1.0, MODEL.base_w, [0.0] * 3, 1.0)
HOT_FROM_S, HOT_W = 1500.0, 70.0
COLD = Series([(0.0, 0.0)])
WARM = Series([(0.0, 20.0), (HOT_FROM_S, 20.0), (HOT_FROM_S + 1.0, HOT_W), (3000.0, HOT_W)])


def known(radiator_w=COLD):
    sun = [(0.0, 1.0), (1000.0, 1.0), (1001.0, 0.0), (2000.0, 0.0), (2001.0, 1.0)]
    return Forecast(
        end_s=3000.0, sun=Series(sun), array_w=60.0, heat_w=(COLD, COLD, radiator_w), windows=(),
        arrivals_fps=(),
    )  # fmt: skip


def reserve(learned=LEARNED):
    found = Reserve(MODEL, known())
    found.renew(0.0, learned)
    return found


def ceiling(radiator_w, learned=LEARNED):
    found = HeatCeiling(MODEL, known(radiator_w))
    found.renew(0.0, learned)
    return found


def test_the_reserve_carries_idle_and_base_through_the_shadow_to_the_floor():
    load_w = MODEL.base_w + MODEL.idle_w
    need_j = load_w / MODEL.battery.discharge_efficiency * 1000.0
    floor_j = MODEL.battery.energy_floor_j + ENERGY_MARGIN_J
    assert reserve().at(1000.0) == pytest.approx(floor_j + need_j, rel=0.01)
    assert reserve().at(2005.0) == pytest.approx(floor_j, abs=load_w * 5.0)
    assert reserve().at(0.0) < reserve().at(1000.0)  # the light before it still charges


def test_a_weaker_array_or_a_greater_load_asks_for_more_reserve():
    base = reserve().at(500.0)
    assert reserve(learned=Learned(0.6, MODEL.base_w, [0.0] * 3, 1.0)).at(500.0) > base
    assert reserve(learned=Learned(1.0, MODEL.base_w + 5.0, [0.0] * 3, 1.0)).at(500.0) > base


def test_without_heat_to_come_the_ceiling_is_the_limit_itself():
    assert ceiling(COLD).at(100.0) == [FREE_K, FREE_K, MODEL.nodes[2].limit_k]


def test_before_a_hot_arc_the_radiator_must_be_cooler_and_then_just_meets_its_limit():
    radiator = MODEL.nodes[2]
    found = ceiling(WARM)
    doubt = 1.0 + HEAT_DOUBT
    fixed_w = sum(MODEL.idle_heat_w) + doubt * MODEL.base_heat_w[2]

    def idling(t_s, t):
        return (
            fixed_w + doubt * WARM.at(t_s) - radiator.radiance_w_k4 * t**4
        ) / radiator.capacity_j_k

    for start_s in (0.0, 900.0, HOT_FROM_S):
        start_k = found.at(start_s)[2]
        assert start_k < radiator.limit_k
        course = solve_ivp(idling, (start_s, 3000.0), [start_k], max_step=10.0)
        assert course.y.max() == pytest.approx(radiator.limit_k, abs=0.3)


def test_a_radiator_that_radiates_less_than_foreseen_has_a_lower_ceiling():
    worse = Learned(1.0, MODEL.base_w, [0.0, 0.0, 6.0], 1.0)
    assert ceiling(WARM, worse).at(0.0)[2] < ceiling(WARM).at(0.0)[2]
