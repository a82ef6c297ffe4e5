"""The battery against closed forms, a tight integrator and its own energy ledger."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from hil.plant.battery import (
    Battery,
    BatteryConfig,
    BatteryState,
    BatteryVerdict,
    CellHealth,
    constant_power_current_a,
)

WARM_K = 298.15
ONE_CELL = BatteryConfig(series=1, parallel=1)


def closure_j(
    battery: Battery, state: BatteryState, power_w: float, temp_k: float, dt_s: float
) -> float:
    step = battery.step(state, power_w, temp_k=temp_k, dt_s=dt_s)
    return step.stored_j + (step.heat_w + step.power_w) * dt_s


def test_the_default_pack_holds_about_150_watt_hours() -> None:
    assert BatteryConfig().energy_wh == pytest.approx(157.0, abs=2.0)


@pytest.mark.parametrize(
    ("emf_v", "r_ohm", "power_w"), [(3.7, 0.05, 10.0), (22.0, 0.1, -40.0), (3.7, 0.0, 5.0)]
)
def test_constant_power_is_delivered_at_the_terminals(
    emf_v: float, r_ohm: float, power_w: float
) -> None:
    current = constant_power_current_a(emf_v, r_ohm, power_w)
    assert current is not None
    assert (emf_v - r_ohm * current) * current == pytest.approx(power_w, rel=1e-14)


def test_the_current_is_the_lesser_root_of_the_textbook_form() -> None:
    emf_v, r_ohm, power_w = 3.7, 0.05, 12.0
    textbook = (emf_v - math.sqrt(emf_v**2 - 4.0 * r_ohm * power_w)) / (2.0 * r_ohm)
    assert constant_power_current_a(emf_v, r_ohm, power_w) == pytest.approx(textbook, rel=1e-13)


def test_no_current_exists_past_the_matched_load() -> None:
    matched_w = 3.7**2 / (4.0 * 0.05)
    assert constant_power_current_a(3.7, 0.05, matched_w * 0.999999) is not None
    assert constant_power_current_a(3.7, 0.05, matched_w * 1.000001) is None


def test_the_rc_pair_relaxes_by_the_exponential_whatever_the_step() -> None:
    battery = Battery(ONE_CELL)
    for dt_s in (0.1, 1.0, 10.0):
        state = BatteryState(0.5, 0.06)
        for _ in range(round(40.0 / dt_s)):
            state = battery.step(state, 0.0, temp_k=WARM_K, dt_s=dt_s).state
        assert state.v1_v == pytest.approx(0.06 * math.exp(-1.0), rel=1e-12)
        assert state.soc == 0.5


def test_the_voltage_is_the_continuous_models_to_a_millivolt() -> None:
    config, power_w = ONE_CELL, 11.0

    def slope(_: float, y: list[float]) -> list[float]:
        soc, v1 = y
        current = constant_power_current_a(Battery.curve.value(soc) - v1, config.r0_ohm, power_w)
        assert current is not None
        return [-current / (3600.0 * 3.5), (config.r1_ohm * current - v1) / config.tau_s]

    tight = solve_ivp(slope, (0.0, 600.0), [0.8, 0.0], method="Radau", rtol=1e-10, atol=1e-12)
    battery = Battery(config)
    state = BatteryState(0.8)
    for _ in range(600):
        state = battery.step(state, power_w, temp_k=WARM_K, dt_s=1.0).state
    assert state.soc == pytest.approx(tight.y[0, -1], abs=1e-6)
    assert state.v1_v == pytest.approx(tight.y[1, -1], abs=1e-5)


@settings(max_examples=300, deadline=None)
@given(
    st.floats(0.0, 1.0),
    st.floats(-0.1, 0.1),
    st.floats(-150.0, 250.0),
    st.floats(255.0, 330.0),
    st.floats(0.05, 10.0),
)
def test_every_joule_of_every_step_is_accounted_for(
    soc: float, v1_v: float, power_w: float, temp_k: float, dt_s: float
) -> None:
    battery = Battery(BatteryConfig())
    state = BatteryState(soc, v1_v)
    step = battery.step(state, power_w, temp_k=temp_k, dt_s=dt_s)
    through_j = (abs(step.power_w) + step.heat_w) * dt_s + abs(step.stored_j)
    assert abs(closure_j(battery, state, power_w, temp_k, dt_s)) <= 1e-9 * through_j + 1e-12
    assert 0.0 <= step.state.soc <= 1.0
    assert step.heat_w >= 0.0
    if step.verdict is BatteryVerdict.SUPPLIED:
        assert step.power_w == pytest.approx(power_w, rel=1e-6, abs=1e-6)


def test_the_stored_energy_is_a_state_at_constant_temperature() -> None:
    battery = Battery(ONE_CELL)
    state, stored_j = BatteryState(0.9), 0.0
    for k in range(2000):
        step = battery.step(state, 9.0 if k % 200 < 120 else -7.0, temp_k=WARM_K, dt_s=1.0)
        state, stored_j = step.state, stored_j + step.stored_j
    pair_j = 0.5 * (40.0 / 0.020) * state.v1_v**2
    chemical_j = 3600.0 * 3.5 * (battery.curve.integral(state.soc) - battery.curve.integral(0.9))
    assert stored_j == pytest.approx(chemical_j + pair_j, rel=1e-9)


def test_the_resistance_is_about_twice_as_high_at_freezing() -> None:
    battery = Battery(ONE_CELL)
    warm = battery.step(BatteryState(0.5), 5.0, temp_k=WARM_K, dt_s=0.01)
    cold = battery.step(BatteryState(0.5), 5.0, temp_k=273.15, dt_s=0.01)
    ratio = (cold.heat_w / cold.current_a**2) / (warm.heat_w / warm.current_a**2)
    assert ratio == pytest.approx(
        math.exp(20e3 / 8.314462618 * (1 / 273.15 - 1 / 298.15)), rel=1e-3
    )
    assert ratio == pytest.approx(2.1, abs=0.05)


def test_the_capacity_falls_by_a_fifth_at_minus_ten() -> None:
    battery = Battery(ONE_CELL)
    warm = battery.step(BatteryState(0.5), 5.0, temp_k=WARM_K, dt_s=1.0)
    cold = battery.step(BatteryState(0.5), 5.0, temp_k=263.15, dt_s=1.0)
    loss = (0.5 - warm.state.soc) / warm.current_a * cold.current_a / (0.5 - cold.state.soc)
    assert loss == pytest.approx(0.8, rel=1e-9)


def test_charging_is_refused_below_freezing_and_discharging_is_not() -> None:
    battery = Battery(BatteryConfig())
    refused = battery.step(BatteryState(0.5), -20.0, temp_k=273.0, dt_s=1.0)
    assert refused.verdict is BatteryVerdict.TOO_COLD
    assert (refused.current_a, refused.state.soc) == (0.0, 0.5)
    assert battery.step(BatteryState(0.5), 20.0, temp_k=273.0, dt_s=1.0).power_w > 19.9


def test_a_full_battery_takes_nothing_and_never_passes_full() -> None:
    battery = Battery(BatteryConfig())
    state = BatteryState(0.97)
    for _ in range(4000):
        step = battery.step(state, -60.0, temp_k=WARM_K, dt_s=1.0)
        assert step.voltage_v <= 6 * 4.2 + 1e-5
        state = step.state
    assert 0.999 < state.soc <= 1.0
    assert step.verdict is BatteryVerdict.LIMITED
    assert -step.power_w < 1.0


def test_charging_current_is_capped() -> None:
    step = Battery(BatteryConfig()).step(BatteryState(0.2), -500.0, temp_k=WARM_K, dt_s=1.0)
    assert step.current_a == pytest.approx(-0.5 * 3.5 * 2)
    assert step.verdict is BatteryVerdict.LIMITED


def test_one_per_cent_of_the_charge_never_arrives() -> None:
    battery = Battery(ONE_CELL)
    step = battery.step(BatteryState(0.5), -4.0, temp_k=WARM_K, dt_s=1.0)
    arrived = (step.state.soc - 0.5) * 3600.0 * 3.5
    assert arrived == pytest.approx(-0.99 * step.current_a, rel=1e-9)


def test_an_impossible_load_browns_out_and_leaves_the_cells_as_they_were() -> None:
    battery = Battery(BatteryConfig())
    step = battery.step(BatteryState(0.5), 2000.0, temp_k=WARM_K, dt_s=1.0)
    assert step.verdict is BatteryVerdict.BROWN_OUT
    assert (step.current_a, step.power_w, step.state.soc) == (0.0, 0.0, 0.5)


def test_an_empty_battery_browns_out_instead_of_going_below_empty() -> None:
    battery = Battery(BatteryConfig())
    state, verdicts = BatteryState(0.003), []
    for _ in range(200):
        step = battery.step(state, 40.0, temp_k=WARM_K, dt_s=1.0)
        state = step.state
        verdicts.append(step.verdict)
    assert verdicts[0] is BatteryVerdict.SUPPLIED
    assert verdicts[-1] is BatteryVerdict.BROWN_OUT
    assert state.soc >= 0.0


def test_worn_cells_hold_less_and_heat_more() -> None:
    battery = Battery(BatteryConfig())
    new = battery.step(BatteryState(0.5), 40.0, temp_k=WARM_K, dt_s=1.0)
    worn = battery.step(
        BatteryState(0.5), 40.0, temp_k=WARM_K, dt_s=1.0, health=CellHealth(0.7, 3.0)
    )
    assert worn.state.soc < new.state.soc
    assert worn.heat_w > 2.9 * new.heat_w


@pytest.mark.parametrize("bad", [{"series": 0}, {"r0_ohm": 0.0}, {"charge_efficiency": 1.2}])
def test_a_pack_that_cannot_be_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each message names its own figure
        BatteryConfig(**bad)
