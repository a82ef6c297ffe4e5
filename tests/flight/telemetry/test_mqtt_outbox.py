import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.commanding.dispatcher import Dispatched
from flight.commanding.loadable import Dumped
from flight.telemetry.definitions import Severity
from flight.telemetry.dictionary import CHANNELS, DICTIONARY_HASH, GROUPS
from flight.telemetry.event_log import Event
from flight.telemetry.mqtt_messages import Ack, EventTold, LoadTold, Numbered, Telemetry, Topics
from flight.telemetry.mqtt_outbox import LOAD_PIECE_BYTES, Outbox
from flight.telemetry.sequence_tally import SequenceTally
from flight.wire.crc import crc32c
from flight.wire.telecommand import CommandReason, Stage, VerificationReport

S = 1_000_000_000
TOPICS = Topics("lumenode-1")
ROW = [float(i % 7) for i in range(len(CHANNELS))]


def event(event_id=2, t_ns=S):
    return Event(event_id, t_ns, {"old": "IDLE", "new": "COMPUTE", "cause": "power"})


def drained(outbox, boot=1):
    while (message := outbox.head(boot)) is not None:
        outbox.sent()
        yield message


def numbers(messages):
    return [msgspec.json.decode(message.payload, type=Numbered) for message in messages]


def test_events_and_answers_go_before_telemetry_and_debug_stays_on_board():
    outbox = Outbox(TOPICS, 64, 5 * S)
    outbox.sample(ROW, list(GROUPS), S)
    outbox.on_event(event(event_id=30))
    outbox.on_event(event())
    report = VerificationReport(2**60, Stage.REJECTED, CommandReason.WRONG_MODE)
    outbox.on_answer(Dispatched("SET_MODE", (report,)), S)
    first, second, *rest = drained(outbox, boot=3)
    told = msgspec.json.decode(first.payload, type=EventTold)
    assert (first.topic, told.boot, told.utc_s) == (TOPICS.event(Severity.NOTICE), 3, 6.0)
    assert told.text == "mode IDLE to COMPUTE: power"
    ack = msgspec.json.decode(second.payload, type=Ack)
    assert (ack.id, ack.stage, ack.reason) == (str(2**60), "rejected", "wrong_mode")
    assert [message.topic for message in rest] == [TOPICS.group(group) for group in GROUPS]
    assert msgspec.json.decode(rest[0].payload, type=Telemetry).dictionary == DICTIONARY_HASH[:8]


def test_the_head_stays_until_the_broker_has_taken_it():
    outbox = Outbox(TOPICS, 2, 0)
    for _ in range(5):
        outbox.on_event(event())
    first = outbox.head(1)
    for _ in range(5):
        outbox.on_event(event())
    assert outbox.head(1) is first
    outbox.sent()
    assert outbox.head(1) is not first


def test_a_flood_of_telemetry_displaces_no_event():
    outbox = Outbox(TOPICS, 2 * len(GROUPS), 0)
    outbox.on_event(event())
    for t in range(5):
        outbox.sample(ROW, list(GROUPS), t * S)
    assert next(drained(outbox)).topic == TOPICS.event(Severity.NOTICE)
    assert outbox.dropped == 3 * len(GROUPS)
    assert outbox.high_water == 2 * len(GROUPS) + 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(["event", "take", "lose", "repeat"]), max_size=60))
def test_a_reader_can_tell_what_the_node_dropped_from_what_was_lost_on_the_way(steps):
    outbox, tally = Outbox(TOPICS, 3, 0), SequenceTally()
    outbox.on_event(event())
    seen = numbers(drained(outbox))
    tally.take("evt", seen[0])
    lost = 0
    for step in steps:
        if step == "event":
            outbox.on_event(event())
        elif step == "repeat":
            assert tally.take("evt", seen[-1]).repeated
        elif (message := outbox.head(1)) is not None:
            outbox.sent()
            if step == "lose":
                lost += 1
            else:
                seen += numbers([message])
                tally.take("evt", seen[-1])
    outbox.on_event(event())
    for message in numbers(drained(outbox)):
        tally.take("evt", message)
    assert (tally.at_node, tally.on_the_way) == (outbox.dropped, lost)


@pytest.mark.parametrize("size", [1, LOAD_PIECE_BYTES, LOAD_PIECE_BYTES + 1, 262_144])
def test_a_set_in_force_goes_out_in_pieces_that_make_it_again(size):
    outbox, data = Outbox(TOPICS, 64, 0), bytes(i % 251 for i in range(size))
    outbox.on_dump(Dumped("model", 7, data), S)
    pieces = [msgspec.json.decode(each.payload, type=LoadTold) for each in drained(outbox)]
    assert b"".join(piece.data for piece in pieces) == data
    assert {(p.kind, p.version, p.size_bytes, p.crc32c) for p in pieces} == {
        ("model", 7, size, crc32c(data))
    }
    assert [piece.seq for piece in pieces] == list(range(1, len(pieces) + 1))
