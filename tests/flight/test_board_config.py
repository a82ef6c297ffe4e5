from pathlib import Path

import pytest

from flight.board_config import FlyConfig, load_fly_config
from flight.config import ConfigError, NodeConfig
from flight.inference.tile_cache import default_tiles_path

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "lumenode.toml"


def config_of(folder, text):
    path = folder / "node.toml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_file(tmp_path):
    text = '[board]\nkeys = "k"\ndata = "/d"\n[frames]\nsource = "folder"\npath = "in"\n'
    config = load_fly_config(config_of(tmp_path, text))
    assert config.board.keys == str(tmp_path / "k")
    assert config.board.data == "/d"
    assert config.frames.path == str(tmp_path / "in")


def test_the_command_line_wins_and_is_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = config_of(tmp_path, '[board]\nkeys = "k"\n')
    config = load_fly_config(path, keys="elsewhere", data="there")
    assert config.board.keys == str(tmp_path / "elsewhere")
    assert config.board.data == str(tmp_path / "there")


def test_an_empty_file_is_a_whole_configuration(tmp_path):
    config = load_fly_config(config_of(tmp_path, ""))
    assert isinstance(config, NodeConfig)
    assert config.frames.path == str(default_tiles_path())
    assert (config.board.hal, config.frames.source) == ("sim", "replay")


def test_the_sample_says_every_default_but_the_battery_of_the_simulated_node():
    sample, plain = load_fly_config(SAMPLE), FlyConfig()
    assert sample.battery.series == 8
    for name in ("camera", "inference", "store", "link", "values", "parameters", "name"):
        assert getattr(sample, name) == getattr(plain, name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[board]\nhal = "toaster"\n', ("board.hal", "toaster")),
        ("[board]\nspeed = 1\n", ("board", "speed")),
        ('[frames]\nsource = "folder"\n', ("frames.path",)),
        ('[frames]\nsource = "camera"\n', ("frames.source", "camera")),
        ("[frames]\npoll_s = 0\n", ("frames.poll_s", "0")),
        ("[camera]\ncadence_s = 1e9\n", ("camera.cadence_s", "1000000000")),
        ("[board", ("not valid TOML",)),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path, text, words):
    path = config_of(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_fly_config(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    assert all(word in line for word in words), line
