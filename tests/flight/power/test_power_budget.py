from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flight.power.power_budget import (
    NO_ECLIPSE,
    PowerState,
    PowerVerdict,
    SunPhase,
    judge_payload,
    low_band,
    reserve_soc,
)

PROPERTY = settings(deadline=None, max_examples=300)
ALLOWED = PowerVerdict.ALLOWED
phases = st.one_of(
    st.builds(SunPhase, st.just(True), st.floats(0.0, 6_000.0), st.floats(0.0, 2_200.0)),
    st.builds(SunPhase, st.just(False), st.just(0.0), st.floats(0.0, 2_200.0)),
    st.just(NO_ECLIPSE),
)
states = st.builds(
    PowerState,
    soc=st.floats(0.0, 1.0),
    soc_floor=st.floats(0.2, 0.9),
    margin=st.floats(0.0, 0.05),
    energy_full_j=st.floats(1e5, 2e6),
    array_w=st.floats(0.0, 200.0),
    base_w=st.floats(0.0, 50.0),
    laser_j_light=st.floats(0.0, 50_000.0),
    laser_j_shadow=st.floats(0.0, 50_000.0),
    phase=phases,
)
NODE = PowerState(
    soc=0.8, soc_floor=0.55, margin=0.02, energy_full_j=560_000.0, array_w=60.0, base_w=12.0,
    laser_j_light=0.0, laser_j_shadow=0.0, phase=SunPhase(True, 1_800.0, 2_000.0),
)  # fmt: skip


@PROPERTY
@given(states, st.floats(0.0, 300.0), st.floats(0.0, 300.0))
def test_less_power_never_fits_worse(state, some_w, other_w):
    less_w, more_w = sorted((some_w, other_w))
    if judge_payload(more_w, state) is ALLOWED:
        assert judge_payload(less_w, state) is ALLOWED


@PROPERTY
@given(states, st.floats(0.0, 300.0), st.floats(0.0, 1.0))
def test_more_charge_never_fits_worse(state, payload_w, soc):
    fuller = replace(state, soc=max(state.soc, soc))
    if judge_payload(payload_w, state) is ALLOWED:
        assert judge_payload(payload_w, fuller) is ALLOWED


@PROPERTY
@given(states, st.floats(0.0, 300.0), st.floats(0.0, 50_000.0))
def test_setting_energy_aside_for_a_contact_never_frees_any(state, payload_w, laser_j):
    busier = replace(state, laser_j_light=state.laser_j_light + laser_j)
    if judge_payload(payload_w, busier) is ALLOWED:
        assert judge_payload(payload_w, state) is ALLOWED


@PROPERTY
@given(states, st.floats(0.0, 100.0))
def test_what_is_allowed_keeps_the_floor_when_it_is_flown(state, payload_w):
    """Stepping the same energy balance second by second is the oracle."""
    state = replace(state, laser_j_light=0.0, laser_j_shadow=0.0)
    assume(judge_payload(payload_w, state) is ALLOWED)
    full_j = state.energy_full_j
    energy_j = state.soc * full_j
    light_s = min(state.phase.eclipse_in_s, 7_200.0) if state.phase.sunlit else 0.0
    net_w = state.array_w - state.base_w - payload_w
    steps = 200
    for _ in range(steps):
        gain_w = net_w * 0.95 if net_w > 0 else net_w / 0.96
        energy_j = min(full_j, energy_j + gain_w * light_s / steps)
    at_dusk_j = energy_j
    for _ in range(steps):
        energy_j -= (state.base_w + payload_w) / 0.96 * state.phase.eclipse_s / steps
    floor_j = state.soc_floor * full_j
    assert energy_j >= floor_j - 1e-6 * full_j
    assert at_dusk_j >= floor_j - 1e-6 * full_j or light_s == 0.0


def test_each_verdict_names_the_reserve_that_would_be_eaten():
    assert judge_payload(25.0, NODE) is ALLOWED
    assert judge_payload(100.0, NODE) is PowerVerdict.ECLIPSE_RESERVE
    assert judge_payload(150.0, NODE) is PowerVerdict.FLOOR
    assert judge_payload(100.0, replace(NODE, phase=NO_ECLIPSE)) is PowerVerdict.FLOOR
    dark = replace(NODE, phase=SunPhase(False, 0.0, 1_000.0))
    assert judge_payload(25.0, dark) is ALLOWED
    assert judge_payload(25.0, replace(dark, laser_j_shadow=95_000.0)) is PowerVerdict.PASS_RESERVE
    assert judge_payload(25.0, replace(NODE, laser_j_light=180_000.0)) is PowerVerdict.PASS_RESERVE
    assert judge_payload(25.0, replace(dark, soc=0.56)) is PowerVerdict.FLOOR


def test_an_almost_empty_battery_in_the_light_may_charge_beside_a_small_load():
    low = replace(NODE, soc=0.5, phase=NO_ECLIPSE)
    assert judge_payload(4.0, low) is ALLOWED
    assert judge_payload(60.0, low) is PowerVerdict.FLOOR


def test_a_full_battery_cannot_bank_the_light_for_the_laser():
    """The laser's energy leaves a battery that has clipped at full, not a fuller one."""
    state = replace(
        NODE,
        soc=1.0,
        array_w=500.0,
        phase=SunPhase(True, 3_000.0, 2_000.0),
        laser_j_light=160_000.0,
    )
    assert judge_payload(25.0, state) is not ALLOWED
    assert judge_payload(25.0, replace(state, laser_j_light=0.0)) is ALLOWED


def test_the_reserve_carries_the_base_load_through_the_shadow():
    reserve = reserve_soc(replace(NODE, laser_j_shadow=5_000.0))
    needed_j = (12.0 * 2_000.0 + 5_000.0) / 0.96
    assert reserve == pytest.approx(0.57 + needed_j / 560_000.0)
    assert (
        judge_payload(0.0, replace(NODE, soc=reserve, phase=SunPhase(False, 0, 2_000))) is ALLOWED
    )


@PROPERTY
@given(st.floats(0.2, 0.9), st.floats(0.25, 0.95))
def test_battery_low_has_a_band_whatever_the_ground_sets(soc_floor, soc_resume):
    set_at, clear_at = low_band(soc_floor, soc_resume)
    assert set_at > soc_floor
    assert clear_at >= set_at + 0.0199
    assert clear_at >= soc_resume
