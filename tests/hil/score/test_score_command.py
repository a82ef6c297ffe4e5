import json

import numpy as np
import pytest

from hil.score import score_command
from hil.score.case_format import case_id
from hil.score.day_families import make_day
from hil.score.score_command import main_score

MADE = ["governor", "--family", "hot_eol", "--seed", "22", "--duration", "3600"]


def result(capsys, *arguments):
    code = main_score([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_day_from_a_family_is_scored_against_its_bound(capsys):
    code, found = result(capsys, *MADE)
    assert code == 0
    (row,) = found["scores"]
    assert found["case_id"] == case_id(make_day("hot_eol", 22, 3600))
    assert row["policy"] == "planner"
    assert row["clean"]
    assert 0.0 < row["ratio"] <= 1.0
    assert row["net"] / found["upper_bound"] == pytest.approx(row["ratio"])


def test_a_day_from_a_file_gives_the_same_and_leaves_its_trace(capsys, tmp_path):
    day, trace = tmp_path / "day.json", tmp_path / "trace.npz"
    _, made = result(capsys, *MADE, "--no-bound", "--save-case", str(day))
    code, read = result(capsys, "governor", "--case", str(day), "--no-bound", "--out", str(trace))
    assert code == 0
    assert read["scores"][0]["net"] == made["scores"][0]["net"]
    with np.load(trace, allow_pickle=False) as kept:
        assert str(kept["format"]) == "dve-trace"
        assert str(kept["case_id"]) == read["case_id"]
        assert kept["work"].shape == (3600, 9, 3)
        assert float(kept["delivered_value"]) == read["scores"][0]["delivered"]
        assert kept["battery_j"][-1] == read["scores"][0]["end_j"]


def test_the_table_for_people_names_governor_value_bound_and_violations(capsys):
    assert main_score([*MADE, "--policy", "step_wise", "--causes"]) == 0
    told = capsys.readouterr().out
    assert "no governor can exceed" in told
    assert "step_wise" in told
    assert "0 s" in told
    assert "what each limit costs the bound itself" in told
    assert "forecast: clouds" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["governor"], "--case FILE or --family NAME"),
        (["governor", "--case", "x.json", "--family", "cold"], "only one of them"),
        (["governor", "--case", "none.json"], "none.json: no such file"),
        ([*MADE, "--no-bound", "--out", "no/where.npz"], "no/where.npz: not writable"),
        ([*MADE, "--no-bound", "--save-case", "."], ".: not writable: Is a directory"),
        (["governor", "--case", "x.json", "--save-case", "y.json"], "--save-case: not with --case"),
        ([*MADE, "--causes", "--no-bound"], "--causes: not with --no-bound"),
        (["governor", "--run", "none"], "scenario.toml: no such file"),
        (["governor", "--run", "none", "--out", "x.npz"], "--out: not with --run"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(capsys, arguments, told):
    assert main_score(arguments) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_place_for_the_trace_is_looked_at_before_the_day_is_flown(monkeypatch, tmp_path):
    monkeypatch.setattr(score_command, "make_day", lambda *_: pytest.fail("flown"))
    assert main_score([*MADE, "--out", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("terminal", "shortfall_value_per_j"), 0.0),
        (("power", "depth_of_discharge_max"), 0.0),
        (("thermal", "conductances", 1, "w_per_k"), 0.0),
        (("truth", "environment_heat_w", "radiator", 0, 1), 1e300),
        (("forecast", "environment_heat_w", "radiator", 0, 0), 1e15),
    ],
)
def test_a_day_that_cannot_be_computed_is_one_line_with_its_file(capsys, tmp_path, path, value):
    day = make_day("cold", 1, 3600)
    part = day
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    file = tmp_path / "day.json"
    file.write_text(json.dumps(day))
    assert main_score(["governor", "--case", str(file), "--no-bound"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"lumenode score: {file}: no day to compute (")
    assert error.count("\n") == 1


@pytest.mark.parametrize("seed", ["-1", "x", "99999999999"])
def test_arguments_outside_their_range_are_refused(capsys, seed):
    with pytest.raises(SystemExit) as ended:
        main_score(["governor", "--family", "cold", "--seed", seed])
    assert ended.value.code == 2
    assert "allowed is 0 to 4294967295" in capsys.readouterr().err
