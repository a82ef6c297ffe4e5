"""The page on operating keeps its word: every command in its blocks is run, in its order."""

import re

import pytest
from page_reader import BLOCKS, PATIENCE_S, ROOT, Reader

from flight.boot_record import LOOP_STARTS
from flight.telemetry.dictionary import CHANNELS, COMMANDS, EVENTS, Severity
from flight.wire.link_security import SecurityVerdict

PAGE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_whoever_types_the_page_from_top_to_bottom_sees_what_it_says(tmp_path):
    reader = Reader(tmp_path)
    try:
        reader.reads(PAGE)
        assert reader.flight.wait(PATIENCE_S) == 0, "RESET_NODE is the last that it is told"
    finally:
        reader.leaves()
    said, log = reader.said, reader.log()
    assert said["lumenode watch --for 12"].startswith("lumenode-1 online, ")
    assert "power.bus_w = " in said["lumenode watch --group power thermal.die_c --for 12"]
    assert said["lumenode send NO_OP"].endswith(" completed\n")
    assert (
        "rejected: out_of_range"
        in said["! lumenode send SET_PARAMETER name=power.soc_floor value=7"]
    )
    for word in ("to SAFE: command", "SAFE to IDLE: command", "PARAMETERS_REPLACED",
                 "EVENT_FILTER_SET", "KEEP_OUTS_CHANGED", "KEEP_OUTS_REFUSED",
                 "reset by command"):  # fmt: skip
        assert word in log
    assert (tmp_path / "interface" / "dictionary.json").exists()
    assert (tmp_path / "broker-keys" / "operator.crt").exists()


def test_there_is_more_than_a_handful_to_type_and_the_reset_comes_last_of_what_needs_the_node():
    lines = [
        line for kind, text in BLOCKS.findall(PAGE) if kind == "sh" for line in text.splitlines()
    ]
    assert len(lines) >= 20
    last = max(i for i, line in enumerate(lines) if "--config" in line)
    assert "RESET_NODE" in lines[last]


def test_every_command_and_every_event_that_warns_is_on_the_page():
    for command in COMMANDS:
        assert f"| `{command.name}` |" in PAGE
    for event in EVENTS:
        row = f"| `{event.name}` | {event.severity.name} |"
        assert (row in PAGE) == (event.severity >= Severity.WARNING), event.name


def test_every_verdict_that_the_page_names_is_one():
    (cell,) = re.findall(r"`verdict`: ([^|]+) \|", PAGE)
    named = re.findall(r"`(\w+)`", cell)
    assert len(named) == 3
    assert set(named) <= {verdict.value for verdict in SecurityVerdict}
    assert (LOOP_STARTS == 3) == ("after three unplanned starts" in PAGE)


def test_every_channel_that_the_page_names_is_there():
    names = {channel.name for channel in CHANNELS}
    groups = {channel.name.partition(".")[0] for channel in CHANNELS}
    table = PAGE.partition("## Once a day")[2].partition("## When")[0]
    for name in re.findall(r"`([a-z]+\.[a-z_*]+)`", table):
        pattern = re.escape(name).replace(r"\*", ".+")
        assert any(re.fullmatch(pattern, known) for known in names), name
        assert name.partition(".")[0] in groups
