from dataclasses import replace

import pytest

from flight.thermal.heat_network import reduce_network
from flight.thermal.plan_solver_native import (
    Margins,
    PlanSolver,
    PlanStart,
    SlotInput,
    on_the_spot,
)
from hil.score.day_families import make_day
from hil.score.dve_case import node_model

MODEL = node_model(make_day("hot_eol", 1, 3600))
NETWORK = reduce_network(MODEL)
START = PlanStart(
    0.9 * MODEL.battery.energy_max_j, [320.0], [900.0, 40.0, 0.0], [[0.0] * 3 for _ in range(3)]
)
RADIANCE = [MODEL.nodes[2].radiance_w_k4]


def slot(**changed):
    return SlotInput(
        **{
            "length_s": 300.0, "surplus_w": 40.0, "arrivals": [750.0, 90.0, 1.0],
            "link_bits": 0.0, "link_bps": 0.0, "worth": 1.0, "slow_heat_w": [30.0],
            "slow_limit_k": [], "fast_k": NETWORK.fast_rise_k(MODEL.idle_heat_w), **changed,
        }
    )  # fmt: skip


DAY = [slot() for _ in range(11)] + [slot(link_bits=3e10, link_bps=1e8)]
EDGES = [300.0 * i for i in range(len(DAY) + 1)]


def solved(slots=DAY, start=START, speed=1.0):
    return on_the_spot(
        PlanSolver(MODEL, NETWORK, Margins(), 16).solving(start, slots, EDGES, RADIANCE, speed)
    )


def test_work_is_told_in_order_of_its_value_a_second_and_fills_no_slot_twice():
    plan = solved()
    assert plan.accurate
    assert plan.value > 0.0
    for told in plan.slots:
        worth = [
            MODEL.classes[c].value[MODEL.modes[m].variant] * MODEL.modes[m].frames_per_s[c]
            for m, c, _ in told.work
        ]
        assert worth == sorted(worth, reverse=True)
        assert sum(share for *_, share in told.work) <= 1.0 + 1e-3


def test_a_slower_payload_earns_less_and_leaves_the_solver_as_it_was():
    solver = PlanSolver(MODEL, NETWORK, Margins(), 16)
    first = on_the_spot(solver.solving(START, DAY, EDGES, RADIANCE, 1.0))
    assert on_the_spot(solver.solving(START, DAY, EDGES, RADIANCE, 0.4)).value < first.value
    assert on_the_spot(solver.solving(START, DAY, EDGES, RADIANCE, 1.0)) == first


def test_a_ceiling_in_one_slot_costs_value_where_heat_binds():
    hot = [slot(slow_heat_w=[52.0], link_bits=bits, link_bps=1e8) for bits in [3e9] * 12]
    start = replace(START, slow_k=[330.0])
    cooler = [replace(each, slow_limit_k=[331.0]) for each in hot]
    assert solved(cooler, start).value < solved(hot, start).value


def test_more_slots_than_there_is_memory_for_and_numbers_that_are_none_give_no_plan():
    assert solved([slot()] * 17) is None
    assert solved([]) is None
    assert solved([slot(surplus_w=float("nan"))]) is None


@pytest.mark.parametrize(
    ("wide", "told"),
    [
        ({"modes": MODEL.modes * 4}, "36 modes: the planner takes up to 32"),
        ({"classes": MODEL.classes * 3}, "9 classes: the planner takes up to 6"),
        ({"end_price_per_j": 0.0}, "a battery or an end price that the planner cannot take"),
    ],
)
def test_a_node_that_the_solver_cannot_take_is_refused(wide, told):
    with pytest.raises(ValueError, match=told):
        PlanSolver(replace(MODEL, **wide), NETWORK, Margins(), 8)
