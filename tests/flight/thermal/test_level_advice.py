from dataclasses import replace

import pytest
from node_of_trials import COOL, PROFILE, RICH, TOP, WORK, Sky, Trial

from flight.telemetry.definitions import ThrottleReason as R
from flight.thermal.level_advice import HOLD_S, LevelAdvice
from flight.thermal.plan_guard import GuardReason
from flight.thermal.plan_solver_native import Prices, SlotPlan

FREE = Prices(joule=0.0, link_mbit=0.0, heat_j=0.0, second=0.0)
POOR = replace(RICH, soc=0.62, array_w=24.0)
KEEPS_UP = 3
"""The least level that computes a frame before the next one comes."""


def advice(work=WORK):
    return LevelAdvice(PROFILE, work)


def reason_of(prices, level, fps=WORK.frames_per_s, spared_for=GuardReason.RESERVE):
    return advice().reason(prices, level, fps, spared_for)


def slot(*work):
    return SlotPlan(0.0, 60.0, work, 1.0)


def levels(trial, power=RICH, minutes=30, work=WORK):
    """A plan a minute, followed, with the state held."""
    advising, found = advice(work), []
    for minute in range(minutes):
        now_s = 60.0 * minute
        plan = trial.planned(now_s, COOL, power)
        found.append(advising.level(plan.slot_at(now_s), work.frames_per_s, now_s))
    return found


def test_with_energy_and_coolness_to_spare_all_frames_are_computed():
    assert set(levels(Trial())) <= {KEEPS_UP, TOP}


def test_more_frames_than_can_be_computed_are_no_reason_to_rest():
    flood = replace(WORK, frames_per_s=3.0)
    assert set(levels(Trial(work=flood), minutes=12, work=flood)) == {TOP}


def test_scarce_energy_lets_some_minutes_have_no_work_and_others_all():
    found = levels(Trial(Sky(shadow=0.35)), POOR)
    assert 0 in found
    assert max(found) > 0


def test_shares_of_less_than_a_minute_add_up_to_minutes():
    advising, half = advice(), 0.5 * WORK.frames_per_s / (1000.0 / (1024 * 2.6))
    found = [
        advising.level(slot((TOP - 1, 0, half)), WORK.frames_per_s, 60.0 * i) for i in range(20)
    ]
    assert sorted(set(found)) == [0, TOP]
    assert found.count(TOP) == 10


def test_a_level_holds_for_a_minute_and_a_clock_set_back_asks_anew():
    advising, little = advice(), slot((TOP - 1, 0, 0.3))
    first = advising.level(little, WORK.frames_per_s, 100.0)
    assert advising.level(little, WORK.frames_per_s, 99.0 + HOLD_S) == first
    again = [advising.level(little, WORK.frames_per_s, t) for t in (100.0 + HOLD_S, 40.0, 10.0)]
    assert {first, *again} == {0, TOP}


@pytest.mark.parametrize(
    ("work", "fps"), [((), 0.25), (((3, 0, 1.0),), 0.0), (((3, 1, 1.0),), 1.0)]
)
def test_a_slot_without_work_on_frames_or_frames_without_a_rate_is_no_work(work, fps):
    assert advice().level(slot(*work), fps, 0.0) == 0


@pytest.mark.parametrize(
    ("dear", "reason"),
    [
        ({"joule": 0.02, "heat_j": 0.01}, R.ECLIPSE_RESERVE),
        ({"joule": 0.01, "heat_j": 0.02}, R.RADIATOR),
        ({"joule": 0.001, "link_mbit": 0.9}, R.QUEUE_FULL),
        ({}, R.ECLIPSE_RESERVE),
    ],
)
def test_frames_that_are_left_have_one_reason_and_it_is_what_costs_most(dear, reason):
    assert reason_of(replace(FREE, **dear), 0) is reason


@pytest.mark.parametrize(
    ("spared_for", "reason"),
    [
        (GuardReason.PASS, R.PASS_RESERVE),
        (GuardReason.RESERVE, R.ECLIPSE_RESERVE),
        (GuardReason.FLOOR, R.BATTERY_FLOOR),
    ],
)
def test_scarce_energy_is_called_by_what_it_is_kept_for(spared_for, reason):
    assert reason_of(replace(FREE, joule=1.0), 0, spared_for=spared_for) is reason


def test_a_level_that_keeps_up_with_the_camera_is_not_throttled():
    dear = replace(FREE, joule=1.0)
    assert reason_of(dear, KEEPS_UP) is R.NONE
    assert reason_of(dear, KEEPS_UP - 1) is R.ECLIPSE_RESERVE
    assert reason_of(dear, TOP, 9.0) is R.NONE


def test_the_same_minutes_give_the_same_levels():
    assert levels(Trial(Sky(0.3)), POOR) == levels(Trial(Sky(0.3)), POOR)
