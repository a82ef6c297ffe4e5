import json

import pytest

from flight.doctor import software_checks
from flight.doctor.finding import State
from flight.doctor_command import findings, main_doctor


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    """No test looks at, or depends on, what the user has fetched."""
    monkeypatch.setenv("LUMENODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def by_name():
    return {each.name: each for each in findings()}


def test_a_machine_that_runs_these_tests_is_ready(capsys):
    assert main_doctor([]) == 0
    out = capsys.readouterr().out
    assert "ONNX Runtime" in out
    assert all(line.split()[0] in {"ok", "missing", "unsupported"} for line in out.splitlines())


def test_whatever_is_not_well_comes_with_what_to_do_about_it():
    assert all(each.remedy for each in findings() if each.state is not State.OK)


def test_json_says_the_same_as_the_lines(capsys):
    main_doctor(["--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["ready"] is True
    assert [row["name"] for row in answer["checks"]] == list(by_name())
    assert set(answer["checks"][0]) == {"name", "state", "detail", "remedy", "needed"}


def test_the_backends_are_those_the_extension_has(monkeypatch):
    assert by_name()["HAL backends"].detail == "sim, link, linux"
    monkeypatch.setattr("hal.native_devices.backend_names", lambda: ("sim",))
    assert by_name()["HAL backends"].detail == "sim"


def test_imagery_that_was_not_fetched_yet_is_told_and_no_failure(capsys):
    assert by_name()["imagery"].state is State.MISSING
    assert main_doctor([]) == 0
    assert "lumenode fetch-data" in capsys.readouterr().out


def test_damaged_imagery_is_a_failure(make_board, own_cache):
    make_board(own_cache)
    cache = own_cache / "cache"
    cache.mkdir()
    for suffix in (".npz", ".json"):
        (own_cache / "tiles").with_suffix(suffix).rename(cache / f"s2-scene-1{suffix}")
    assert by_name()["imagery"].state is State.OK
    with (cache / "s2-scene-1.npz").open("ab") as file:
        file.write(b"x")
    assert main_doctor([]) == 1


def test_a_missing_runtime_is_a_failure_that_names_the_remedy(monkeypatch, capsys):
    monkeypatch.delitem(__import__("sys").modules, "flight.inference.session_ort", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    assert main_doctor([]) == 1
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "ONNX Runtime" in each]
    assert line.startswith("missing")
    assert "pip install" in line


def test_a_compiler_is_needed_only_until_the_extension_is_built(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    assert (by_name()["gcc"].state, by_name()["gcc"].needed) == (State.MISSING, False)
    monkeypatch.setitem(__import__("sys").modules, "hal.native_devices", None)
    assert by_name()["gcc"].needed
    assert main_doctor([]) == 1


def test_a_full_disk_is_a_failure(monkeypatch):
    usage = software_checks.shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(software_checks.shutil, "disk_usage", lambda _path: usage)
    assert main_doctor([]) == 1


def test_keys_are_looked_for_where_the_sample_puts_them(own_cache, lumenode):
    assert by_name()["link keys"].state is State.MISSING
    lumenode("keys", "init", own_cache / "keys")
    assert by_name()["link keys"].state is State.OK


def test_a_node_that_shall_fly_here_is_looked_at_and_what_it_lacks_is_a_failure(
    own_cache, make_board, capsys
):
    config = make_board(own_cache)
    assert main_doctor(["--config", str(config)]) == 0
    assert "board profile" in capsys.readouterr().out
    (own_cache / "keys" / "link-node.json").unlink()
    assert main_doctor(["--config", str(config)]) == 1
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "link keys" in each]
    assert "lumenode keys init" in line


def test_the_node_of_the_working_folder_is_looked_at_and_fails_nothing(own_cache, make_board):
    make_board(own_cache)
    (own_cache / "keys" / "link-node.json").unlink()
    assert by_name()["link keys"].state is State.MISSING
    assert not by_name()["link keys"].needed
    assert main_doctor([]) == 0


def test_a_configuration_that_cannot_be_read_is_a_finding_and_no_crash(own_cache):
    (own_cache / "bad.toml").write_text("[board]\nspeed = 1\n")
    assert main_doctor(["--config", "bad.toml"]) == 1
    assert main_doctor(["--config", "none.toml"]) == 1


def test_a_provider_is_proved_by_running_and_not_by_being_built_in(monkeypatch):
    assert "ran the golden tile" in by_name()["ONNX provider cpu"].detail
    built_in = ("CUDAExecutionProvider", "CPUExecutionProvider")
    monkeypatch.setattr("flight.inference.session_ort.runtime_providers", lambda: ("1.0", built_in))
    cuda = by_name()["ONNX provider cuda"]
    assert (cuda.state, cuda.needed) == (State.MISSING, False)
    assert "CUDAExecutionProvider" in cuda.detail


def test_a_network_that_answers_wrongly_is_told_with_its_limit(monkeypatch):
    monkeypatch.setattr("flight.inference.integrity.golden_deviation", lambda *_: 0.5)
    cpu = by_name()["ONNX provider cpu"]
    assert cpu.state is State.MISSING
    assert "0.5 off, limit" in cpu.detail
