"""From mission time to bytes the line will have carried."""

import pytest

from flight.downlink.send_horizon import ByteTime, Horizon, Item, Stretch, Trial

S = 1_000_000_000


def two_contacts():
    stretches = (
        Stretch(0, 10 * S, 100.0),
        Stretch(10 * S, 20 * S, 100.0),
        Stretch(1000 * S, 1100 * S, 500.0),
    )
    return Horizon(0, 2, 0.3, stretches)


def test_a_deadline_becomes_the_bytes_carried_before_it():
    time = ByteTime(two_contacts(), 1000, 1000)
    for deadline_s, expected in ((16, 200), (20, 200), (900, 200), (1049, 200), (1051, 700)):
        assert time.bytes_until(time.last_stretch(deadline_s * S)) == expected
    assert time.bytes_until(time.last_stretch(None)) == 700


def test_later_contacts_count_as_far_as_they_are_trusted():
    time = ByteTime(two_contacts(), 900, 500)
    assert time.carries == [90, 90, 250]


def test_what_has_seconds_to_go_still_has_the_present_stretch():
    time = ByteTime(two_contacts(), 1000, 1000)
    assert time.last_stretch(1) == 0
    assert time.last_stretch(0) == -1
    later = Horizon(0, 0, 0.3, two_contacts().stretches[2:])
    assert ByteTime(later, 1000, 1000).last_stretch(500 * S) == -1
    assert ByteTime(Horizon(0, 0, 0.3, ()), 1000, 1000).last_stretch(None) == -1


def test_one_contact_carries_what_it_is_said_to():
    horizon = Horizon.of_one_contact(4000.0, 100 * S, 20 * S)
    assert sum(each.carries_bytes for each in horizon.stretches) == 4000
    assert (horizon.stretches[0].start_ns, horizon.stretches[-1].end_ns) == (20 * S, 100 * S)


def ahead(*courses, spread=1e-9):
    stretches = tuple(
        Stretch(100 * S * index, (100 * index + 50) * S, 100.0) for index in range(len(courses[0]))
    )
    return Horizon(0, 0, spread, stretches, tuple(courses))


def test_an_order_is_worth_the_mean_of_what_comes_in_time_on_each_course():
    trial = Trial(ahead((100.0, 100.0), (100.0, 0.0)))
    urgent, patient = Item(3, 80, 0), Item(5, 80, 1)
    assert trial.value([urgent, patient]) == pytest.approx((8 + 3) / 2, abs=0.1)
    assert trial.value([patient, urgent]) == pytest.approx(5, abs=0.1)


def test_what_is_sent_in_vain_has_cost_its_bytes():
    trial = Trial(ahead((100.0,)))
    assert trial.value([Item(9, 120, 0), Item(1, 10, 0)]) < 0
    assert trial.value([Item(1, 10, 0), Item(9, 120, 0)]) == pytest.approx(1, abs=0.2)


def test_a_product_without_a_stretch_is_worth_nothing_and_costs_nothing():
    assert Trial(ahead((100.0,))).value([Item(9, 50, -1), Item(1, 99, 0)]) == 1


def test_what_is_still_to_be_made_takes_room_on_every_course():
    trial = Trial(ahead((100.0,), (30.0,)))
    trial.reserve([50.0])
    assert trial.value([Item(1, 49, 0)]) == pytest.approx(0.5, abs=0.01)
    assert trial.value([Item(1, 51, 0)]) < 0


def test_a_large_product_is_worth_more_the_sooner_it_is_done_even_between_two_courses():
    courses = (10.0,), (100.0,)
    large, small = Item(50, 60, 0), Item(1, 10, 0)

    def gain(spread):
        trial = Trial(ahead(*courses, spread=spread))
        return trial.value([large, small]) - trial.value([small, large])

    assert gain(0.5) > 0.5 > abs(gain(1e-9))


def test_a_gamble_s_chance_is_the_share_of_courses_that_carry_enough():
    trial = Trial(ahead((40.0,), (80.0,), (120.0,), (160.0,)))
    assert trial.most_bytes(0) == 160
    assert trial.most_bytes(-1) == 0
    assert trial.chance(0, 120, 100.0) == 0.5
    assert trial.chance(0, 120, 50.0) == 0.0
    assert trial.chance(-1, 1, 100.0) == 0.0
    assert trial.chance(0, 120, 0.0) == 0.0


def test_without_courses_the_spread_says_how_it_may_turn_out():
    trial = Trial(Horizon(0, 0, 0.2, (Stretch(0, S, 100.0),)))
    assert trial.chance(0, 100, 100.0) == 0.5
    assert trial.most_bytes(0) == pytest.approx(130.6)
