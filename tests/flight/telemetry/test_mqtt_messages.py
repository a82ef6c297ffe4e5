import json
from math import nan

import pytest

from flight.commanding.parameters import ParameterTable
from flight.telemetry.definitions import Kind, Severity
from flight.telemetry.dictionary import CHANNELS, DICTIONARY_HASH, EVENTS, GROUPS
from flight.telemetry.mqtt_messages import (
    Topics,
    dictionary_payload,
    group_values,
    parameter_values,
)

S = 1_000_000_000
TOPICS = Topics("lumenode-1")
ROW = [float(i % 7) for i in range(len(CHANNELS))]


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "a b", "-a", "ä", "x" * 65])
def test_a_name_that_would_break_topics_is_refused(name):
    with pytest.raises(ValueError, match="node name"):
        Topics(name)


def test_topics_are_those_an_access_list_is_written_for():
    assert TOPICS.state == "lumenode/1/lumenode-1/state"
    assert TOPICS.group("power") == "lumenode/1/lumenode-1/tm/power"
    assert TOPICS.event(Severity.ALARM) == "lumenode/1/lumenode-1/evt/alarm"
    assert TOPICS.command("NO_OP") == "lumenode/1/lumenode-1/cmd/NO_OP"
    assert TOPICS.ack(7) == "lumenode/1/lumenode-1/ack/7"
    assert TOPICS.stream_of(TOPICS.ack(7)) == TOPICS.stream_of(TOPICS.ack(8)) == "ack"
    assert TOPICS.stream_of(TOPICS.group("power")) == "tm/power"


def test_a_group_message_has_every_channel_of_its_group_and_null_where_nothing_is_known():
    row = [nan, *ROW[1:]]
    for group, indices in GROUPS.items():
        values = group_values(group, row)
        assert list(values) == [CHANNELS[i].name for i in indices]
        for i in indices:
            value = values[CHANNELS[i].name]
            assert (value is None) == (i == 0)
            assert value is None or isinstance(value, int) == (CHANNELS[i].kind is not Kind.FLOAT)


def test_the_dictionary_message_decodes_everything_the_node_can_say():
    told = json.loads(dictionary_payload("0.1.0"))
    assert told["hash"] == DICTIONARY_HASH
    assert [each["name"] for each in told["channels"]] == [channel.name for channel in CHANNELS]
    assert [each["event_id"] for each in told["events"]] == [event.event_id for event in EVENTS]
    assert {"NO_OP", "SET_MODE"} <= {each["name"] for each in told["commands"]}


def test_a_report_tells_of_each_parameter_what_holds_what_may_hold_and_whether_it_is_the_default():
    told = parameter_values(ParameterTable({"power.soc_floor": 0.6}).rows())
    floor, safe = told["power.soc_floor"], told["power.soc_safe"]
    assert (floor.value, floor.default, floor.low, floor.high) == (0.6, 0.55, 0.2, 0.9)
    assert (floor.differs, safe.differs, floor.unit) == (True, False, "1")
