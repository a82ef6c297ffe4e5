import json

import pytest

from flight.config import load_profile
from flight.inference.models_cli import main_models

pytestmark = pytest.mark.slow


def test_this_machine_is_measured_and_the_profile_can_be_flown(tmp_path, capsys):
    path = tmp_path / "board-profile.toml"
    argv = ["profile", "--hal", "sim", "--seconds", "0.2", "--profile-out", str(path), "--json"]
    assert main_models(argv) == 0
    answer = json.loads(capsys.readouterr().out)
    profile = load_profile(str(path))
    assert answer["source"] == profile.source == "measured"
    assert answer["power"] == profile.power == "not measured"
    assert any("does not measure its power" in note for note in answer["notes"])
    assert set(profile.levels[0].ms_per_tile) == {"fp32", "int8", "small"}


def test_people_get_a_line_a_variant_and_what_was_not_measured(capsys):
    assert main_models(["profile", "--hal", "sim", "--seconds", "0.1"]) == 0
    out = capsys.readouterr().out
    assert out.count("ms median") == 3
    assert out.count("J not measured") == 3
    assert "power: not measured" in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--hal", "banana"], "--hal: hal = 'banana'"),
        (["--config", "no.toml"], "no.toml: no such file"),
        (["--model", "none"], "no such model"),
    ],
)
def test_what_cannot_be_measured_is_one_line(argv, said, capsys):
    assert main_models(["profile", *argv]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "1e9", "nan"])
def test_a_time_that_cannot_be_is_refused(seconds, capsys):
    with pytest.raises(SystemExit) as caught:
        main_models(["profile", "--seconds", seconds])
    assert caught.value.code == 2
    assert "allowed is more than 0" in capsys.readouterr().err


def test_a_node_s_configuration_says_which_board_is_measured(tmp_path, capsys):
    (tmp_path / "node.toml").write_text('[board]\nhal = "sim"\nprovider = "tensorrt"\n')
    code = main_models(["profile", "--config", str(tmp_path / "node.toml"), "--seconds", "0.1"])
    if code == 2:
        assert "TensorrtExecutionProvider" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_one_line(tmp_path, capsys):
    argv = ["profile", "--hal", "sim", "--seconds", "0.1", "--json"]
    assert main_models([*argv, "--profile-out", str(tmp_path / "none" / "x.toml")]) == 2
    assert "No such file" in capsys.readouterr().err
