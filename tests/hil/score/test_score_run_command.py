"""`lumenode score governor --run DIR`: what a run could have delivered, and what others would."""

import json
import shutil

import pytest
from flown_run import fly, mission

from hil.report.run_record import read_run
from hil.score.score_command import main_score
from hil.score.value_bound import Limit


@pytest.fixture(scope="module")
def flown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flown")
    fly(mission(), folder)
    return folder


@pytest.fixture
def run(flown, tmp_path):
    return shutil.copytree(flown, tmp_path / "run")


def scored(run, capsys, *arguments):
    code = main_score(["governor", "--run", str(run), "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_the_run_is_held_against_its_bound_and_every_share_of_the_gap_has_a_cause(run, capsys):
    code, found = scored(run, capsys)
    assert code == 0
    assert 0.0 < found["value_delivered"] <= found["value_bound"] <= found["value_all"]
    assert found["share"] == pytest.approx(found["value_delivered"] / found["value_bound"])
    missing = found["value_all"] - found["value_delivered"]
    assert sum(found["lost"].values()) == pytest.approx(missing)
    assert found["lost"]["heat"] > 0.0
    assert {limit.value for limit in Limit} < set(found["bound_costs"])
    assert min(found["bound_costs"].values()) > -1e-6 * found["value_bound"]
    assert found["value_bound"] <= found["value_bound_free"] * (1.0 + 1e-9)
    assert found["kept"] == {"die (°C)": 78.0, "sink (°C)": 68.0, "radiator (°C)": 62.0}


def test_its_day_flown_again_under_its_targets_splits_the_gap_and_stays_under_the_bound(
    run, capsys
):
    _, found = scored(run, capsys)
    gap = found["value_bound"] - found["value_delivered"]
    assert found["split_above_s"] == 0
    assert sum(found["split"].values()) == pytest.approx(gap)
    assert found["split"]["planner, and the bound's own"] >= -1e-6 * found["value_bound"]


def test_it_is_kept_beside_the_run_and_told_in_the_report(run, capsys):
    _, found = scored(run, capsys)
    assert json.loads((run / "governor.json").read_text(encoding="utf-8")) == found
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "no governor could exceed" in page
    assert read_run(run).score.share == found["share"]


def test_others_fly_the_same_scenario_and_the_node_s_own_pass_no_limit(run, capsys):
    code, found = scored(run, capsys, "--compare")
    assert code == 0
    rows = {row["governor"]: row for row in found["others"]}
    assert list(rows) == ["guard", "planner", "step_wise", "power_allocator"]
    assert rows["guard"]["value_delivered"] == pytest.approx(found["value_delivered"])
    for row in rows.values():
        bound = found["value_bound" if row["own"] else "value_bound_free"]
        assert row["value_delivered"] <= bound * (1.0 + 1e-9)
        if row["own"]:
            assert row["violation_s_thermal"] == row["violation_s_soc"] == 0.0
    assert rows["power_allocator"]["form"].endswith("sustainable")


def test_for_people_it_names_share_causes_and_governors(run, capsys):
    assert main_score(["governor", "--run", str(run)]) == 0
    told = capsys.readouterr().out
    assert "that no governor can exceed" in told
    assert "value that the run did not deliver, by cause" in told


def test_a_score_of_another_flight_is_not_shown_as_this_one_s(run, capsys):
    _, found = scored(run, capsys)
    (run / "governor.json").write_text(json.dumps({**found, "log_hash": "other"}), encoding="utf-8")
    record = read_run(run)
    assert record.score is None
    assert any("another flight" in each for each in record.problems)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--run", "nowhere"], "nowhere/scenario.toml"),
        (["--run", "nowhere", "--family", "cold"], "--family: not with --run"),
        (["--run", "nowhere", "--no-bound"], "--no-bound: not with --run"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(capsys, arguments, told):
    assert main_score(["governor", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_folder_without_a_finished_run_is_refused(run, capsys):
    (run / "telemetry.npz").unlink()
    assert main_score(["governor", "--run", str(run)]) == 2
    assert "no finished run" in capsys.readouterr().err
