from dataclasses import replace

import pytest

from flight.config import load_profile
from flight.power.power_budget import PowerState, SunPhase
from flight.telemetry.dictionary import ThrottleReason as R
from flight.thermal.governor import GovernorInputs
from flight.thermal.thermal_estimate import ThermalState
from hil.score.bench_governors import RuledByHeat, forms

PROFILE = load_profile("orin-nano-modelled")
TOP = PROFILE.top
COOL = ThermalState(
    die_c=30.0, sink_c=28.0, radiator_c=20.0, sink_slope_k_s=0.0, radiator_slope_k_s=0.0,
    payload_w=10.0,
)  # fmt: skip
RICH = PowerState(
    soc=0.9, soc_floor=0.55, margin=0.02, energy_full_j=280_000.0, array_w=60.0, base_w=12.0,
    laser_j_light=0.0, laser_j_shadow=0.0, phase=SunPhase(True, 1e9, 0.0),
)  # fmt: skip
CALM = GovernorInputs(
    thermal=COOL, power=RICH, duty=1.0, payload_allowed=True, commanded_off=False,
    queue_full=False, fault=False,
)  # fmt: skip


class Capped:
    """Grants what it is told to."""

    def __init__(self, watts):
        self.watts, self.seen = watts, []

    def cap(self, temps):
        self.seen.append(list(temps))
        return self.watts


def decided(watts, inputs=CALM, rule=None):
    return RuledByHeat(PROFILE, rule or Capped(watts)).decide(inputs, 78.0, 68.0, 0)


@pytest.mark.parametrize("level", range(TOP + 1))
def test_the_level_is_the_highest_under_the_cap_and_heat_is_named(level):
    cap_w = PROFILE.active_w(level) if level else None
    decision = decided(cap_w)
    assert decision.level == level
    assert (decision.reason is R.NONE) == (level == TOP)
    assert decision.reason in (R.NONE, R.DIE)


def test_it_sees_the_die_alone_and_not_the_targets_of_the_node():
    rule = Capped(25.0)
    hot = replace(CALM, thermal=replace(COOL, die_c=82.0, sink_c=79.0))
    assert decided(25.0, hot, rule).level == TOP
    assert rule.seen == [[82.0]]


def test_close_to_the_die_s_limit_the_board_goes_off_until_it_has_cooled():
    governor = RuledByHeat(PROFILE, Capped(25.0))
    course = (82.0, 82.6, 81.0, 80.1, 79.9, 82.0)
    levels = [
        governor.decide(replace(CALM, thermal=replace(COOL, die_c=t)), 78.0, 68.0, i).level
        for i, t in enumerate(course)
    ]
    assert levels == [TOP, 0, 0, 0, TOP, TOP]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"fault": True}, R.FAULT),
        ({"commanded_off": True}, R.COMMAND),
        ({"queue_full": True}, R.QUEUE_FULL),
        ({"battery_low": True}, R.BATTERY_FLOOR),
        ({"power": replace(RICH, soc=0.56, array_w=5.0)}, R.BATTERY_FLOOR),
        ({"thermal": replace(COOL, die_c=float("nan"))}, R.FAULT),
    ],
)
def test_for_all_but_heat_it_has_what_the_node_s_guard_has(changed, reason):
    decision = decided(25.0, replace(CALM, **changed))
    assert decision.level < TOP
    assert decision.reason is reason


def test_each_of_the_kernel_s_governors_is_tried_in_several_forms_and_throttles_a_hot_die():
    found = forms()
    assert set(found) == {"step_wise", "power_allocator"}
    for makers in found.values():
        assert len(makers) >= 2
        for make in makers.values():
            governor = make(PROFILE)
            levels = [
                governor.decide(
                    replace(CALM, thermal=replace(COOL, die_c=80.0 + 0.03 * t)), 78.0, 68.0, t
                ).level
                for t in range(100)
            ]
            assert min(levels) < TOP
