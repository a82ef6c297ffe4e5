import pytest

from hil.score.kernel_rules import PowerAllocatorRule, StepWiseRule

CAPS_W = (7.0, 15.0, 25.0)
STATES = (25.0, 15.0, 7.0, None)


def caps(rule, *looks):
    return [rule.cap(temps) for temps in looks]


def test_step_wise_goes_a_state_down_for_each_look_above_the_trip_and_rising():
    rule = StepWiseRule([85.0], STATES, 5.0)
    assert caps(rule, *[[80.0 + 0.1 * i] for i in range(5)]) == [25.0, 15.0, 7.0, None, None]


def test_step_wise_holds_where_it_neither_rises_above_the_trip_nor_falls_below():
    rule = StepWiseRule([85.0], STATES, 5.0)
    assert caps(rule, [80.0], [80.5], [80.5], [80.2], [80.0], [79.9]) == [
        25.0, 15.0, 15.0, 15.0, 15.0, 25.0,
    ]  # fmt: skip


def test_step_wise_obeys_the_zone_that_asks_for_most_cooling():
    rule = StepWiseRule([85.0, 60.0], STATES, 5.0)
    assert caps(rule, [50.0, 56.0], [49.0, 57.0], [48.0, 58.0]) == [25.0, 15.0, 7.0]


def test_the_power_allocator_is_not_there_below_its_switch():
    rule = PowerAllocatorRule([85.0], CAPS_W, 10.0)
    assert caps(rule, [71.9], [20.0]) == [25.0, 25.0]


def test_the_power_allocator_grants_what_is_sustainable_at_its_control_temperature():
    assert PowerAllocatorRule([85.0], CAPS_W, 15.0).cap([82.0]) == 15.0
    assert PowerAllocatorRule([85.0], CAPS_W, 14.9).cap([82.0]) == 7.0


def test_the_power_allocator_grants_nothing_far_above_it_and_less_the_longer_it_lasts():
    rule = PowerAllocatorRule([85.0], CAPS_W, 10.0)
    granted = caps(rule, *[[83.5]] * 30)
    assert [w or 0.0 for w in granted] == sorted((w or 0.0 for w in granted), reverse=True)
    assert granted[-1] is None
    assert PowerAllocatorRule([85.0], CAPS_W, 10.0).cap([95.0]) is None


@pytest.mark.parametrize("sustainable_w", [5.0, 12.0, 25.0])
def test_what_the_power_allocator_grants_is_one_of_the_caps(sustainable_w):
    rule = PowerAllocatorRule([85.0, 70.0], CAPS_W, sustainable_w)
    for i in range(200):
        assert rule.cap([70.0 + (i * 7 % 20), 60.0 + (i * 3 % 12)]) in (*CAPS_W, None)
