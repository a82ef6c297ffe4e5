"""The configuration that is written for a user is one that flies, and says all there is to say."""

import tomllib

import msgspec
import pytest

from flight.board_config import FlyConfig, load_fly_config
from flight.config_text import SEGMENT_BYTES, BoardChoice, config_text
from flight.data_folder import folder_cap_bytes
from flight.link_config import StoreConfig

NOTHING_FOUND = FlyConfig()


def loaded(folder, choice):
    path = folder / "lumenode.toml"
    path.write_text(config_text(choice))
    return load_fly_config(path)


def test_with_nothing_found_it_says_every_default_but_the_battery_of_the_simulated_node(tmp_path):
    config = loaded(tmp_path, BoardChoice())
    assert config.battery.series == 8
    for name in (
        "camera",
        "inference",
        "sensors",
        "store",
        "link",
        "values",
        "terminal",
        "mqtt",
        "name",
    ):
        assert getattr(config, name) == getattr(NOTHING_FOUND, name)
    assert config.board.hal == NOTHING_FOUND.board.hal


@pytest.mark.parametrize(
    "section",
    ["board", "frames", "frames.camera", "terminal", "inference", "sensors", "store", "mqtt"],
)
def test_every_key_of_a_board_s_own_sections_stands_in_it(section):
    shown, default = tomllib.loads(config_text(BoardChoice())), NOTHING_FOUND
    for name in section.split("."):
        shown, default = shown[name], getattr(default, name)
    assert set(shown) == {field.encode_name for field in msgspec.structs.fields(type(default))}


def test_a_camera_s_keys_say_what_counts_without_them(tmp_path):
    assert loaded(tmp_path, BoardChoice()).frames.camera == NOTHING_FOUND.frames.camera


def test_what_was_chosen_is_what_flies(tmp_path):
    choice = BoardChoice(
        board='Board "X"\\', hal="link:/dev/ttyUSB0", keys="k", data="/var/d", provider="cuda",
        frames="folder", frames_path="in", profile="generic-pc", profile_why="nobody measured it",
        absent=("battery", "die"), cap_bytes=50_000_000, notes=("Mind the heat.",),
    )  # fmt: skip
    config = loaded(tmp_path, choice)
    assert (config.board.hal, config.board.provider) == ("link:/dev/ttyUSB0", "cuda")
    assert (config.board.keys, config.board.data) == (str(tmp_path / "k"), "/var/d")
    assert (config.frames.source, config.frames.path) == ("folder", str(tmp_path / "in"))
    assert config.inference.profile == "generic-pc"
    assert config.sensors.absent == ("battery", "die")
    assert config.store.cap_bytes == 50_000_000
    text = config_text(choice)
    assert '# Board: Board "X"\\.' in text
    assert "# Mind the heat." in text
    assert "# Board profile: nobody measured it." in text


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (BoardChoice(), 'this one suits the "sim" backend'),
        (BoardChoice(hal="linux"), "fill in your own"),
        (BoardChoice(hal="linux", absent=("battery",)), "not used"),
    ],
)
def test_the_battery_is_told_for_what_it_is(choice, said):
    assert said in config_text(choice)


def test_the_folder_s_limit_that_is_told_is_the_one_that_holds():
    store = StoreConfig(segment_bytes=SEGMENT_BYTES)
    assert BoardChoice().folder_bytes == folder_cap_bytes(store)
    told = f"never takes more than {folder_cap_bytes(store) // 1_000_000} MB"
    assert told in config_text(BoardChoice())


def test_no_line_is_wider_than_a_terminal_of_a_hundred_columns():
    assert max(map(len, config_text(BoardChoice()).splitlines())) <= 100
