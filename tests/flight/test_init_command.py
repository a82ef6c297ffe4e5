"""`lumenode init`, as a user runs it: what it writes flies at once."""

import json
import stat

import pytest

from flight.board_config import load_fly_config
from flight.init_command import main_init

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LUMENODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_what_it_writes_flies_as_it_is(lumenode, tmp_path):
    folder = tmp_path / "node"
    made = lumenode("init", folder, "--json")
    assert (made.returncode, made.stderr) == (0, "")
    answer = json.loads(made.stdout)
    assert answer["config"] == str(folder / "lumenode.toml")
    assert answer["keys"] == "made"
    flight = lumenode("fly", "--config", answer["config"], "--for", "2")
    assert (flight.returncode, flight.stderr) == (0, "")
    assert "BOOTED" in flight.stdout
    assert flight.stdout.splitlines()[-1].endswith("stopping: time over")


def test_it_tells_people_what_it_found_and_what_comes_next(tmp_path, capsys):
    assert main_init([str(tmp_path / "node"), "--hal", "sim"]) == 0
    out = capsys.readouterr().out
    for word in ("board", "hal       sim", "profile", "data", "lumenode fly --config",
                 "lumenode fetch-data", "link-ground.json"):  # fmt: skip
        assert word in out


def test_a_configuration_is_never_overwritten_by_accident_and_keys_never_at_all(tmp_path, capsys):
    assert main_init(["--hal", "sim"]) == 0
    (tmp_path / "lumenode.toml").write_text('name = "mine"\n')
    key = (tmp_path / "keys" / "link-node.json").read_bytes()
    assert main_init(["--hal", "sim"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "lumenode.toml exists: --force" in line
    assert (tmp_path / "lumenode.toml").read_text() == 'name = "mine"\n'
    assert main_init(["--hal", "sim", "--force", "--json"]) == 0
    assert load_fly_config(tmp_path / "lumenode.toml").name == "lumenode-1"
    assert (tmp_path / "keys" / "link-node.json").read_bytes() == key
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["keys"] == "kept"


def test_keys_are_for_their_owner_alone(tmp_path):
    assert main_init(["--hal", "sim"]) == 0
    for name in ("link-node.json", "link-ground.json"):
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600


def test_a_backend_that_cannot_be_is_one_line_and_nothing_is_written(tmp_path, capsys):
    assert main_init(["node", "--hal", "banana"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lumenode init: --hal: hal = 'banana'")
    assert not (tmp_path / "node").exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main_init(["file/node", "--hal", "sim"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "file" in line


def test_a_bench_on_a_serial_line_can_be_asked_for(tmp_path):
    assert main_init(["--hal", "link:/dev/ttyUSB0"]) == 0
    assert load_fly_config(tmp_path / "lumenode.toml").board.hal == "link:/dev/ttyUSB0"
