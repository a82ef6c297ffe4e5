from dataclasses import replace
from math import isnan, nan

import pytest
from node_of_trials import COOL, DIE_C, FULL_J, RICH, SINK_C, S, Sky, Trial, passes

KELVIN = 273.15


def test_readings_become_joules_and_kelvin():
    seen = Trial().look(10.0)
    assert seen.energy_j == pytest.approx(0.9 * FULL_J)
    assert seen.temp_k == pytest.approx([30.0 + KELVIN, 28.0 + KELVIN, 20.0 + KELVIN])
    assert seen.array_w == 60.0


def test_in_the_shadow_the_array_gives_nothing_whatever_it_gave_in_light():
    dark = replace(RICH, phase=replace(RICH.phase, sunlit=False))
    assert Trial().look(10.0, power=dark).array_w == 0.0


@pytest.mark.parametrize("power", [None, replace(RICH, soc=nan)])
def test_without_an_estimate_of_energy_there_is_nothing_to_go_by(power):
    trial = Trial()
    trial.look(10.0)
    assert trial.look(11.0, power=power) is None
    assert trial.node.seen is None


def test_a_warmer_neighbour_stands_in_for_a_thermometer_that_shows_nothing():
    trial = Trial()
    seen = trial.look(10.0, replace(COOL, sink_c=nan, radiator_c=nan))
    assert seen.temp_k == pytest.approx([30.0 + KELVIN] * 3)
    assert isnan(trial.look(11.0, replace(COOL, die_c=nan)).temp_k[0])


def test_a_limit_that_the_ground_moves_makes_a_new_plant_and_keeps_what_was_learned():
    trial = Trial()
    trial.look(10.0)
    first, learner = trial.node.plant, trial.node.plant.learner
    trial.look(11.0)
    assert trial.node.plant is first
    trial.look(12.0, power=replace(RICH, soc_floor=0.6))
    assert trial.node.plant is not first
    assert trial.node.plant.learner is learner
    floor_j = trial.node.plant.model.battery.energy_floor_j
    assert floor_j == pytest.approx(0.62 * FULL_J)
    assert trial.node.version == 2


def test_a_battery_that_is_found_faded_is_a_smaller_one_from_then_on():
    trial = Trial()
    trial.look(10.0)
    seen = trial.look(11.0, power=replace(RICH, energy_full_j=0.8 * FULL_J, capacity=0.8))
    assert trial.node.plant.model.battery.energy_max_j == pytest.approx(0.8 * FULL_J)
    assert seen.energy_j == pytest.approx(0.9 * 0.8 * FULL_J)
    assert trial.told("learned.capacity") == pytest.approx(0.8)


def test_a_radiator_that_has_aged_is_learned_and_told():
    """The truth radiates four fifths of what the node was built for."""
    trial, temp_c = Trial(), [30.0, 29.0, 27.0]
    told = []
    for second in range(3000):
        thermal = replace(
            COOL, die_c=temp_c[0], sink_c=temp_c[1], radiator_c=temp_c[2], payload_now_w=15.0,
            payload_w=15.0,
        )  # fmt: skip
        trial.look(float(second), thermal)
        told.append(trial.told("learned.radiator_w"))
        temp_c = aged(temp_c, 15.0, 0.8)
    radiated_w = 5.67e-8 * 0.065 * 0.88 * (temp_c[2] + KELVIN) ** 4
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(0.2 * radiated_w, rel=0.25)


def aged(temp_c, payload_w, share):
    """A second of the truth: explicit steps, shorter than the die's time constant."""
    die, sink, radiator = temp_c
    for _ in range(10):
        to_sink, to_radiator = (die - sink) / 0.5, (sink - radiator) * 3.0
        radiated = share * 5.67e-8 * 0.065 * 0.88 * (radiator + KELVIN) ** 4
        die += 0.1 * (payload_w - to_sink) / 12.0
        sink += 0.1 * (to_sink - to_radiator) / 250.0
        radiator += 0.1 * (to_radiator - radiated) / 3000.0
    return [die, sink, radiator]


def test_the_forecast_is_made_anew_each_minute_with_contacts_of_then():
    asked = []
    calls = passes(1000.0)

    def contacts(start_s, end_s):
        asked.append(start_s)
        return calls(start_s, end_s)

    trial = Trial(contacts=contacts)
    for now_s in (10.0, 40.0, 69.0, 71.0, 100.0, 131.0):
        trial.look(now_s)
    assert asked == [10.0, 71.0, 131.0]
    assert trial.node.plant.forecast.windows[0].start_s == 1000.0


def test_an_array_that_gives_less_than_it_did_is_what_is_counted_on():
    trial = Trial(Sky(0.35))
    trial.look(10.0, power=replace(RICH, array_w=31.0))
    assert trial.node.plant.forecast.array_w == 31.0
    assert trial.told("learned.array_w") == 31.0


def test_the_limits_are_the_targets_in_force_and_never_above_the_node_s_own():
    trial = Trial()
    trial.node.look(COOL, RICH, 0.0, DIE_C, 200.0, 10 * S)
    limits = [node.limit_k for node in trial.node.plant.model.nodes]
    assert limits[0] == pytest.approx(DIE_C + KELVIN)
    assert limits[1] == pytest.approx(SINK_C + KELVIN)
