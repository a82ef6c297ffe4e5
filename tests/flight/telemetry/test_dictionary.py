"""The tables together: what ground, bench and documents rely on."""

import hashlib
import re
import string
import subprocess
import sys

import any_command
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.dictionary import (
    CHANNEL_INDEX,
    CHANNELS,
    COMMAND_BY_NAME,
    COMMANDS,
    DICTIONARY_HASH,
    EVENTS,
    GROUPS,
    PARAMETERS,
    Command,
    Kind,
    Mode,
)


def fields_of(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_channel_travels_in_exactly_one_housekeeping_group():
    travelling = [index for group in GROUPS.values() for index in group]
    assert sorted(travelling) == list(range(len(CHANNELS)))


def test_every_channel_says_what_it_is_and_enums_name_their_values():
    for channel in CHANNELS:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", channel.name)
        assert channel.description
        assert bool(channel.labels) == (channel.kind is Kind.ENUM), channel.name
        assert len(set(channel.labels)) == len(channel.labels) < 256
        assert channel.host == (channel.group == "host")


UNITS = {"_w": "W", "_c": "degC", "_v": "V", "_a": "A", "_s": "s", "_bytes": "B", "_j": "J"}


@pytest.mark.parametrize(("suffix", "unit"), UNITS.items())
def test_a_unit_in_the_name_is_the_unit_of_the_channel(suffix, unit):
    named = [c for c in CHANNELS if c.name.endswith(suffix)]
    assert named
    assert {c.unit for c in named} == {unit}


def test_event_numbers_and_names_are_unique_and_the_key_is_in_the_sentence():
    assert len({e.event_id for e in EVENTS}) == len({e.name for e in EVENTS}) == len(EVENTS)
    for event in EVENTS:
        assert not event.key or event.key in fields_of(event.text), event.name
        assert len(fields_of(event.text)) <= 12


def test_every_default_parameter_lies_in_its_own_range():
    for parameter in PARAMETERS:
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.low < parameter.high
        assert parameter.description


@settings(deadline=None, max_examples=20)
@pytest.mark.parametrize("definition", COMMANDS, ids=lambda c: c.name)
@given(chance=st.data())
def test_every_command_decodes_under_its_own_tag_and_needs_an_awake_node(definition, chance):
    given_one = chance.draw(any_command.of(definition))
    content = {"type": definition.name, **msgspec.structs.asdict(given_one)}
    command = msgspec.convert(content, Command, builtin_types=(bytes,))
    assert command == given_one
    at_boot = {"NO_OP", "RESET_NODE", "CLEAR_RESETS"}
    assert (Mode.BOOT in definition.modes) is (definition.name in at_boot)
    assert Mode.SAFE in definition.modes, "a node in SAFE must hear every command"


@pytest.mark.parametrize(
    "content",
    [
        {"type": "SET_MODE", "mode": "DOWNLINK"},
        {"type": "SET_MODE", "mode": "BOOT"},
        {"type": "DELETE_PRODUCT", "product_id": 0},
        {"type": "DELETE_PRODUCT", "product_id": 2**63},
        {"type": "REPRIORITISE", "product_id": 1, "value_millis": -1},
        {"type": "SET_PARAMETER", "name": "", "value": 1.0},
        {"type": "SELF_DESTRUCT"},
    ],
)
def test_a_command_out_of_its_range_never_becomes_a_value(content):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(content, Command)


def test_the_hash_is_of_the_content_alone_and_the_same_in_every_process():
    code = "from flight.telemetry.dictionary import DICTIONARY_HASH as h; print(h)"
    for seed in ("1", "77"):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        )
        assert ran.stdout.strip() == DICTIONARY_HASH
    assert len(DICTIONARY_HASH) == hashlib.sha256().digest_size * 2


def test_channels_start_unknown_and_are_stored_by_index():
    channels = ChannelValues()
    assert all(value != value for value in channels.values)
    channels.values[channels.index("thermal.die_c")] = 41.5
    assert channels.get("thermal.die_c") == channels.values[CHANNEL_INDEX["thermal.die_c"]] == 41.5
    with pytest.raises(KeyError):
        channels.index("thermal.no_such")


def test_commands_are_found_by_name():
    assert set(COMMAND_BY_NAME) == {c.name for c in COMMANDS}
