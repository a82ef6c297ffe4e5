from dataclasses import replace

import pytest
from test_governor import CALM, DIE_C, PROFILE, SINK_C, TOP, S

from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import ThrottleReason as R
from flight.thermal.governor import Governor
from flight.thermal.level_advice import FRAME_VALUE, Advice
from flight.thermal.plan_governor import NO_PLAN, WAITING_LEVEL, PlanGovernor
from flight.thermal.plan_solver_native import Prices

ENERGY = Prices(joule=0.02, link_mbit=0.0, heat_j=0.01, second=0.5)
HEAT = Prices(joule=0.0, link_mbit=0.0, heat_j=0.01, second=0.5)


class Told:
    """Advises what it is told to, and keeps what it was asked."""

    def __init__(self, advice):
        self.advice, self.asked = advice, []

    def advise(self, utc_s, thermal, power):
        self.asked.append((utc_s, thermal, power))
        return self.advice


def decided(advice, inputs=CALM):
    channels = ChannelValues()
    governor = PlanGovernor(Governor(PROFILE), Told(advice), channels)
    return governor.decide(inputs, DIE_C, SINK_C, 100 * S), channels


def test_without_advice_the_guard_decides_alone_and_telemetry_says_so():
    decision, channels = decided(None)
    assert decision == Governor(PROFILE).decide(CALM, DIE_C, SINK_C, 100 * S)
    assert channels.values[channels.index("plan.level")] == NO_PLAN


@pytest.mark.parametrize(("prices", "reason"), [(ENERGY, R.ECLIPSE_RESERVE), (HEAT, R.RADIATOR)])
def test_a_lower_level_of_the_plan_holds_and_the_scarcest_thing_is_its_reason(prices, reason):
    decision, _ = decided(Advice(2, True, prices))
    assert (decision.level, decision.reason) == (2, reason)


def test_the_plan_never_lifts_what_the_guard_holds_down():
    decision, _ = decided(Advice(TOP, True, ENERGY), replace(CALM, fault=True))
    assert (decision.level, decision.reason) == (0, R.FAULT)


def test_while_no_frames_are_expected_the_payload_waits_awake_and_is_not_throttled():
    decision, _ = decided(Advice(0, False, ENERGY))
    assert (decision.level, decision.reason) == (WAITING_LEVEL, R.NONE)


def test_prices_are_told_in_frames():
    _, channels = decided(Advice(3, True, ENERGY))
    told = {
        name: channels.values[channels.index(f"plan.{name}")]
        for name in ("level", "price_energy", "price_heat", "price_time")
    }
    assert told == {
        "level": 3.0, "price_energy": pytest.approx(20.0 / FRAME_VALUE),
        "price_heat": pytest.approx(10.0 / FRAME_VALUE),
        "price_time": pytest.approx(0.5 / FRAME_VALUE),
    }  # fmt: skip
