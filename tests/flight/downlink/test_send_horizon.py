"""From mission time to bytes the line will have carried."""

from flight.downlink.send_horizon import ByteTime, Horizon, Stretch

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
