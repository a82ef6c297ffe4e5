from dataclasses import replace
from math import isnan

import pytest
from governor_walks import FEW, decisions, walks
from hypothesis import given
from node_of_trials import (
    CALM,
    COOL,
    DIE_C,
    PROFILE,
    RICH,
    SHADE,
    SINK_C,
    TOP,
    S,
    Sky,
    Trial,
    passes,
)

from flight.telemetry.definitions import ThrottleReason as R
from flight.thermal.guarded_plant import GuardedPlant
from flight.thermal.level_guard import LINK_DWELL_NS, LevelGuard, reason_of
from flight.thermal.plan_guard import Allowed, GuardReason


def guard(sky=None, contacts=None, **kwargs):
    trial = Trial(sky, contacts, **kwargs)
    return LevelGuard(PROFILE, trial.node)


def decided(inputs=CALM, guarding=None, now_s=100, die_c=DIE_C):
    return (guarding or guard()).decide(inputs, die_c, SINK_C, round(now_s * S))


@FEW
@given(walks)
def test_without_a_die_or_sink_that_can_be_stood_in_for_the_payload_is_off(steps):
    for seen, _, _, decision in decisions(guard(Sky(0.35), passes(3000.0)), steps):
        if isnan(seen.thermal.die_c) or seen.power is None:
            assert decision.level == 0


def test_what_flies_is_the_guard_that_the_score_flies():
    trial = Trial()
    decided(guarding=LevelGuard(PROFILE, trial.node))
    assert type(trial.node.plant) is GuardedPlant


def test_with_energy_and_coolness_to_spare_it_is_full_power():
    assert decided().level == TOP


@pytest.mark.parametrize(
    ("thermal", "reason"),
    [
        ({"die_c": 76.0, "sink_c": 62.5, "radiator_c": 40.0}, R.DIE),
        ({"die_c": 68.0, "sink_c": 67.8, "radiator_c": 40.0}, R.SINK),
        ({"die_c": 60.0, "sink_c": 60.0, "radiator_c": 59.9}, R.RADIATOR),
    ],
)
def test_the_part_that_is_hot_is_named(thermal, reason):
    decision = decided(replace(CALM, thermal=replace(COOL, **thermal)))
    assert decision.level < TOP
    assert decision.reason is reason


def test_in_the_shadow_it_is_the_reserve_and_far_from_one_the_floor():
    sky = Sky(shadow=0.35)
    at_s = 0.66 * sky.period_s
    poor = replace(RICH, soc=0.63, array_w=40.0, phase=SHADE)
    dark = decided(replace(CALM, power=poor, utc_s=at_s), guard(sky), at_s)
    assert (dark.level < TOP, dark.reason) == (True, R.ECLIPSE_RESERVE)
    low = replace(RICH, soc=0.5701, array_w=14.0)
    lit = decided(replace(CALM, power=low))
    assert (lit.level < TOP, lit.reason) == (True, R.BATTERY_FLOOR)


def test_what_a_contact_ahead_needs_is_left_to_it():
    power = replace(RICH, soc=0.6, array_w=13.0)
    alone = decided(replace(CALM, power=power))
    before = decided(replace(CALM, power=power), guard(contacts=passes(300.0)))
    assert before.level < alone.level
    assert before.reason is R.PASS_RESERVE


def test_a_laser_that_energy_does_not_bear_stays_dark_for_its_dwell():
    guarding = guard(contacts=passes(0.0, lasts_s=3000.0))
    low = replace(RICH, soc=0.57002, array_w=14.0)
    contact = replace(CALM, contact=True)
    assert not decided(replace(contact, power=low), guarding, 100).link
    assert not decided(contact, guarding, 101).link
    assert decided(contact, guarding, 101 + LINK_DWELL_NS // S).link


def test_a_level_is_taken_up_only_with_a_band_to_spare_and_kept_without():
    close = replace(CALM, thermal=replace(COOL, die_c=70.0, sink_c=66.9, radiator_c=30.0))
    fresh = decided(close)
    kept = guard()
    kept.level = TOP
    assert fresh.level <= decided(close, kept).level


def test_a_level_that_a_second_allows_and_a_minute_does_not_is_not_begun():
    hot = replace(CALM, thermal=replace(COOL, die_c=76.0, sink_c=62.5, radiator_c=40.0))
    trial = Trial()
    decision = decided(hot, LevelGuard(PROFILE, trial.node))
    by_the_second = GuardedPlant(trial.node.plant.model, trial.node.plant.forecast)
    seen, top = by_the_second.sensed(trial.node.seen), trial.node.load(TOP, link=False)
    assert by_the_second.allow(seen, top).work == 1.0
    assert (decision.level < TOP, decision.reason) == (True, R.DIE)


@pytest.mark.parametrize(
    ("allowed", "reason"),
    [
        (Allowed(0.5, 1.0, GuardReason.NODE, 0), R.DIE),
        (Allowed(0.5, 1.0, GuardReason.NODE, 1), R.SINK),
        (Allowed(0.5, 1.0, GuardReason.NODE, 7), R.RADIATOR),
        (Allowed(0.5, 1.0, GuardReason.RESERVE, 0), R.ECLIPSE_RESERVE),
        (Allowed(0.5, 1.0, GuardReason.PASS, 0), R.PASS_RESERVE),
        (Allowed(0.5, 1.0, GuardReason.FLOOR, 0), R.BATTERY_FLOOR),
        (Allowed(0.0, 0.0, GuardReason.SENSOR, 0), R.FAULT),
        (Allowed(1.0, 1.0, GuardReason.NONE, 0), R.NONE),
    ],
)
def test_each_of_the_guard_s_reasons_has_a_word_in_telemetry(allowed, reason):
    assert reason_of(allowed) is reason
