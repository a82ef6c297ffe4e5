"""`lumenode pass`: predicts, flies and draws; what is wrong is one line."""

import json
import os
import subprocess
import sys

import pytest

from hil import pass_command
from hil.pass_command import main_pass

JUNE = ["--site", "calern", "--date", "2026-06-21"]


@pytest.fixture(autouse=True)
def _no_fetched_imagery(monkeypatch):
    """Flown on synthetic tiles: quick, and the same on every machine."""
    monkeypatch.setattr(pass_command, "_imagery", lambda: "synthetic")


def test_a_pass_is_flown_and_drawn(tmp_path, capsys) -> None:
    out = tmp_path / "pass"
    assert main_pass([*JUNE, "--lead", "300", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    for word in ("Contacts ahead", "elevation", "margin", "goodput", "products", "link after"):
        assert word in said
    assert (out / "pass.svg").read_text().startswith("<svg")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["passes"][0]["peer"] == "MeO, Calern FR"
    assert summary["passes"][0]["frames_sent"] > 100
    assert (out / "report.html").exists()
    # Once more into the same folder: the picture of the earlier run is ours.
    assert main_pass([*JUNE, "--lead", "60", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "pass"
    assert (out / "pass.svg").exists()


def test_the_list_alone_flies_nothing(tmp_path, capsys) -> None:
    assert main_pass([*JUNE, "--list", "--json", "--out", str(tmp_path / "none")]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["end_utc_s"] > rows[0]["start_utc_s"] > 1_782_000_000
    assert not (tmp_path / "none").exists()


def test_an_element_set_of_the_users_is_flown(tmp_path, capsys) -> None:
    tle = tmp_path / "sat.tle"
    tle.write_text(
        "METEOR-TEST\n"
        "1 28057U 03049A   06177.78615833  .00000060  00000-0  35940-4 0  1836\n"
        "2 28057  98.4283 247.6961 0000884  88.1964 271.9322 14.35478080140550\n"
    )
    assert main_pass(["--tle", str(tle), "--date", "2006-06-27", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_known_sites_are_listed(capsys) -> None:
    assert main_pass(["--sites"]) == 0
    assert "calern" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--site", "atlantis"], "'atlantis' unknown; known: tenerife"),
        (["--at", "91,0"], "-90 to 90"),
        (["--at", "one,two"], "LAT,LON"),
        (["--date", "yesterday"], "expected a date"),
        (["--date", "1800-01-01"], "1971 to 2099"),
        (["--mask", "3"], "5 to 60"),
        (["--hours", "nan"], "0.2 to 240"),
        ([*JUNE, "--contact", "9"], "allowed is 1 to 4"),
        ([*JUNE, "--hours", "0.2"], "no contact within"),
        (["--tle", "/nowhere"], "--tle /nowhere"),
        (["--relay", "--site", "calern"], "not allowed with"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_two(arguments, says, capsys) -> None:
    try:
        code = main_pass(arguments)
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr().err
    assert code == 2
    assert said.count("\n") == 1
    assert says in said


@pytest.mark.slow
def test_equal_inputs_give_equal_runs_under_any_hash_seed(tmp_path) -> None:
    hashes = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "flight", "pass", *JUNE, "--lead", "60", "--json",
             "--out", str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        hashes.add(json.loads(done.stdout)["log_hash"])
    assert len(hashes) == 1
