import pytest
from node_of_trials import FULL_J, LIMITS, PATH, PROFILE, WORK

from flight.thermal.plan_model import FRESH, STORED, frame_s, plan_model

MODEL = plan_model(PROFILE, PATH, WORK, LIMITS, 22.0)


def test_the_model_has_a_mode_a_level_and_the_profile_s_times():
    assert [mode.watts for mode in MODEL.modes] == [4.0, 7.0, 15.0, 25.0]
    assert MODEL.modes[3].frames_per_s[FRESH] == pytest.approx(1.0 / (1024 * 2.6e-3))
    assert frame_s(PROFILE, WORK, 4) == pytest.approx(1024 * 2.6e-3)


def test_no_mode_makes_results_that_are_stored_already():
    assert all(mode.frames_per_s[STORED] == 0.0 for mode in MODEL.modes)


def test_all_that_the_board_draws_becomes_heat_of_the_die():
    assert all(mode.heat_w == (mode.watts, 0.0, 0.0) for mode in MODEL.modes)


def test_limits_are_those_told_and_the_radiator_s_is_its_own():
    limits = [node.limit_k for node in MODEL.nodes]
    assert limits == [LIMITS.die_k, LIMITS.sink_k, pytest.approx(PATH.radiator_c_max + 273.15)]
    assert MODEL.battery.energy_floor_j == pytest.approx(0.57 * FULL_J)


def test_ending_low_is_dearer_than_any_frame_s_energy_is_worth():
    best = max(10.0 * mode.frames_per_s[FRESH] / mode.watts for mode in MODEL.modes)
    assert MODEL.end_price_per_j > best
