"""The plan against the best set there is, and its promises."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from flight.downlink.arrival_forecast import Expected
from flight.downlink.product import log2_steps
from flight.downlink.send_horizon import Horizon, Stretch
from flight.downlink.send_plan import Candidate, PlanConfig, Tier, make_plan

S = 1_000_000_000
MB = 1_000_000
TRUSTING = PlanConfig(present_permille=1000, future_permille=1000)


def horizon(*carries, spread=0.3, present=0):
    stretches = tuple(
        Stretch(1000 * S * index, (1000 * index + 100) * S, float(each))
        for index, each in enumerate(carries)
    )
    return Horizon(0, present, spread, stretches)


def candidate(size, value, deadline_s=None):
    key = log2_steps(value) - log2_steps(size)
    return Candidate(key, size, None if deadline_s is None else deadline_s * S, value)


def tiers(candidates, ahead, expected=(), config=TRUSTING):
    return list(make_plan(candidates, ahead, expected, config)[0].tiers)


def test_the_patient_make_room_for_what_cannot_wait():
    patient = candidate(80 * MB, 80_000)
    urgent = candidate(80 * MB, 70_000, deadline_s=500)
    sure = horizon(100 * MB, 100 * MB, spread=0.01)
    found = make_plan([patient, urgent], sure, (), TRUSTING)[1]
    assert [tier for tier, _ in found] == [Tier.PLANNED, Tier.PLANNED]
    assert found[1] < found[0]


def test_the_densest_get_the_room_when_it_is_short():
    found = tiers([candidate(80, 400), candidate(80, 800), candidate(80, 100)], horizon(100))
    assert found == [Tier.OUTBID, Tier.PLANNED, Tier.OUTBID]


def test_what_no_yield_can_finish_is_hopeless():
    found = tiers([candidate(200, 10**9, deadline_s=200), candidate(50, 1)], horizon(100, 100))
    assert found == [Tier.HOPELESS, Tier.PLANNED]


def test_a_gamble_is_taken_for_value_and_not_against_a_sure_thing_of_equal_worth():
    """110 of 100 bytes expected: a third of a chance, while the sure product fits."""
    dear, fair = candidate(110, 11_000, 200), candidate(110, 120, 200)
    sure = candidate(90, 90, 200)
    assert tiers([dear, sure], horizon(100)) == [Tier.PLANNED, Tier.OUTBID]
    assert tiers([fair, sure], horizon(100)) == [Tier.OUTBID, Tier.PLANNED]
    steady = horizon(100, spread=0.03)
    assert tiers([dear, sure], steady) == [Tier.HOPELESS, Tier.PLANNED]


def test_room_is_kept_for_what_will_be_made():
    patient, urgent = candidate(90, 900), candidate(90, 450, deadline_s=500)
    coming = [Expected(log2_steps(10_000) - log2_steps(90), 0.09, 5000 * S)]
    assert tiers([patient, urgent], horizon(100, 100)) == [Tier.PLANNED, Tier.PLANNED]
    assert tiers([patient, urgent], horizon(100, 100), coming) == [Tier.PLANNED, Tier.OUTBID]


def test_an_order_by_deadlines_is_flown_where_the_line_is_sure_and_by_density_where_it_is_not():
    """The day they are put off to may fail: how far that counts is settled by trial."""
    dense, dull = candidate(80, 10_000), candidate(80, 1_000, deadline_s=500)
    sure, cloudy = horizon(100, 100, spread=0.01), horizon(100, 100)
    failing = msgspec.structs.replace(
        cloudy, courses=((100.0, 100.0), (90.0, 0.0), (90.0, 0.0), (85.0, 0.0))
    )
    config = PlanConfig(1000, 1000, density_weights=(0.0,))
    first = lambda ahead: make_plan([dense, dull], ahead, (), config)[1]
    assert first(sure)[1] < first(sure)[0]
    assert first(failing)[0] < first(failing)[1]


def test_of_orders_worth_the_same_the_one_nearest_to_density_is_flown():
    plan, _ = make_plan([candidate(10, 50), candidate(10, 60)], horizon(100, 100), (), TRUSTING)
    assert plan.weight is None


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.integers(1, 2000), st.sampled_from([50, 150, 1080, 2080])),
        min_size=1,
        max_size=25,
    ),
    st.lists(st.integers(0, 200), min_size=3, max_size=3),
)
def test_the_planned_set_fits_and_is_nearly_the_best_there_is(rows, carries):
    """Against the linear programme: what is lost is at most what did not fit whole.

    With a yield that is all but certain, where nothing is a gamble: those fit with luck only.
    """
    ahead = horizon(*carries, spread=0.001)
    candidates = [candidate(size, value, deadline) for size, value, deadline in rows]
    chosen = [tier is Tier.PLANNED for tier in tiers(candidates, ahead)]
    ends = [sum(1 for each in (50, 1050, 2050) if each < deadline) for *_, deadline in rows]
    for last in range(1, 4):
        due = sum(r[0] for r, e, c in zip(rows, ends, chosen, strict=True) if c and e <= last)
        assert due <= sum(carries[:last]) / 0.98 + 1e-6
    solved = linprog(
        [-value / size for size, value, _ in rows],
        A_ub=[[float(end <= last) for end in ends] for last in range(1, 4)],
        b_ub=[sum(carries[:last]) for last in range(1, 4)],
        bounds=[(0, size if end else 0) for (size, *_), end in zip(rows, ends, strict=True)],
        method="highs",
    )
    got = sum(value for (_, value, _), c in zip(rows, chosen, strict=True) if c)
    largest = sorted((value for _, value, _ in rows), reverse=True)[:3]
    assert got >= -solved.fun * 0.95 - sum(largest) - 1e-6


def test_a_plan_without_contacts_plans_nothing():
    plan, _ = make_plan([candidate(1, 1)], Horizon(0, 0, 0.3, ()), (), TRUSTING)
    assert plan.tiers == [Tier.HOPELESS]
    plan.weight = 0.7
    assert plan.rank(candidate(1, 1))[0] == Tier.HOPELESS


@pytest.mark.parametrize("key_above", [True, False])
def test_a_newcomer_is_judged_by_the_price_of_the_line(key_above):
    plan, _ = make_plan([candidate(80, 800), candidate(90, 90)], horizon(100), (), TRUSTING)
    plan.weight = 0.7
    newcomer = candidate(10, 200 if key_above else 10)
    assert plan.rank(newcomer)[0] == (Tier.PLANNED if key_above else Tier.OUTBID)
