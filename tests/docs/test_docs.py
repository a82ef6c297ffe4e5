"""The docs keep their word: generated parts are current, and whatever they name is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from flight.__main__ import COMMANDS
from hal.terminal_registers import TermFault, TermRegister
from hil.scenario import load_scenario

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import generate  # noqa: E402  a script, found by its folder
import reference_parts  # noqa: E402
import scenario_keys  # noqa: E402

PAGES = (
    "README.md",
    "docs/ARCHITECTURE.md",
    "docs/HACKING.md",
    "docs/SCENARIOS.md",
    "docs/bench.md",
    "docs/deploy/mosquitto.md",
    "docs/camera.md",
    "docs/cfdp.md",
    "docs/fault-protection.md",
    "docs/governor.md",
    "docs/hal.md",
    "docs/icd/README.md",
    "docs/operating.md",
    "docs/raspberry-pi.md",
    "docs/jetson.md",
    "docs/models.md",
    "docs/passes.md",
    "docs/sequences.md",
    "docs/terminal.md",
)
TOP = ("flight", "hal", "hil", "native", "tests", "docs", "benchmarks")
PATH = re.compile(rf"(?<![\w/.-])((?:{'|'.join(TOP)})/[\w./-]*[\w/])")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def missing_files(text: str) -> list[str]:
    named = {name.rstrip(".") for name in PATH.findall(text)}
    return sorted(name for name in named if not (ROOT / name).exists())


def unknown_commands(text: str) -> list[str]:
    named = re.findall(r"(?:\.venv/bin/|`|^)lumenode ([a-z][a-z-]*)", text, re.MULTILINE)
    return sorted(set(named) - set(COMMANDS))


def unknown_targets(text: str) -> list[str]:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text, re.MULTILINE)
    return sorted(set(named) - targets)


def test_the_generated_parts_say_what_the_tables_say() -> None:
    assert generate.stale() == [], "run: make docs"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_command_and_target_that_a_page_names_is_there(page: str) -> None:
    text = text_of(page)
    assert missing_files(text) == []
    assert unknown_commands(text) == []
    assert unknown_targets(text) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_repository_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text_of(page))
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_every_register_and_fault_of_the_terminal_is_on_its_page() -> None:
    page = text_of("docs/terminal.md")
    for register in TermRegister:
        assert f"| {register.value} | `{register.name}` |" in page
    for fault in TermFault:
        assert f"| {fault.value.bit_length() - 1} | `{fault.name}` |" in page


def test_a_planted_lie_is_found() -> None:
    lie = "see `flight/no_such_file.py`, run `lumenode levitate` or `make believe`"
    assert missing_files(lie) == ["flight/no_such_file.py"]
    assert unknown_commands(lie) == ["levitate"]
    assert unknown_targets(lie) == ["believe"]
    page = "<!-- generated: a -->\nold\n<!-- end: a -->"
    assert generate.filled(page, {"a": lambda: "new"}) != page
    with pytest.raises(ValueError, match="once each"):
        generate.filled("no markers", {"a": lambda: "new"})


def test_every_key_action_and_kind_of_a_scenario_has_its_meaning_and_none_is_invented() -> None:
    keys = {
        reference_parts.full_name(section, field.encode_name)
        for section, kind, _ in reference_parts.sections()
        for field in reference_parts.plain_fields(section, kind)
    }
    assert keys == set(scenario_keys.MEANINGS)
    assert {name for name, _, _ in reference_parts.sections()} == set(scenario_keys.SECTIONS)
    assert set(reference_parts.OWN_FIELDS) == set(scenario_keys.ACTIONS)
    assert {kind.value for kind in reference_parts.ExpectKind} == set(scenario_keys.KINDS)


def test_every_function_and_class_that_the_flows_name_is_in_the_file_beside_it() -> None:
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", text_of("docs/ARCHITECTURE.md"),
                      re.MULTILINE)  # fmt: skip
    looked_at = 0
    for files, where in rows:
        sources = "".join(
            (ROOT / name).read_text(encoding="utf-8")
            for name in PATH.findall(files + where)
            if (ROOT / name).is_file()
        )
        for name in re.findall(r"`([A-Za-z_]\w*(?:\.\w+)?)`", where) if sources else ():
            looked_at += 1
            for part in name.split("."):
                assert re.search(rf"\b{part}\b", sources), f"{files}: {name}"
    assert looked_at > 50


def test_the_scenario_of_the_first_page_can_be_flown(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", text_of("docs/SCENARIOS.md"), re.DOTALL)
    (tmp_path / "mine.toml").write_text(block, encoding="utf-8")
    assert load_scenario(str(tmp_path / "mine.toml")).expect[0].id == "HOT-1"
