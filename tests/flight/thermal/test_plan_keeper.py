from dataclasses import replace

from flight.thermal.guarded_plant import GuardedPlant
from flight.thermal.plan_keeper import PLAN_EVERY_S, STALE_S, PlanKeeper, PlanStanding
from flight.thermal.planner import PlanState
from hil.score.day_families import make_day
from hil.score.dve_case import forecast, node_model

DAY = make_day("worst_eclipse", 3, 21_600)
MODEL, AHEAD = node_model(DAY), forecast(DAY)
STATE = PlanState(200_000.0, [312.0, 310.0, 308.0], [50.0] * 3, [[0.0] * 3] * 3)


class Spoilt:
    """A planner that gives back what it is told to."""

    def __init__(self, plan):
        self.told = plan

    def planning(self, *_):
        yield lambda: 0
        return self.told


def keeper():
    return PlanKeeper(GuardedPlant(MODEL, AHEAD))


def test_a_plan_is_due_at_once_then_every_minute_and_when_the_clock_goes_back():
    keeping = keeper()
    assert keeping.due(10.0, 0.0)
    keeping.replan(10.0, STATE)
    assert not keeping.due(10.0 + PLAN_EVERY_S - 1.0, 0.0)
    assert keeping.due(10.0 + PLAN_EVERY_S, 0.0)
    assert keeping.due(5.0, 0.0)


def test_a_contact_that_turns_out_otherwise_is_planned_for_at_once():
    window = AHEAD.windows[0]
    keeping = keeper()
    keeping.due(window.start_s - 2.0, 0.0)
    keeping.replan(window.start_s - 2.0, STATE)
    assert keeping.due(window.start_s + 1.0, 0.0)  # dark so far
    assert not keeping.due(window.start_s + 2.0, 0.0)
    assert keeping.due(window.start_s + 3.0, window.rate_bps)  # it carries after all


def test_trust_falls_by_steps_fresh_stale_none():
    keeping = keeper()
    assert keeping.standing(0.0) is PlanStanding.NONE
    keeping.replan(0.0, STATE)
    assert keeping.standing(1.0) is PlanStanding.FRESH
    assert keeping.standing(STALE_S) is PlanStanding.STALE
    assert keeping.slot(STALE_S) is not None
    end_s = keeping.plan.slots[-1].end_s
    assert keeping.standing(end_s) is PlanStanding.NONE
    assert keeping.slot(end_s) is None


def test_a_plan_that_came_to_nothing_or_is_not_accurate_leaves_the_last_one_in_force():
    keeping = keeper()
    good = keeping.replan(0.0, STATE)
    for bad in (None, replace(good, accurate=False)):
        keeping.planner = Spoilt(bad)
        assert keeping.replan(60.0, STATE) is None
        assert keeping.plan is good
    assert (keeping.plans, keeping.refused) == (3, 2)
    assert keeping.age_s(60.0) == 60.0


def test_guard_and_planner_look_ahead_together():
    keeping = keeper()
    dark = replace(AHEAD, array_w=1.0)
    keeping.look_ahead(dark)
    poor = keeping.replan(0.0, STATE)
    assert poor.value < keeper().replan(0.0, STATE).value
