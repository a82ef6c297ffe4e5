"""What an operator is shown: what changed, what warns, what was lost, and never what harms."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.telemetry.dictionary import DICTIONARY_HASH, GROUPS, Severity
from flight.telemetry.event_actions import EVENT_ACTIONS
from flight.telemetry.mqtt_messages import EventTold, ParameterReport, ParameterTold, Topics
from flight.watch_lines import WatchLines, Wish, channel_list, severity_of, shown

TOPICS = Topics("n")
POWER, THERMAL = TOPICS.group("power"), TOPICS.group("thermal")
EPOCH = "1970-01-01T00:00:00.000Z"


def numbered(kind, seq, **told):
    return msgspec.json.encode(kind(boot=1, seq=seq, dropped=0, t_ns=5, utc_s=0.0, **told))


def telemetry(seq, **values):
    told = {"boot": 1, "seq": seq, "dropped": 0, "t_ns": 5, "utc_s": 0.0, "dictionary": "0"}
    return msgspec.json.encode({**told, "values": values})


def event(seq, name, severity, text="said"):
    return numbered(EventTold, seq, event=1, name=name, severity=severity, text=text, args={})


def lines(watch, topic, payload):
    return list(watch.lines(topic, payload))


def test_what_changed_is_shown_once_and_what_was_lost_is_told():
    watch = WatchLines(TOPICS, Wish(patterns=("power.*", "mode.current")))
    values = {"power.soc_estimate": 0.75, "queue.bytes": 1.0}
    assert lines(watch, POWER, telemetry(1, **values)) == [f"{EPOCH} power.soc_estimate = 0.75"]
    assert lines(watch, POWER, telemetry(2, **values)) == []
    assert lines(watch, POWER, telemetry(2, **{"power.soc_estimate": 0.1})) == [], "a repetition"
    lost, changed = lines(watch, POWER, telemetry(5, **{"power.soc_estimate": None}))
    assert lost == "tm/power: 0 dropped by the node, 2 lost on the way"
    assert changed.endswith("power.soc_estimate = ?")
    assert lines(watch, TOPICS.group("mode"), telemetry(1, **{"mode.current": 2}))[0].endswith(
        "mode.current = IDLE"
    )


def test_without_a_wish_all_is_shown_and_a_group_is_its_channels():
    values = {"power.bus_w": 12.5, "battery.voltage_v": 28.0, "new.channel": 1.0}
    everything = lines(WatchLines(TOPICS, Wish()), POWER, telemetry(1, **values))
    assert [line.split()[1] for line in everything] == list(values)
    group = lines(WatchLines(TOPICS, Wish(groups=("power",))), POWER, telemetry(1, **values))
    assert [line.split(" ", 1)[1] for line in group] == [
        "power.bus_w = 12.5 W", "battery.voltage_v = 28 V",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "word", "colour"),
    [(60.0, "", ""), (82.0, " YELLOW", "\x1b[33m"), (85.0, " RED", "\x1b[31m")],
)
def test_a_value_beyond_its_limits_says_so_in_words_and_in_colour(value, word, colour):
    for wish in (Wish(), Wish(colour=True)):
        (line,) = lines(WatchLines(TOPICS, wish), THERMAL, telemetry(1, **{"thermal.die_c": value}))
        plain = f"{EPOCH} thermal.die_c = {value:g} degC{word}"
        assert line == (f"{colour}{plain}\x1b[0m" if wish.colour and colour else plain)


def test_limits_are_in_json_too_and_colours_never():
    watch = WatchLines(TOPICS, Wish(as_json=True, colour=True))
    values = {"thermal.die_c": 90.0, "thermal.sink_c": 75.0, "thermal.terminal_c": 20.0}
    (line,) = lines(watch, THERMAL, telemetry(1, **values))
    assert json.loads(line) == {
        "topic": THERMAL,
        "message": {
            "t_ns": 5, "values": values,
            "limits": {"thermal.die_c": "ALARM", "thermal.sink_c": "WARNING"},
        },
    }  # fmt: skip


def test_events_are_shown_from_a_severity_on_and_say_what_to_do():
    watch = WatchLines(TOPICS, Wish(severity=Severity.WARNING))
    assert lines(watch, TOPICS.event(Severity.INFO), event(1, "ARMED", "INFO")) == []
    told, action = lines(watch, TOPICS.event(Severity.WARNING), event(1, "LINK_LOST", "WARNING"))
    assert told == f"{EPOCH} WARNING LINK_LOST: said"
    assert action == f"    to do: {EVENT_ACTIONS['LINK_LOST']}"
    as_json = WatchLines(TOPICS, Wish(as_json=True))
    (line,) = lines(as_json, TOPICS.event(Severity.ALARM), event(1, "STORE_FAILED", "ALARM"))
    assert json.loads(line)["action"] == EVENT_ACTIONS["STORE_FAILED"]
    (unknown,) = lines(watch, TOPICS.event(Severity.FATAL), event(1, "NEW", "WORSE"))
    assert "WORSE" in unknown, "a severity that we do not know is not hidden"


def test_a_node_that_speaks_another_dictionary_is_told_once():
    watch = WatchLines(TOPICS, Wish())
    state = {"node": "n", "online": True, "mode": "IDLE", "dictionary": DICTIONARY_HASH}
    assert lines(watch, TOPICS.state, msgspec.json.encode(state)) == ["n online, IDLE"]
    foreign = msgspec.json.encode({**state, "dictionary": "ab" * 32})
    warned, online = lines(watch, TOPICS.state, foreign)
    assert warned.startswith("n speaks another dictionary (abababab, ours is ")
    assert online == "n online, IDLE"
    assert lines(watch, TOPICS.state, foreign) == ["n online, IDLE"]
    gone = msgspec.json.encode({"node": "n", "online": False, "cause": "lost", "seq": 1})
    assert lines(watch, TOPICS.state, gone) == ["n offline, lost"]
    assert lines(watch, TOPICS.state, gone) == ["n offline, lost"], "its number counts for nothing"


def test_a_report_of_the_parameters_shows_those_that_are_not_at_default():
    row = {"default": 10.0, "low": 1.0, "high": 600.0, "unit": "s"}
    values = {
        "telemetry.period_s": ParameterTold(value=1.0, differs=True, **row),
        "command.loss_timeout_s": ParameterTold(value=10.0, differs=False, **row),
    }
    report = numbered(ParameterReport, 1, dictionary="0", values=values)
    assert lines(WatchLines(TOPICS, Wish()), TOPICS.parameters, report) == [
        f"{EPOCH} 2 parameters, not at default: 1",
        "    telemetry.period_s = 1 s (default 10)",
    ]


anything = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
message = st.fixed_dictionaries(
    {"boot": st.integers(0, 3), "seq": st.integers(0, 2**62), "dropped": st.integers(0, 2**62),
     "t_ns": st.integers(), "utc_s": st.floats(allow_nan=False, allow_infinity=False)},
    optional={"dictionary": st.text(), "values": anything, "event": st.integers(),
              "name": st.text(), "severity": st.text(), "text": st.text(), "args": anything,
              "online": anything, "node": anything, "mode": anything},
)  # fmt: skip
topics = st.sampled_from(
    [POWER, TOPICS.state, TOPICS.parameters, TOPICS.event(Severity.ALARM), "elsewhere"]
)


@given(st.lists(st.tuples(topics, st.one_of(
    message.map(lambda told: json.dumps(told).encode()), anything.map(lambda told:
    json.dumps(told).encode()), st.binary())), max_size=6), st.booleans())  # fmt: skip
def test_whatever_a_broker_forges_it_is_lines_that_cannot_write_on_a_terminal(messages, as_json):
    watch = WatchLines(TOPICS, Wish(as_json=as_json))
    for topic, payload in messages:
        for line in watch.lines(topic, payload):
            assert as_json or line.isprintable()
            assert "\n" not in line
            if as_json:
                json.loads(line)


def test_values_are_shown_with_unit_or_label():
    assert shown("power.bus_w", 1.5) == "1.5 W"
    assert shown("power.soc_estimate", 0.5) == "0.5"
    assert shown("mode.current", 1) == "SAFE"
    assert shown("mode.current", 99) == "99"
    assert shown("no.such", 1 / 3) == "0.333333"
    assert severity_of("no.such", 1e9) is Severity.INFO
    assert severity_of("thermal.die_c", None) is Severity.INFO


def test_the_list_has_every_group():
    heads = [line for line in channel_list(as_json=False).splitlines() if line[0] != " "]
    assert heads == list(GROUPS)
