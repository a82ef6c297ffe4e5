from flight.telemetry.dictionary import CHANNEL_INDEX, CHANNELS
from flight.telemetry.queue_table import QUEUES


def test_every_queue_has_its_four_channels_side_by_side():
    for queue in QUEUES:
        at = CHANNEL_INDEX[f"queues.{queue.name}_capacity"]
        names = [channel.name.rpartition(queue.name)[2] for channel in CHANNELS[at : at + 4]]
        assert names == ["_capacity", "_depth", "_high_water", "_dropped"]
        assert {channel.host for channel in CHANNELS[at : at + 4]} == {queue.on_host}


def test_a_queue_is_named_once_and_its_policy_is_one_of_three():
    assert len({queue.name for queue in QUEUES}) == len(QUEUES)
    assert {queue.policy for queue in QUEUES} <= {"oldest", "newest", "least valuable"}
