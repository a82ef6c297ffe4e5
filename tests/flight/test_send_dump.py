"""A set that comes down is whole and as it was told, or it is none."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.commanding.loadable import Dumped
from flight.config import ConfigError
from flight.operator_session_mqtt import Answer
from flight.send_dump import Collector, ask_dump, dump_of, holds, settle
from flight.send_load import Load
from flight.telemetry.mqtt_messages import Topics
from flight.telemetry.mqtt_outbox import Outbox
from flight.wire.crc import crc32c

TOPICS = Topics("lumenode-1")
DATA = bytes(i % 251 for i in range(100_000))


def told(data, t_ns=1, kind="model", capacity=64):
    outbox = Outbox(TOPICS, capacity, 0)
    outbox.on_dump(Dumped(kind, 1, data), t_ns)
    found = []
    while (message := outbox.head(1)) is not None:
        outbox.sent()
        found.append((message.topic, message.payload))
    return found


def collector(messages, kind="model"):
    made = Collector(kind, TOPICS.loads)
    for topic, payload in messages:
        made.take(topic, payload)
    return made


@given(st.permutations(told(DATA)), st.lists(st.sampled_from(told(DATA))))
def test_pieces_make_the_set_in_any_order_and_more_than_once(pieces, again):
    assert collector([*pieces, *again]).whole() == DATA


@given(st.lists(st.sampled_from(told(DATA)[1:])), st.lists(st.binary(max_size=40)))
def test_without_one_of_its_pieces_it_is_none_whatever_else_comes(pieces, rubbish):
    noise = [(TOPICS.loads, each) for each in rubbish]
    assert collector([*noise, *pieces, ("elsewhere", b"x"), (TOPICS.loads, None)]).whole() is None


def test_a_damaged_piece_and_one_of_another_dump_or_kind_make_no_set():
    pieces = told(DATA)
    topic, payload = pieces[1]
    piece = msgspec.json.decode(payload)
    piece["data"] = "AAAA" + piece["data"][4:]
    damaged = (topic, msgspec.json.encode(piece))
    assert collector([pieces[0], damaged, *pieces[2:]]).whole() is None
    assert collector([pieces[0], *told(DATA, t_ns=2)[1:]]).whole() is None
    assert collector(told(DATA, kind="songs")).whole() is None
    assert collector([pieces[0], *told(b"short", t_ns=3)]).whole() == b"short"


class Session:
    """Answers as told, then gives the messages one by one."""

    def __init__(self, stage, messages, collected):
        self.stage, self.messages, self.collected = stage, messages, collected

    async def listen(self, topic):
        assert topic == TOPICS.loads

    async def ask(self, command):
        return Answer(7, "LOAD_DUMP", self.stage, "")

    async def other(self):
        if not self.messages:
            return False
        self.collected.take(*self.messages.pop(0))
        return True


@pytest.mark.parametrize(
    ("stage", "messages", "data", "said"),
    [("completed", told(DATA), DATA, ""), ("failed", told(DATA), None, ""),
     ("completed", told(DATA)[:-1], None, "pieces of it are missing")],
)  # fmt: skip
def test_it_is_there_when_the_node_has_completed_and_all_of_it_came(
    capsys, stage, messages, data, said
):
    answers, made = [], Collector("model", TOPICS.loads)
    session = Session(stage, list(messages), made)
    assert asyncio.run(ask_dump(session, made, answers.append)) == data
    assert [answer.stage for answer in answers] == [stage]
    assert said in capsys.readouterr().err


def test_a_sequence_is_compared_with_those_on_board_anything_else_octet_by_octet():
    night = Load("sequence", 1, b"night", "")
    assert holds(msgspec.msgpack.encode([b"day", b"night"]), night)
    assert not holds(msgspec.msgpack.encode([b"day"]), night)
    assert not holds(b"\xc1", night)
    assert holds(b"{}", Load("parameters", 1, b"{}", ""))
    assert not holds(b"{ }", Load("parameters", 1, b"{}", ""))


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    wanted = dump_of(["model", str(tmp_path / "none" / "model.bin")], None, None)
    with pytest.raises(ConfigError, match=r"model\.bin: No such file"):
        settle(wanted, DATA, as_json=False)


def test_what_it_is_is_a_line_for_people_and_an_object_for_programs(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text("power.soc_floor = 0.5\n")
    wanted = dump_of(["parameters", str(tmp_path / "down.json")], str(path), None)
    good, other = wanted.like.data, b"{}"
    line, is_well = settle(wanted, good, as_json=False)
    assert is_well
    assert line.endswith(f"down.json, CRC-32C {crc32c(good):08x}, as in the file")
    assert wanted.file.read_bytes() == good
    line, is_well = settle(wanted, other, as_json=True)
    told = msgspec.json.decode(line)
    assert (is_well, told["same"], told["bytes"]) == (False, False, 2)
    line, is_well = settle(dump_of(["parameters"], None, None), other, as_json=False)
    assert (line, is_well) == (f"load parameters: 2 B, CRC-32C {crc32c(other):08x}", True)
