from math import nan

import pytest

from flight.thermal.heat_network import HeatAhead
from flight.thermal.plant_learner import HEAT_SPAN_S, HEAT_W_MAX, PlantLearner
from hil.score.case_format import public_part
from hil.score.day_families import make_day
from hil.score.day_truth import day_truth
from hil.score.dve_case import node_model
from hil.score.dve_governor import DveGovernor
from hil.score.scored_day import fly

pytestmark = pytest.mark.slow

CHANGE = {
    "t_s": 1200, "array_scale": 0.8, "base_load_scale": 1.1, "rate_scale": 0.7,
    "environment_heat_scale": {"radiator": 1.25},
}  # fmt: skip


def learned_on(change):
    day = make_day("worst_eclipse", 3, 7200)
    day["truth"]["plant_changes"] = [change] if change else []
    governor = DveGovernor(public_part(day))
    replay = fly(day, governor, day_truth(day))
    return governor.learner.learned, replay


def test_on_a_plant_as_foretold_nothing_is_unlearned():
    learned, _ = learned_on(None)
    assert learned.array_scale == pytest.approx(1.0, abs=1e-3)
    assert learned.base_w == pytest.approx(28.0, abs=0.05)
    assert learned.rate_scale == pytest.approx(1.0, abs=1e-3)
    assert learned.heat_w[2] == pytest.approx(0.0, abs=1.0)


def test_a_plant_that_changed_unseen_is_known_an_orbit_later_and_no_limit_was_passed():
    learned, replay = learned_on(CHANGE)
    assert learned.array_scale == pytest.approx(0.8, abs=0.01)
    assert learned.base_w == pytest.approx(30.8, abs=0.5)
    assert learned.rate_scale == pytest.approx(0.7, abs=0.03)
    assert learned.heat_w[2] == pytest.approx(0.25 * 12.0, abs=2.0)
    assert replay.violation_s == 0


def test_a_sensor_that_lies_wildly_moves_no_estimate_out_of_its_bounds():
    model = node_model(make_day("sunlit", 1, 3600))
    learner = PlantLearner(model)
    for k in range(2000):
        learner.power(1e9 * (k % 2), 1e9, 60.0, 60.0)
        learner.speed(1e9, 1.0)
        learner.heat([1e4 * (k % 7), 300.0, 1e4 * (k % 5)], [300.0] * 3)
    learned = learner.learned
    assert 0.0 < learned.array_scale <= 1.5
    assert 0.0 <= learned.base_w <= 10.0 * model.base_w + 1.0
    assert 0.0 < learned.rate_scale <= 1.5
    assert all(abs(w) <= HEAT_W_MAX for w in learned.heat_w)


def test_a_sensor_that_is_gone_leaves_every_estimate_as_it_was():
    learner = PlantLearner(node_model(make_day("sunlit", 1, 3600)))
    for k in range(2 * HEAT_SPAN_S):
        learner.power(nan if k % 2 else 200e3, nan, 60.0, 60.0)
        learner.speed(nan, 5.0)
        learner.heat([nan, 300.0, 300.0], [300.0] * 3)
    learned = learner.learned
    assert (learned.array_scale, learned.base_w, learned.rate_scale) == (1.0, 28.0, 1.0)
    assert learned.heat_w == [0.0] * 3


def test_in_the_dark_the_array_keeps_the_estimate_it_had():
    learner = PlantLearner(node_model(make_day("sunlit", 1, 3600)))
    for _ in range(100):
        learner.power(200e3, 0.0, 1.0, 60.0)
    assert learner.learned.array_scale == 1.0


def test_heat_from_outside_is_learned_from_minutes_and_only_where_a_node_radiates():
    model = node_model(make_day("hot_eol", 1, 3600))
    learner, ahead = PlantLearner(model), HeatAhead(model)
    temp_k, told_w, true_w = [320.0, 318.0, 312.0], [1.5, 1.5, 40.0], [1.5, 1.5, 46.0]
    for _ in range(HEAT_SPAN_S * 12):
        foreseen_w = [q + extra for q, extra in zip(told_w, learner.learned.heat_w, strict=True)]
        learner.heat(temp_k, ahead.after_second(temp_k, foreseen_w))
        temp_k = ahead.after_second(temp_k, true_w)
    assert learner.learned.heat_w[:2] == [0.0, 0.0]
    assert learner.learned.heat_w[2] == pytest.approx(6.0, abs=0.5)
