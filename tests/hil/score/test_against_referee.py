"""Own replay and own bound against an independent referee, where one is at hand.

LUMENODE_REFEREE names the folder with its modules (dve_case.py, dve_sim.py, dve_bound.py); without
it this file is not collected.
"""

import importlib
import json
import os
import sys

import pytest

from hil.score.case_format import check_case, public_part
from hil.score.day_families import make_day
from hil.score.day_truth import day_truth
from hil.score.dve_governor import DveGovernor
from hil.score.scored_day import fly
from hil.score.value_bound import value_bound

REFEREE = os.environ["LUMENODE_REFEREE"]
CHANGES = [
    {"t_s": 1800, "array_scale": 0.85, "base_load_scale": 1.1, "rate_scale": 0.8},
    {"t_s": 3600, "emissivity_scale": {"radiator": 0.9}, "environment_heat_scale":
     {"radiator": 1.1}},
]  # fmt: skip


@pytest.fixture(scope="module")
def referee():
    sys.path.insert(0, REFEREE)
    try:
        yield {name: importlib.import_module(name) for name in ("dve_case", "dve_sim", "dve_bound")}
    finally:
        sys.path.remove(REFEREE)


def days(referee):
    for family, changes in (("worst_eclipse", CHANGES), ("hot_eol", []), ("burst", CHANGES)):
        theirs = json.loads(json.dumps(referee["dve_case"].generate(family, 21, 5400)))
        for day in (theirs, make_day(family, 21, 5400)):
            yield {**day, "truth": {**day["truth"], "plant_changes": changes}}


def test_the_replay_agrees_to_a_millionth_second_for_second(referee):
    sim = referee["dve_sim"]
    for day in days(referee):
        check_case(day, day["name"])
        plant = sim.run(day, DveGovernor(public_part(day)))
        course = []
        replay = fly(
            day, DveGovernor(public_part(day)), day_truth(day),
            lambda _k, _wish, now, course=course: course.append(now.energy_j),
        )  # fmt: skip
        assert len(course) == day["duration_s"]
        assert replay.value() == pytest.approx(plant.net_value(), rel=1e-6)
        assert replay.energy_j == pytest.approx(plant.energy, rel=1e-6)
        assert replay.temp_k == pytest.approx(plant.temps, rel=1e-6)
        assert (replay.below_floor_s, replay.over_power_s) == (plant.soc_s, plant.power_s)
        assert replay.over_temp_s == plant.temp_s
        assert replay.violation_s == 0
        assert not plant.errors


def test_the_bound_is_that_of_the_referee(referee):
    for day in days(referee):
        theirs = referee["dve_bound"].solve(referee["dve_case"].expand(day)).upper
        assert value_bound(day) == pytest.approx(theirs, rel=1e-3)
