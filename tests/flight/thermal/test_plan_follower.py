import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.thermal.plan_follower import PlanFollower
from flight.thermal.plan_solver_native import SlotPlan
from hil.score.day_families import make_day
from hil.score.dve_case import node_model

MODEL = node_model(make_day("sunlit", 1, 3600))
FOLLOWER = PlanFollower(MODEL)
shares = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 2), st.floats(0.0, 1.0)), max_size=6
).map(
    lambda rows: tuple((m, c, share / max(1.0, sum(s for *_, s in rows))) for m, c, share in rows)
)
frames = st.lists(st.floats(-1.0, 40.0), min_size=3, max_size=3)


def used(work, speed):
    taken = [0.0, 0.0, 0.0]
    for m, c, share in work:
        taken[c] += share * MODEL.modes[m].frames_per_s[c] * speed
    return taken


@given(shares, frames, st.floats(0.2, 1.5))
def test_a_second_is_never_overfull_and_takes_no_frame_that_is_not_there(plan, free, speed):
    work = FOLLOWER.second(SlotPlan(0.0, 60.0, plan, 0.0), free, speed)
    assert sum(share for *_, share in work) <= 1.0 + 1e-9
    for taken, there in zip(used(work, speed), free, strict=True):
        assert taken <= max(0.0, there) + 1e-6


@given(shares, frames)
def test_the_plan_s_share_of_the_second_is_not_exceeded(plan, free):
    work = FOLLOWER.second(SlotPlan(0.0, 60.0, plan, 0.0), free, 1.0)
    assert sum(share for *_, share in work) <= sum(share for *_, share in plan) + 1e-9


def test_with_frames_enough_the_plan_is_done_to_the_letter():
    plan = ((7, 0, 0.25), (2, 2, 0.5))
    assert FOLLOWER.second(SlotPlan(0.0, 60.0, plan, 0.0), [99.0] * 3, 1.0) == list(plan)


def test_a_class_that_has_run_dry_gives_its_share_to_the_others():
    plan = ((8, 2, 0.5), (7, 0, 0.3))
    work = FOLLOWER.second(SlotPlan(0.0, 60.0, plan, 0.0), [99.0, 0.0, 0.0], 1.0)
    assert work == [(7, 0, pytest.approx(0.8))]


def test_without_a_plan_what_is_worth_most_a_second_is_done_at_full_power():
    work = FOLLOWER.second(None, [99.0, 99.0, 99.0], 1.0)
    best = max(
        (MODEL.classes[c].value[mode.variant] * fps, m, c)
        for m, mode in enumerate(MODEL.modes)
        for c, fps in enumerate(mode.frames_per_s)
    )
    assert work == [(best[1], best[2], 1.0)]


def test_without_frames_nothing_is_done():
    assert FOLLOWER.second(None, [0.0, 0.0, 0.0], 1.0) == []
