from dataclasses import replace
from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from node_of_trials import COOL, NOTHING_MADE, PERIOD_S, RICH, Sky, Trial, passes

from flight.thermal.plan_desk import NO_PLAN, Stock, density, frame_bits
from flight.thermal.plan_keeper import STALE_S, PlanStanding
from flight.thermal.plan_model import FRAME_VALUE

SOME = Stock(
    frames=100,
    made_bytes=1e6,
    made_value=100.0,
    waiting_bytes=5e5,
    waiting_value=50.0,
)
EACH_ORBIT = [PERIOD_S * i + 2000.0 for i in range(40)]


def test_no_plan_is_due_before_there_is_an_estimate_to_start_from():
    trial = Trial()
    assert not trial.desk.due(0.0)
    trial.look(0.0, replace(COOL, die_c=nan))
    assert not trial.desk.due(0.0)
    assert trial.desk.plan(0.0) is None
    trial.look(1.0)
    assert trial.desk.due(1.0)


def test_a_plan_is_due_once_a_minute_and_at_once_when_a_limit_has_moved():
    trial = Trial()
    trial.planned(1.0)
    assert not trial.desk.due(30.0)
    assert trial.desk.due(61.0)
    trial.planned(61.0)
    trial.look(62.0, power=replace(RICH, soc_floor=0.6))
    assert trial.desk.slot(62.0) is None  # of limits that are no more
    assert trial.desk.due(62.0)


def test_link_has_a_price_when_more_waits_than_contacts_carry():
    contacts = passes(*EACH_ORBIT, bps=4e5)
    little = Trial(contacts=contacts, stock=replace(SOME, waiting_bytes=0.0, waiting_value=0.0))
    much = Trial(contacts=contacts, stock=replace(SOME, waiting_bytes=3e9, waiting_value=3e5))
    assert little.planned(1.0).prices.link_mbit < 1e-2
    assert much.planned(1.0).prices.link_mbit == pytest.approx(1.0, rel=0.05)


def test_the_link_s_price_is_told_in_frames_a_megabyte():
    contacts = passes(*EACH_ORBIT, bps=2e5)
    trial = Trial(contacts=contacts, stock=replace(SOME, waiting_bytes=3e9, waiting_value=3e5))
    plan = trial.planned(1.0)
    trial.desk.tell(2.0, 3)
    frames_a_megabyte = 1e6 / (SOME.made_bytes / SOME.frames)
    assert trial.told("plan.price_link") == pytest.approx(plan.prices.link_mbit * frames_a_megabyte)
    # At the margin a megabyte of link carries that many more frames' results, as they are waiting.
    assert trial.told("plan.price_link") == pytest.approx(frames_a_megabyte, rel=0.05)


def test_prices_are_told_in_frames_and_the_plan_s_age_with_them():
    trial = Trial(Sky(0.35))
    plan = trial.planned(1.0, power=replace(RICH, soc=0.62, array_w=24.0))
    trial.desk.tell(31.0, 2)
    assert trial.told("plan.level") == 2.0
    assert trial.told("plan.price_energy") == pytest.approx(1e3 * plan.prices.joule / 10.0)
    assert trial.told("plan.price_energy") > 0.0
    assert trial.told("plan.price_heat") == pytest.approx(1e3 * plan.prices.heat_j / 10.0)
    assert trial.told("plan.price_time") == pytest.approx(plan.prices.second / 10.0)
    assert trial.told("plan.age_s") == 30.0
    assert trial.told("plan.standing") == PlanStanding.FRESH
    trial.desk.tell(1.0 + STALE_S, 2)
    assert trial.told("plan.standing") == PlanStanding.STALE


def test_without_a_plan_telemetry_says_so():
    trial = Trial()
    trial.planned(1.0)
    trial.desk.tell(2.0, None)
    assert trial.told("plan.level") == NO_PLAN
    assert trial.told("plan.standing") == PlanStanding.NONE
    assert trial.told("plan.price_link") == 0.0


def test_what_a_frame_s_results_weigh_is_learned_from_what_was_made():
    assert frame_bits(NOTHING_MADE) > 0.0
    assert frame_bits(SOME) == pytest.approx(8e4)


def test_what_waits_is_worth_what_it_is_over_what_is_made():
    assert density(SOME) == pytest.approx(1.0)
    assert density(replace(SOME, waiting_value=5.0)) == pytest.approx(0.1)
    assert density(NOTHING_MADE) == 1.0
    assert density(replace(SOME, waiting_value=0.0)) > 0.0


def test_what_was_learned_of_the_node_goes_into_the_next_plan():
    trial = Trial(Sky(0.35))
    poor = replace(RICH, soc=0.62, array_w=30.0)
    before = trial.planned(1.0, power=poor).prices.joule
    after = trial.planned(61.0, power=replace(poor, base_w=16.0)).prices.joule
    assert after > before


@given(
    st.builds(
        Stock, frames=st.integers(0, 10**6), made_bytes=st.floats(0.0, 1e11),
        made_value=st.floats(0.0, 1e6), waiting_bytes=st.floats(0.0, 1e11),
        waiting_value=st.floats(0.0, 1e6),
    ),
    st.floats(1e3, 1e10),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_whatever_waits_and_whatever_contacts_carry_there_is_a_plan(stock, bps):
    trial = Trial(Sky(0.3, 0.5), passes(1000.0, 8000.0, 40_000.0, bps=bps), stock=stock)
    assert trial.planned(1.0) is not None


def test_beyond_a_limit_no_price_is_told_above_what_a_joule_can_earn():
    trial = Trial(Sky(0.35))
    empty = replace(RICH, soc=0.5, array_w=5.0)
    plan = trial.planned(1.0, power=empty)
    trial.desk.tell(1.0, 0)
    most = trial.node.plant.model.end_price_per_j
    assert plan.bought_j > 0.0
    assert plan.prices.joule > most
    assert trial.told("plan.price_energy") == pytest.approx(1e3 * most / FRAME_VALUE)
