from dataclasses import replace
from math import isnan, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
from flight.thermal.governor import DIE_GUARD_K
from flight.thermal.guarded_plant import GuardedPlant
from flight.thermal.level_guard import LINK_DWELL_NS, RISE_DWELL_NS, LevelGuard, reason_of
from flight.thermal.plan_guard import Allowed, GuardReason

celsius = st.one_of(st.just(nan), st.floats(-20.0, 95.0))
thermals = st.builds(
    replace, st.just(COOL), die_c=celsius, sink_c=celsius, radiator_c=st.floats(-20.0, 70.0),
    payload_now_w=st.floats(0.0, 25.0),
)  # fmt: skip
powers = st.builds(
    replace, st.just(RICH), soc=st.floats(0.3, 1.0), array_w=st.floats(0.0, 90.0),
    phase=st.sampled_from([RICH.phase, SHADE]),
)  # fmt: skip
seldom = st.sampled_from([False] * 5 + [True])
inputs = st.builds(
    replace, st.just(CALM), thermal=thermals, power=st.one_of(powers, st.none()), contact=seldom,
    payload_allowed=seldom.map(lambda x: not x), commanded_off=seldom, queue_full=seldom,
    fault=seldom, battery_low=seldom,
)  # fmt: skip
walks = st.lists(st.tuples(inputs, st.integers(1, 40)), min_size=1, max_size=8)
PROPERTY = settings(deadline=None, max_examples=40)


def guard(sky=None, contacts=None, **kwargs):
    trial = Trial(sky, contacts, **kwargs)
    return LevelGuard(PROFILE, trial.node)


def decided(inputs=CALM, guarding=None, now_s=100, die_c=DIE_C):
    return (guarding or guard()).decide(inputs, die_c, SINK_C, round(now_s * S))


def decisions(steps, die_c=DIE_C):
    guarding, now_ns = guard(Sky(0.35), passes(3000.0)), 0
    for sensed, seconds in steps:
        now_ns += seconds * S
        before = guarding.level
        seen = replace(sensed, utc_s=now_ns / S)
        yield seen, now_ns, before, guarding.decide(seen, die_c, SINK_C, now_ns)


@PROPERTY
@given(walks)
def test_every_throttle_has_exactly_one_reason_and_the_best_level_none(steps):
    for _, _, _, decision in decisions(steps):
        assert (decision.reason is R.NONE) == (decision.level == TOP)


@PROPERTY
@given(walks)
def test_steps_up_wait_out_the_dwell(steps):
    changed_ns = None
    for _, now_ns, before, decision in decisions(steps):
        if decision.level > before and changed_ns is not None:
            assert now_ns - changed_ns >= RISE_DWELL_NS
        if decision.level != before:
            changed_ns = now_ns


@PROPERTY
@given(walks)
def test_without_a_die_or_sink_that_can_be_stood_in_for_the_payload_is_off(steps):
    for seen, _, _, decision in decisions(steps):
        if isnan(seen.thermal.die_c) or seen.power is None:
            assert decision.level == 0


@PROPERTY
@given(walks)
def test_a_die_at_its_own_limit_is_off_whatever_target_the_ground_sets(steps):
    for seen, _, _, decision in decisions(steps, die_c=200.0):
        if seen.thermal.die_c >= PROFILE.die_limit_c - DIE_GUARD_K:
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
