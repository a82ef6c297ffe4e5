"""The page on fault protection keeps its word: its commands run, its tables are the node's."""

import re
import tomllib

import pytest
from page_reader import BLOCKS, ROOT, Reader

from flight.fdir.recovery_load import LimitTuning, RecoverySet, RowTuning
from flight.fdir.recovery_row import Action
from flight.fdir.safety_tables import LIMIT_NAMES, RECOVERIES
from flight.modes.mode_table import TRANSITIONS
from flight.telemetry.definitions import Health, Mode
from flight.telemetry.dictionary import CHANNEL_INDEX, COMMANDS, EVENT_BY_NAME, PARAMETER_BY_NAME

PAGE = (ROOT / "docs/fault-protection.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_whoever_types_the_page_from_top_to_bottom_sees_what_it_says(tmp_path):
    reader = Reader(tmp_path)
    try:
        reader.reads(PAGE)
    finally:
        reader.leaves()
    log, said = reader.log(), reader.said
    for word in (
        "sink too hot is shadow",
        "sink too hot is active",
        "link stands still is armed",
        "health of heater: healthy to external_control, taken over by command",
        "to SAFE: command",
        "SAFE to IDLE: command",
    ):
        assert word in log, word
    for how in ("activated", "rolled back"):
        assert re.search(rf"recoveries.*{how}", log), how
    watched = said["lumenode watch --group recovery health.main --for 12"]
    assert "recovery.sink_too_hot = armed" in watched
    assert "health.main = healthy" in watched
    refused = "! lumenode send SET_HEALTH component=main word=PERMANENTLY_FAULTY --confirm"
    assert "failed: refused" in said[refused]
    for run in ("beam-stuck --out runs/beam", "engine-lost --out runs/engine"):
        assert "PASS" in said[f"lumenode run {run}"]
        assert (tmp_path / run.split()[-1] / "report.html").exists()


def test_the_example_of_a_load_says_every_kind_of_thing_that_a_load_may_say():
    (text,) = [text for kind, text in BLOCKS.findall(PAGE) if kind == "toml"]
    wanted = tomllib.loads(text)
    assert set(wanted) == set(RecoverySet.__struct_fields__)
    for name in (*LimitTuning.__struct_fields__, *RowTuning.__struct_fields__):
        assert f"`{name}`" in PAGE, name


def test_every_row_and_limit_and_word_and_way_into_safe_is_on_the_page():
    for name in LIMIT_NAMES:
        assert f"| `{name}` |" in PAGE
    for row in RECOVERIES:
        assert f"| {row.precedence} | `{row.name}` | `{row.condition}` |" in PAGE
    for word in Health:
        assert f"| `{word.name.lower()}` |" in PAGE
    ways = PAGE.partition("<!-- generated: criteria -->")[2].partition("<!-- end")[0]
    for row in RECOVERIES:
        assert (f"| `{row.name}` |" in ways) is (Action.ENTER_SAFE in row.actions)


def test_every_arrow_of_the_diagram_is_a_row_of_the_mode_table_and_every_row_an_arrow():
    diagram = ARCHITECTURE.partition("<!-- generated: modes -->")[2].partition("```\n")[0]
    drawn = {
        (source, target, cause)
        for source, target, causes in re.findall(
            r"^ +(\w+) --> (\w+): (.+)$", diagram, re.MULTILINE
        )
        for cause in causes.split("<br>")
    }
    rows = {
        (mode.name, row.target.name, row.cause)
        for row in TRANSITIONS for mode in Mode if mode in row.source
    }  # fmt: skip
    assert drawn == rows
    assert "[*] --> BOOT: reset" in diagram


def test_every_command_event_channel_and_parameter_that_the_page_names_is_there():
    text = re.sub(r"<!-- generated.*?<!-- end: \w+ -->", "", PAGE, flags=re.DOTALL)
    known = {command.name for command in COMMANDS} | set(EVENT_BY_NAME)
    for name in re.findall(r"`([A-Z]+_[A-Z_]+)(?:[ `])", text):
        assert name in known, name
    for name in re.findall(r"`((?:mode|command|power)\.[a-z_]+)`", text):
        assert name in CHANNEL_INDEX or name in PARAMETER_BY_NAME, name
