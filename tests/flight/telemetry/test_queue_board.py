import pytest

from flight.base.channels import Bounded, Overflow
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.queue_board import QueueBoard

MEASURES = ("capacity", "depth", "high_water", "dropped")


def told(channels, name):
    return [channels.get(f"queues.{name}_{measure}") for measure in MEASURES]


def test_every_registered_queue_tells_its_bound_its_depth_its_high_water_and_its_losses():
    channels = ChannelValues()
    board, queue = QueueBoard(channels), Bounded("frames", 3, Overflow.DROP_OLDEST)
    board.add(queue)
    for item in range(5):
        queue.offer(item)
    queue.take()
    board.tell()
    assert told(channels, "frames") == [3, 2, 3, 2]
    assert board.names == {"frames"}


def test_a_queue_made_anew_takes_the_place_of_the_former_and_its_losses_stay_counted():
    channels = ChannelValues()
    board = QueueBoard(channels)
    for lost in (2, 3):
        queue = Bounded("frames", 1, Overflow.DROP_OLDEST)
        board.add(queue)
        for item in range(lost + 1):
            queue.offer(item)
    board.tell()
    assert told(channels, "frames") == [1, 1, 1, 5]


def test_a_queue_that_the_table_does_not_know_or_knows_otherwise_is_a_fault_of_ours():
    board = QueueBoard(ChannelValues())
    with pytest.raises(AssertionError, match="queue_table"):
        board.add(Bounded("nameless", 1, Overflow.DROP_OLDEST))
    with pytest.raises(AssertionError, match="another policy"):
        board.add(Bounded("frames", 1, Overflow.REJECT_NEWEST))
