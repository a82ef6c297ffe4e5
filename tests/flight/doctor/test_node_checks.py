"""A node is looked at by its configuration; what it lacks comes with what to do."""

import json

import pytest

from flight import broker_command
from flight.data_folder import SCHEMA, SCHEMA_FILE
from flight.doctor import node_checks
from flight.doctor.finding import State
from flight.doctor.node_checks import of_node


@pytest.fixture
def config(make_board, tmp_path):
    return make_board(tmp_path)


def looked(config, more=""):
    config.write_text(config.read_text() + more)
    return {each.name: each for each in of_node(config)}


def test_a_node_that_can_fly_is_well_all_over(config):
    seen = looked(config)
    assert seen["link keys"].state is State.OK
    assert seen["board profile"].detail == (
        "orin-nano-modelled: times modelled, watts modelled, 4 levels"
    )
    assert seen["frame source"].detail.startswith("replay of ")
    assert seen["HAL sim"].detail == "opened, 25 fields valid"
    assert "MQTT broker" not in seen
    assert all(each.remedy for each in seen.values() if each.state is not State.OK)


def test_the_ground_s_half_of_the_keys_on_the_board_is_told(config):
    assert "whoever has it commands" in looked(config)["ground's keys"].remedy
    (config.parent / "keys" / "link-ground.json").unlink()
    assert "ground's keys" not in looked(config)


def test_frames_that_are_not_there_are_told_with_the_remedy(config, tmp_path):
    (tmp_path / "tiles.npz").unlink()
    finding = looked(config)["frame source"]
    assert (finding.state, "lumenode fetch-data" in finding.remedy) == (State.MISSING, True)


def test_a_folder_of_frames_is_looked_into(config, tmp_path):
    text = config.read_text().replace('path = "tiles.npz"', 'source = "folder"\npath = "in"')
    config.write_text(text)
    assert looked(config)["frame source"].state is State.MISSING
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.npz").write_bytes(b"")
    assert "1 files" in looked(config)["frame source"].detail


CAMERA = """
source = "camera"
path = "{path}"
[frames.camera]
bands = ["blue", "green", "red", "red", "red", "red"]
format = "YUYV"
width_px = 64
height_px = 48
tile_px = 32
"""


def test_a_camera_that_is_not_there_is_told_with_its_device(config, tmp_path):
    camera = CAMERA.format(path=tmp_path / "video9")
    config.write_text(config.read_text().replace('path = "tiles.npz"', camera))
    finding = looked(config)["frame source"]
    assert finding.state is State.MISSING
    assert "video9" in finding.detail
    assert "docs/camera.md" in finding.remedy


def test_a_data_folder_says_what_it_takes_and_may_take(config):
    detail = looked(config)["data folder"].detail
    assert "0 MB used" in detail
    assert "4017 MB at most" in detail


def test_a_cap_that_the_medium_has_no_room_for_is_told(config):
    finding = looked(config, "cap_bytes = 10_000_000_000_000\n")["data folder"]
    assert finding.state is State.MISSING
    assert "store.cap_bytes" in finding.remedy


def test_a_data_folder_of_a_later_software_is_told_and_not_touched(config, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / SCHEMA_FILE).write_text(json.dumps({"schema": SCHEMA + 1}))
    finding = looked(config)["data folder"]
    assert f"layout {SCHEMA + 1}, known up to {SCHEMA}" in finding.detail
    (tmp_path / "data" / SCHEMA_FILE).write_text("{}")
    assert looked(config)["data folder"].state is State.MISSING


def test_a_backend_this_version_does_not_have_is_told(config, monkeypatch):
    monkeypatch.setattr("flight.board_devices.backend_names", lambda: ("sim",))
    finding = looked(config, '[board]\nhal = "linux"\n')["HAL linux"]
    assert finding.state is State.MISSING
    assert "allowed: sim" in finding.detail


def test_a_serial_line_to_a_bench_is_looked_for_and_not_opened(config, tmp_path, monkeypatch):
    port = tmp_path / "ttyUSB0"
    monkeypatch.setattr(node_checks, "open_devices", None)
    seen = looked(config, f'[board]\nhal = "link:{port}"\n')
    assert seen[f"HAL link:{port}"].state is State.MISSING
    port.write_bytes(b"")
    assert looked(config)[f"HAL link:{port}"].state is State.OK


def test_a_profile_that_does_not_suit_the_node_is_told(config):
    finding = looked(config, '[inference]\nprofile = "generic-pc"\n')["board profile"]
    assert (finding.state, "no watts" in finding.detail) == (State.MISSING, True)


def test_a_broker_that_does_not_answer_is_told_in_one_line(config):
    seen = looked(config, "[mqtt]\nenabled = true\nport = 1\n")
    assert seen["MQTT broker"].state is State.MISSING
    assert "127.0.0.1:1" in seen["MQTT broker"].detail
    assert "\n" not in seen["MQTT broker"].detail


def test_a_broker_that_comes_along_is_there_when_its_extra_is(config, monkeypatch):
    seen = looked(config, "[mqtt]\nenabled = true\nembedded = true\n")
    assert seen["MQTT broker"].state is State.OK
    monkeypatch.setattr(broker_command, "find_spec", lambda _name: None)
    assert looked(config)["MQTT broker"].state is State.MISSING
