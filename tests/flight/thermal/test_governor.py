from dataclasses import replace
from math import isnan, nan

import pytest
from governor_walks import MANY, decisions, walks
from hypothesis import given
from node_of_trials import CALM, COOL, DIE_C, PROFILE, RICH, SINK_C, TOP, S

from flight.power.power_budget import SunPhase
from flight.telemetry.definitions import ThrottleReason as R
from flight.thermal.governor import (
    DIE_GUARD_K,
    RISE_DWELL_NS,
    RISE_MARGIN_K,
    FullPower,
    Governor,
)


@MANY
@given(walks)
def test_no_level_is_chosen_whose_predicted_die_exceeds_the_target(steps):
    for _, _, _, decision in decisions(Governor(PROFILE), steps):
        if decision.level:
            assert decision.die_predicted_c <= DIE_C


@MANY
@given(walks)
def test_a_target_above_the_board_s_guard_is_not_believed(steps):
    for _, _, _, decision in decisions(Governor(PROFILE), steps, die_c=200.0):
        if decision.level:
            assert decision.die_predicted_c <= PROFILE.die_limit_c - DIE_GUARD_K


@MANY
@given(walks)
def test_a_level_that_is_not_allowed_any_more_is_left_at_once(steps):
    """A governor without a past, given the same cycle, is the oracle for what is allowed now."""
    for seen, now_ns, before, decision in decisions(Governor(PROFILE), steps):
        fresh = Governor(PROFILE)
        fresh.level = TOP
        allowed = fresh.decide(seen, DIE_C, SINK_C, now_ns).level
        assert decision.level <= max(allowed, 0)
        if allowed < before:
            assert decision.level == allowed


@MANY
@given(walks)
def test_without_a_die_or_sink_temperature_the_payload_is_off(steps):
    for seen, _, _, decision in decisions(Governor(PROFILE), steps):
        if isnan(seen.thermal.die_c) or isnan(seen.thermal.sink_c):
            assert decision.level == 0
            assert decision.reason is not R.NONE


def level_at(sink_c, governor, now_ns):
    thermal = replace(COOL, sink_c=sink_c, die_c=sink_c + 5.0, payload_w=25.0)
    return governor.decide(replace(CALM, thermal=thermal), DIE_C, SINK_C, now_ns).level


def test_a_step_up_needs_a_margin_over_what_holds_a_level():
    edge_c = DIE_C - PROFILE.die_k_per_w * PROFILE.active_w(TOP)
    holding, rising = Governor(PROFILE), Governor(PROFILE)
    holding.level, rising.level = TOP, TOP - 1
    assert level_at(edge_c - 0.5, holding, 0) == TOP
    assert level_at(edge_c - 0.5, rising, 0) == TOP - 1
    assert level_at(edge_c - RISE_MARGIN_K - 0.1, rising, RISE_DWELL_NS) == TOP


def test_noise_on_the_die_threshold_does_not_chatter():
    governor, changes, level = Governor(PROFILE), 0, 0
    edge_c = DIE_C - PROFILE.die_k_per_w * PROFILE.active_w(TOP)
    for t in range(600):
        noise_k = ((t * 7919) % 13 - 6) / 6.0
        now = level_at(edge_c + noise_k, governor, t * S)
        changes += now != level
        level = now
    assert changes <= 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"fault": True}, R.FAULT),
        ({"commanded_off": True}, R.COMMAND),
        ({"payload_allowed": False}, R.COMMAND),
        ({"battery_low": True, "payload_allowed": False}, R.BATTERY_FLOOR),
        ({"queue_full": True}, R.QUEUE_FULL),
        ({"thermal": replace(COOL, die_c=nan)}, R.FAULT),
        ({"thermal": replace(COOL, die_c=PROFILE.die_limit_c - DIE_GUARD_K)}, R.DIE),
        ({"thermal": replace(COOL, sink_c=77.0)}, R.DIE),
        ({"thermal": replace(COOL, sink_c=SINK_C + 0.1)}, R.SINK),
        ({"power": replace(RICH, soc=0.5, array_w=10.0)}, R.BATTERY_FLOOR),
        (
            {"power": replace(RICH, soc=0.62, phase=SunPhase(False, 0.0, 2_000.0))},
            R.ECLIPSE_RESERVE,
        ),
        ({"power": replace(RICH, laser_j_light=400_000.0)}, R.PASS_RESERVE),
    ],
)
def test_each_reason_is_told_for_what_it_is(changed, reason):
    decision = Governor(PROFILE).decide(replace(CALM, **changed), DIE_C, SINK_C, 0)
    assert decision.reason is reason
    assert decision.level < TOP


def test_the_control_run_without_a_governor_looks_at_command_alone():
    free = FullPower(PROFILE)
    hot = replace(CALM, thermal=replace(COOL, die_c=120.0), power=replace(RICH, soc=0.0))
    assert free.decide(hot, DIE_C, SINK_C, 0).level == TOP
    off = free.decide(replace(CALM, commanded_off=True), DIE_C, SINK_C, 0)
    assert (off.level, off.reason) == (0, R.COMMAND)


def test_while_a_step_up_waits_the_reason_of_the_last_step_down_is_told():
    governor = Governor(PROFILE)
    governor.decide(CALM, DIE_C, SINK_C, 0)
    full = governor.decide(replace(CALM, queue_full=True), DIE_C, SINK_C, S)
    waiting = governor.decide(CALM, DIE_C, SINK_C, 2 * S)
    assert (full.level, waiting.level) == (0, 0)
    assert waiting.reason is R.QUEUE_FULL
    done = governor.decide(CALM, DIE_C, SINK_C, S + RISE_DWELL_NS)
    assert (done.level, done.reason) == (TOP, R.NONE)


def test_a_node_fed_from_outside_is_held_by_heat_alone():
    assert Governor(PROFILE).decide(replace(CALM, power=None), DIE_C, SINK_C, 0).level == TOP
    hot = replace(CALM, power=None, thermal=replace(COOL, sink_c=67.0, die_c=69.0))
    assert Governor(PROFILE).decide(hot, DIE_C, SINK_C, 0).level < TOP


@pytest.mark.parametrize(
    ("absent", "die_c", "sink_c", "flies"),
    [
        ((), nan, 28.0, False),
        ((), 30.0, nan, False),
        (("die",), nan, 28.0, True),
        (("sink",), 30.0, nan, False),
        (("sink",), 30.0, 28.0, True),
        (("die", "sink"), nan, nan, True),
        (("die", "sink"), 82.0, nan, False),
    ],
)
def test_only_what_is_absent_may_be_unknown(absent, die_c, sink_c, flies):
    thermal = replace(COOL, die_c=die_c, sink_c=sink_c)
    decision = Governor(PROFILE, absent).decide(replace(CALM, thermal=thermal), DIE_C, SINK_C, 0)
    assert (decision.level > 0) is flies
