"""The oracle is the bench's battery, aged: cells with a resistance and an RC pair of their own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_state_of_charge import ARRAY_W, DATA, LIGHT_S, LOAD_W, ORBIT_S, S

from flight.power.battery_fade import CAPACITY_MAX, CAPACITY_MIN, GAP_S, BatteryFade
from hil.plant.battery import Battery, BatteryConfig, BatteryState, CellHealth


def learned(capacity, orbits=8, sense=lambda _t, volts, amps: (volts, amps), resistance=1.0):
    """What is believed after some orbits of shadow and light with cells that have faded so far."""
    battery, fade = Battery(BatteryConfig()), BatteryFade(DATA)
    state, health = BatteryState(0.8), CellHealth(capacity, resistance)
    for t_s in range(orbits * ORBIT_S):
        light = t_s % ORBIT_S < LIGHT_S
        power_w = (10.0 if t_s % 1200 < 300 else LOAD_W) - (ARRAY_W if light else 0.0)
        step = battery.step(state, power_w, temp_k=298.15, dt_s=1.0, health=health)
        state = step.state
        fade.update(t_s * S, *sense(t_s, step.voltage_v, step.current_a))
    return fade.capacity


@pytest.mark.parametrize("capacity", [1.0, 0.85, 0.7])
def test_a_faded_battery_is_found_out_within_eight_orbits(capacity):
    assert learned(capacity) == pytest.approx(capacity, abs=0.06)


def test_cells_that_resist_more_with_age_are_not_taken_for_cells_that_hold_less():
    assert learned(1.0, resistance=1.5) == pytest.approx(1.0, abs=0.1)


def test_until_it_is_known_better_the_battery_is_as_rated():
    assert BatteryFade(DATA).capacity == 1.0
    assert learned(0.7, orbits=8, sense=lambda *_: (None, None)) == 1.0


def test_what_flowed_while_nobody_looked_is_not_taken_for_nothing():
    """A gap of half an hour in each orbit: coulombs are missing, the capacity is not."""

    def sense(t_s, volts, amps):
        return (None, None) if t_s % ORBIT_S > LIGHT_S + GAP_S else (volts, amps)

    assert learned(1.0, sense=sense) == pytest.approx(1.0, abs=0.1)


@given(st.lists(st.tuples(st.floats(0.0, 60.0), st.floats(-3.0, 3.0)), min_size=2, max_size=30))
@settings(deadline=None, max_examples=60)
def test_nonsense_stays_within_what_a_battery_that_flies_can_be(phases):
    fade = BatteryFade(DATA)
    for index, (volts, amps) in enumerate(phases):
        for step in range(160):
            fade.update((index * 160 + step) * 9 * S, volts, amps)
        assert CAPACITY_MIN <= fade.capacity <= CAPACITY_MAX
