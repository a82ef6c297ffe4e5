from dataclasses import replace

import pytest
from node_of_trials import CALM, DIE_C, PROFILE, RICH, SINK_C, TOP, WORK, S, Sky, Trial

from flight.telemetry.definitions import ThrottleReason as R
from flight.thermal.level_advice import WAITING_LEVEL, LevelAdvice
from flight.thermal.level_guard import LevelGuard
from flight.thermal.plan_desk import NO_PLAN
from flight.thermal.plan_governor import PlanGovernor
from flight.thermal.plan_keeper import STALE_S

POOR = replace(RICH, soc=0.62, array_w=24.0)


class Flown:
    """Cycle and planner as the node runs them, with readings that are told."""

    def __init__(self, sky=None, planning=True):
        self.trial, self.planning = Trial(sky), planning
        self.guard = LevelGuard(PROFILE, self.trial.node)
        self.governor = PlanGovernor(
            self.guard, self.trial.node, self.trial.desk, LevelAdvice(PROFILE, WORK)
        )

    def second(self, now_s, inputs=CALM):
        inputs = replace(inputs, utc_s=now_s)
        decision = self.governor.decide(inputs, DIE_C, SINK_C, round(now_s * S))
        if self.planning and self.trial.desk.due(now_s + 0.5):
            self.trial.desk.plan(now_s + 0.5)
        return decision

    def minutes(self, count, inputs=CALM, step_s=10, start_s=100):
        return [self.second(float(t), inputs) for t in range(start_s, start_s + 60 * count, step_s)]


def test_without_a_plan_the_guard_decides_alone_and_telemetry_says_so():
    flown, alone = Flown(planning=False), Flown(planning=False)
    for t in range(100, 160):
        told = flown.second(float(t), replace(CALM, power=POOR))
        guard = alone.guard.decide(replace(CALM, power=POOR, utc_s=float(t)), DIE_C, SINK_C, t * S)
        assert told == guard
    assert flown.trial.told("plan.level") == NO_PLAN


def test_a_planner_that_ends_leaves_the_guard_to_itself_after_its_last_slots():
    flown = Flown(Sky(0.35))
    flown.minutes(2, replace(CALM, power=POOR))
    assert flown.trial.told("plan.level") >= 0.0
    flown.planning = False
    end_s = flown.trial.desk.keeper.plan.slots[-1].end_s
    assert end_s > 100.0 + STALE_S
    decision = flown.second(end_s + 1.0, CALM)
    assert flown.trial.told("plan.level") == NO_PLAN
    assert decision.level == TOP


def test_the_plan_never_lifts_what_the_guard_holds_down():
    flown = Flown()
    flown.minutes(1)
    decision = flown.second(161.0, replace(CALM, fault=True))
    assert (decision.level, decision.reason) == (0, R.FAULT)


def test_with_energy_scarce_some_minutes_rest_and_each_says_why():
    flown = Flown(Sky(0.35))
    told = flown.minutes(30, replace(CALM, power=POOR))
    resting = [each for each in told if each.level < 3]
    assert resting
    assert len(resting) < len(told)
    assert {each.reason for each in resting} == {R.ECLIPSE_RESERVE}


def test_a_second_is_throttled_for_one_reason_or_for_none():
    """Levels 3 and 4 compute every frame in time; whoever flies less has something to say."""
    for power in (RICH, POOR, replace(POOR, soc=0.58)):
        for decision in Flown(Sky(0.35)).minutes(20, replace(CALM, power=power)):
            assert (decision.reason is R.NONE) == (decision.level >= 3)


def test_while_no_frames_are_expected_the_payload_waits_awake_and_is_not_throttled():
    flown = Flown(Sky(day=0.5))
    start_s = round(0.6 * Sky.period_s)
    decision = flown.minutes(2, start_s=start_s)[-1]
    assert (decision.level, decision.reason) == (WAITING_LEVEL, R.NONE)


def test_while_none_come_before_the_slot_ends_the_payload_is_not_throttled_for_those_after():
    flown = Flown(Sky(day=0.5))
    start_s = round(Sky.period_s) - 90
    told = flown.minutes(1, start_s=start_s, step_s=1)
    assert {(each.level, each.reason) for each in told[1:20]} == {(WAITING_LEVEL, R.NONE)}
    assert R.ECLIPSE_RESERVE not in {each.reason for each in told}


@pytest.mark.parametrize("utc_known", [True, False])
def test_without_the_time_there_is_a_plan_for_the_longest_shadow(utc_known):
    flown = Flown()
    for t in range(100, 200, 10):
        inputs = CALM if utc_known else replace(CALM, utc_s=None)
        decision = flown.governor.decide(inputs, DIE_C, SINK_C, t * S)
        if flown.trial.desk.due(t + 0.5):
            flown.trial.desk.plan(t + 0.5)
    assert decision.level >= (3 if utc_known else 0)
    assert flown.trial.told("plan.level") >= 0.0
