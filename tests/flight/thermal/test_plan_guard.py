from dataclasses import replace
from math import inf, nan

import pytest
from day_of_trials import Idle, flown, hard_day, hard_nodes
from hypothesis import HealthCheck, Phase, assume, given, settings

from flight.thermal.heat_network import HeatAhead
from flight.thermal.horizon import Forecast, Series
from flight.thermal.plan_guard import GuardReason, PlanGuard, still_coming_k
from flight.thermal.plan_reserve import HeatCeiling, Reserve
from flight.thermal.plant_learner import Learned
from hil.score.day_families import make_day
from hil.score.dve_case import node_model
from hil.score.dve_governor import DveGovernor
from hil.score.policies import GuardAlone

pytestmark = pytest.mark.slow

MODEL = node_model(make_day("hot_eol", 1, 3600))
LEARNED = Learned(1.0, MODEL.base_w, [0.0] * 3, 1.0)
DARK = Forecast(
    end_s=7200.0,
    sun=Series([(0.0, 1.0), (1000.0, 1.0), (1001.0, 0.0), (2000.0, 0.0), (2001.0, 1.0)]),
    array_w=60.0, heat_w=(Series([(0.0, 0.0)]),) * 3, windows=(), arrivals_fps=(),
)  # fmt: skip
COOL_K, WORK_HEAT_W = [310.0, 308.0, 305.0], [17.5, 7.5, 0.0]


def reserve(now_s=0.0, learned=LEARNED):
    found = Reserve(MODEL, DARK)
    found.renew(now_s, learned)
    return found


def ask(**changed):
    asked = {
        "now_s": 0.0, "energy_j": MODEL.battery.energy_max_j, "array_w": 60.0, "temp_k": COOL_K,
        "outside_w": [1.5, 1.5, 30.0], "base_w": MODEL.base_w, "work_w": 22.0,
        "work_heat_w": WORK_HEAT_W, "link": 1.0,
    }  # fmt: skip
    ceiling = HeatCeiling(MODEL, DARK)
    ceiling.renew(changed.get("now_s", 0.0), LEARNED)
    return PlanGuard(MODEL, reserve(changed.get("now_s", 0.0)), ceiling).allow(
        **{**asked, **changed}
    )


@settings(
    deadline=None, max_examples=12, suppress_health_check=list(HealthCheck), derandomize=True,
    phases=[Phase.generate],
)  # fmt: skip
@given(hard_nodes)
def test_no_node_of_any_proportions_ever_passes_a_limit_with_the_guard_alone(node):
    day = hard_day(node)
    assume(flown(day, Idle).violation_s == 0)  # what idling cannot keep nobody can
    replay = flown(day, GuardAlone)
    assert replay.violation_s == 0, (node, replay.over_temp_s, replay.below_floor_s)
    assert not replay.faults


def test_far_from_every_limit_all_is_allowed():
    allowed = ask()
    assert (allowed.work, allowed.link, allowed.reason) == (1.0, 1.0, GuardReason.NONE)


@pytest.mark.parametrize(("node", "limit"), [(0, 348.15), (1, 340.15), (2, 335.15)])
def test_at_a_limit_work_stops_and_the_node_is_named(node, limit):
    temp_k = [min(limit, each.limit_k - 0.3) for each in MODEL.nodes]
    temp_k[node] = limit
    allowed = ask(temp_k=temp_k, link=0.0)
    assert allowed.work < 0.9
    assert (allowed.reason, allowed.node) == (GuardReason.NODE, node)


def test_what_is_allowed_ends_the_second_inside_every_limit():
    temp_k = [346.9, 339.0, 334.7]
    allowed = ask(temp_k=temp_k)
    heat_w = [
        outside + allowed.work * work + allowed.link * lit
        for outside, work, lit in zip([1.5, 1.5, 30.0], WORK_HEAT_W, MODEL.link_heat_w, strict=True)
    ]
    after = HeatAhead(MODEL).after_second(temp_k, heat_w)
    assert all(t <= node.limit_k for t, node in zip(after, MODEL.nodes, strict=True))


def test_in_the_shadow_the_reserve_takes_link_and_work_away():
    kept_j = reserve(1100.0).at(1101.0)
    allowed = ask(now_s=1100.0, energy_j=kept_j + 40.0, array_w=0.0)
    assert (allowed.link, allowed.reason) == (0.0, GuardReason.RESERVE)
    assert allowed.work < 0.5
    rich = ask(now_s=1100.0, energy_j=kept_j + 5000.0, array_w=0.0)
    assert (rich.work, rich.link) == (1.0, 1.0)


@pytest.mark.parametrize(
    "lost",
    [{"energy_j": nan}, {"array_w": inf}, {"temp_k": [nan, 308.0, 305.0]},
     {"temp_k": [310.0, 308.0, nan]}],
)  # fmt: skip
def test_without_a_reading_nothing_is_allowed_and_the_sensor_is_the_reason(lost):
    allowed = ask(**lost)
    assert (allowed.work, allowed.link, allowed.reason) == (0.0, 0.0, GuardReason.SENSOR)


class Blinded(DveGovernor):
    """Loses all thermometers for some minutes, then the battery's gauge."""

    def decide(self, obs):
        if 300 <= obs.k < 500:
            obs = replace(obs, temperature_k=[nan] * 3)
        if 450 <= obs.k < 700:
            obs = replace(obs, battery_j=nan)
        return super().decide(obs)


def test_sensors_that_are_gone_for_minutes_cost_value_and_never_a_limit():
    day = make_day("burst", 8, 1800)
    replay, seeing = flown(day, Blinded), flown(day, DveGovernor)
    assert replay.violation_s == 0
    assert not replay.faults
    assert 0.0 < replay.value()[0] <= seeing.value()[0]


def test_heat_that_can_still_come_is_bounded_by_what_others_hold_and_by_the_warmest():
    assert still_coming_k(MODEL, 0) == 0.0  # the die is the warmest that may be
    assert 0.0 < still_coming_k(MODEL, 2) < 1.0
    assert still_coming_k(MODEL, 1) == pytest.approx(348.15 - 340.15)
