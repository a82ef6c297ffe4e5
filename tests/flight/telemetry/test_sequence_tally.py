from flight.telemetry.mqtt_messages import Numbered
from flight.telemetry.sequence_tally import Missed, SequenceTally


def numbered(boot, seq, dropped=0):
    return Numbered(boot=boot, seq=seq, dropped=dropped, t_ns=0, utc_s=0.0)


def test_a_restart_of_the_node_is_no_gap_and_hides_none():
    tally = SequenceTally()
    tally.take("state", numbered(1, 40))
    assert tally.take("state", numbered(2, 1)) == Missed()
    assert tally.take("state", numbered(3, 5, 1)) == Missed(at_node=1, on_the_way=3)


def test_streams_are_counted_apart_and_a_repetition_is_no_loss():
    tally = SequenceTally()
    for stream in ("tm/power", "evt/notice"):
        tally.take(stream, numbered(1, 1))
    assert tally.take("tm/power", numbered(1, 2)) == Missed()
    assert tally.take("tm/power", numbered(1, 2)) == Missed(repeated=True)
    assert tally.take("evt/notice", numbered(1, 3)) == Missed(on_the_way=1)
    assert (tally.at_node, tally.on_the_way, tally.repeated) == (0, 1, 1)
