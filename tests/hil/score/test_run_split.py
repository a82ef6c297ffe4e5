"""The gap of a run by what it would take to close it: flights of its day that know ever more."""

import pytest

from hil.score.day_families import make_day
from hil.score.day_truth import day_truth
from hil.score.flown_day import FlownDay
from hil.score.kept_limits import Kept
from hil.score.run_split import ALIKE, alike, replayed, ruled, split
from hil.score.value_bound import value_bound

DAY = make_day("cloudy_link", 7, 3600)
KEPT = Kept({"die": 60.0, "radiator": 40.0}, 50.0)


def test_causes_add_up_to_the_gap_and_no_flight_computes_above_a_target():
    bound = value_bound(DAY, kept=KEPT)
    worth = sum(
        sum(DAY["truth"]["arrivals"][c["name"]]) * max(c["value"].values()) for c in DAY["classes"]
    )
    found = split(FlownDay(DAY, 100.0, 5.0, worth), KEPT, 105.0, bound + 5.0)
    assert found.above_s == 0
    assert sum(found.causes.values()) == pytest.approx(bound + 5.0 - 105.0)


def test_pictures_of_one_kind_come_as_often_and_are_worth_as_much_in_sum():
    day = alike(DAY, KEPT)
    arrivals, kinds = day_truth(DAY).arrivals, DAY["classes"]
    assert (day_truth(day).arrivals[:, 0] == arrivals.sum(axis=1)).all()
    for variant in DAY["compute"]["variants"]:
        told = sum(
            n * kind["value"][variant] for n, kind in zip(arrivals.sum(0), kinds, strict=True)
        )
        assert arrivals.sum() * day["classes"][0]["value"][variant] == pytest.approx(told)
    assert day["classes"][0]["name"] == ALIKE
    assert day["classes"][0]["frames_max"] == 50


def test_rules_become_limits_and_never_looser_ones():
    nodes = {node["name"]: node["max_k"] for node in DAY["thermal"]["nodes"]}
    found = {node["name"]: node["max_k"] for node in ruled(DAY, KEPT)["thermal"]["nodes"]}
    assert found["die"] == min(nodes["die"], 333.15)
    assert ruled(DAY, Kept({"die": 900.0})) == DAY


def test_seconds_with_work_above_a_target_are_counted():
    warm = Kept({"radiator": -200.0})
    assert replayed(DAY, warm).above_s > 0
