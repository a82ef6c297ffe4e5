"""The interface pages: whoever decodes by them alone reads what the node meant."""

import re
import struct
from math import isnan, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight.icd_pages import icd_pages
from flight.telemetry.dictionary import (
    CHANNELS,
    COMMAND_BY_NAME,
    COMMANDS,
    DICTIONARY_HASH,
    EVENTS,
    GROUPS,
    PARAMETERS,
    Kind,
)
from flight.wire.parameter_report import ReportedParameter, encode_parameters
from flight.wire.space_packet import Apid
from flight.wire.telecommand import CommandReason, Stage, decode_telecommand
from flight.wire.telemetry import encode_housekeeping

PAGES = icd_pages()
CODES = {"float64": ">d", "uint8": ">B"}


def rows(page, title=""):
    """The cells of a page's tables below a title."""
    text = PAGES[page].partition(title)[2] if title else PAGES[page]
    text = text.partition("\n## ")[0] if title else text
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in lines if not set(line) <= set("|- ")]  # fmt: skip


def group_rows(number, group):
    return rows("telemetry.md", f"## Group {number}: {group}\n")[1:]


def value_of(channel):
    if channel.kind in (Kind.ENUM, Kind.FLAG):
        return st.one_of(st.just(nan), st.integers(0, 255).map(float))
    return st.one_of(st.just(nan), st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize(("number", "group"), list(enumerate(GROUPS)), ids=list(GROUPS))
@given(chance=st.data())
def test_a_packet_is_read_by_the_octets_and_bits_of_its_page_alone(number, group, chance):
    row = [nan] * len(CHANNELS)
    for channel in GROUPS[group]:
        row[channel] = chance.draw(value_of(CHANNELS[channel]))
    data = encode_housekeeping(group, row)
    assert data[:4].hex() == DICTIONARY_HASH[:8]
    assert data[4] == number
    told = {}
    for octet, bit, name, kind, *_ in group_rows(number, group):
        (value,) = struct.unpack_from(CODES[kind], data, int(octet))
        is_valid = data[5 + int(bit) // 8] >> int(bit) % 8 & 1
        told[name] = value if is_valid else nan
    expected = {CHANNELS[i].name: row[i] for i in GROUPS[group]}
    assert told.keys() == expected.keys()
    for name, value in expected.items():
        assert told[name] == value or (isnan(told[name]) and isnan(value)), name


@pytest.mark.parametrize(("number", "group"), list(enumerate(GROUPS)), ids=list(GROUPS))
def test_a_group_s_length_is_that_of_its_packet(number, group):
    packet = encode_housekeeping(group, [nan] * len(CHANNELS))
    title = f"## Group {number}: {group}\n\n{len(packet)} octets of data."
    assert title in PAGES["telemetry.md"]


def test_units_labels_and_limits_are_the_dictionary_s():
    shown = {
        cells[2]: cells
        for number, group in enumerate(GROUPS)
        for cells in group_rows(number, group)
    }
    for channel in CHANNELS:
        cells = shown[channel.name]
        assert cells[4] == channel.unit
        for label in channel.labels:
            assert label in cells[7]
    assert shown["thermal.die_c"][5] == "yellow >= 82, red >= 85"
    assert shown["battery.temp_c"][5] == "yellow <= 0 or >= 45, red <= -10 or >= 55"


def test_every_example_of_a_command_is_one_that_the_node_takes():
    examples = [cells for cells in rows("commands.md") if ", id 1" in cells[0]]
    assert len(examples) == 2
    for text, data in examples:
        words = text.partition(",")[0].strip("`").split()
        decoded = decode_telecommand(bytes.fromhex(data))
        assert decoded.command_id == 1
        given = dict(word.split("=") for word in words[1:])
        assert decoded.command == COMMAND_BY_NAME[words[0]].arguments(**given)


def test_every_command_argument_answer_event_and_parameter_is_on_its_page():
    commands = {cells[0]: cells for cells in rows("commands.md") if len(cells) == 5}
    for command in COMMANDS:
        cells = commands[command.name]
        for field in msgspec.structs.fields(command.arguments):
            assert f"`{field.encode_name}`: " in f"`{cells[1]}"
        assert bool(cells[3]) == command.dangerous
    answers = {tuple(cells) for cells in rows("commands.md", "## Answers")}
    for name in (*Stage, *CommandReason):
        assert (str(name.value), name.name.lower()) in answers
    events = {int(cells[0]): cells for cells in rows("events.md")[1:]}
    for event in EVENTS:
        assert events[event.event_id][1:4] == [
            event.name, f"{event.severity.name} ({event.severity.value})", event.text,
        ]  # fmt: skip
    parameters = rows("parameters.md")[1:]
    assert [cells[1] for cells in parameters] == [each.name for each in PARAMETERS]
    assert {f"0x{apid:03X}" for apid in Apid} == {
        cells[0] for cells in rows("README.md") if cells[0].startswith("0x")
    }


def test_a_parameter_s_number_is_that_of_its_report():
    name = PARAMETERS[7].name
    (data,) = encode_parameters([ReportedParameter(name, 12.5, differs=True)])
    (number, flags, value) = struct.unpack_from(">HBd", data, 6)
    assert rows("parameters.md")[1 + number][1] == name
    assert (flags, value) == (1, 12.5)
