"""What both guards promise: the one that goes by slopes, and the one that has a model."""

import pytest
from governor_walks import FEW, decisions, walks
from hypothesis import given
from node_of_trials import PROFILE, TOP, Sky, Trial, passes

from flight.telemetry.definitions import ThrottleReason as R
from flight.thermal.governor import DIE_GUARD_K, RISE_DWELL_NS, Governor
from flight.thermal.level_guard import RISE_DWELL_NS as MODEL_DWELL_NS
from flight.thermal.level_guard import LevelGuard


def by_slopes():
    return Governor(PROFILE), RISE_DWELL_NS


def by_model():
    return LevelGuard(PROFILE, Trial(Sky(0.35), passes(3000.0)).node), MODEL_DWELL_NS


every = pytest.mark.parametrize("make", [by_slopes, by_model])


@every
@FEW
@given(walks)
def test_every_throttle_has_exactly_one_reason_and_the_best_level_none(make, steps):
    for _, _, _, decision in decisions(make()[0], steps):
        assert (decision.reason is R.NONE) == (decision.level == TOP)


@every
@FEW
@given(walks)
def test_steps_up_wait_out_the_dwell(make, steps):
    governor, dwell_ns = make()
    changed_ns = None
    for _, now_ns, before, decision in decisions(governor, steps):
        if decision.level > before and changed_ns is not None:
            assert now_ns - changed_ns >= dwell_ns
        if decision.level != before:
            changed_ns = now_ns


@every
@FEW
@given(walks)
def test_a_die_at_its_own_limit_is_off_whatever_target_the_ground_sets(make, steps):
    for seen, _, _, decision in decisions(make()[0], steps, die_c=200.0):
        if seen.thermal.die_c >= PROFILE.die_limit_c - DIE_GUARD_K:
            assert decision.level == 0
