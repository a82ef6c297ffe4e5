"""What the page on sequences shows compiles, flies and does what the page says."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from flight.sequence_file import RESPONSES, read_sequence, sequence_from
from flight.telemetry.command_table import DisableInference, EnableInference
from flight.wire.telecommand import CommandReason
from hil.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/sequences.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs/examples"


def test_the_excerpt_on_the_page_is_a_sequence_and_the_example_is_the_one_that_flies():
    (excerpt,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    shown = sequence_from(tomllib.loads(excerpt), "the page")
    example = read_sequence(EXAMPLES / "night.toml")
    assert (shown.name, shown.steps[0], shown.steps[-1]) == (
        example.name,
        example.steps[0],
        example.steps[-1],
    )
    assert isinstance(example.steps[0].command, DisableInference)
    assert isinstance(example.steps[-1].command, EnableInference)
    scenario = load_scenario(str(EXAMPLES / "night-flight.toml"))
    (flown,) = [e.sequence for e in scenario.timeline if e.action == "sequence"]
    assert sequence_from(flown, "the scenario") == example


def test_every_reason_and_every_shipped_response_is_on_the_page():
    for reason in CommandReason:
        assert reason is CommandReason.NONE or f"`{reason.name.lower()}`" in PAGE
    for path in RESPONSES.glob("*.toml"):
        assert f"`{path.stem}`" in PAGE


@pytest.mark.slow
def test_the_example_flies_over_its_power_cut_and_its_expectations_hold(lumenode, tmp_path):
    flown = lumenode("run", EXAMPLES / "night-flight.toml", "--out", tmp_path / "run", "--json")
    assert flown.returncode == 0, flown.stderr
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert [e["verdict"] for e in summary["expectations"]] == ["pass"] * 3
    assert len(summary["resets"]) == 1
    told = [json.loads(line) for line in (tmp_path / "run/events.jsonl").read_text().splitlines()]
    steps = [e["args"]["step"] for e in told if e["name"] == "SEQUENCE_STEP"]
    assert steps == [1, 2, 3, 4]
    again = lumenode("replay", tmp_path / "run")
    assert again.returncode == 0, again.stderr
