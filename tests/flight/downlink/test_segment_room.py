"""How much of each segment is needed."""

import pytest

from flight.downlink.segment_tending import SegmentRoom


def test_the_emptiest_is_the_one_with_the_smallest_share_of_its_own_size():
    room = SegmentRoom()
    room.add(1, 40)
    room.add(2, 60)
    assert room.emptiest([(1, 100), (2, 200)], 0.5) == 2
    assert room.emptiest([(1, 100), (2, 200)], 0.3) is None, "a share of 0.3 is not below 0.3"
    assert room.emptiest([], 0.9) is None
    room.take(1, 40)
    assert room.alive_bytes(1) == 0
    assert room.emptiest([(1, 100), (2, 200)], 0.5) == 1


def test_room_is_never_given_back_twice():
    room = SegmentRoom()
    room.add(1, 8)
    with pytest.raises(AssertionError):
        room.take(1, 16)
