from pathlib import Path

import pytest

from flight.board_config import (
    FlyConfig,
    MqttSection,
    check_profile,
    load_fly_config,
    read_password,
)
from flight.config import ConfigError, NodeConfig, load_profile
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
    for name in ("camera", "inference", "store", "link", "values", "parameters", "name", "mqtt"):
        assert getattr(sample, name) == getattr(plain, name)
    for name in ("hal", "tick_hz", "guard_ticks", "rt_priority"):
        assert getattr(sample.board, name) == getattr(plain.board, name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[board]\nhal = "toaster"\n', ("board.hal", "toaster")),
        ("[board]\nspeed = 1\n", ("board", "speed")),
        ("[board]\ntick_hz = 3\n", ("board.tick_hz", "3", "divisor of 1000")),
        ("[board]\ntick_hz = 1\n", ("board.tick_hz", "1")),
        ("[board]\nguard_ticks = 0\n", ("board.guard_ticks", "0")),
        ("[board]\nrt_priority = 91\n", ("board.rt_priority", "91")),
        ('[frames]\nsource = "folder"\n', ("frames.path",)),
        ('[frames]\nsource = "camera"\n', ("frames.path", "/dev/v4l/by-id")),
        ('[frames]\nsource = "film"\n', ("frames.source", "film", "camera")),
        ("[frames]\npoll_s = 0\n", ("frames.poll_s", "0")),
        ('[sensors]\nabsent = ["die", "soul"]\n', ("sensors.absent", "soul")),
        ("[camera]\ncadence_s = 1e9\n", ("camera.cadence_s", "1000000000")),
        ("[board", ("not valid TOML",)),
        ('[mqtt]\nenabled = true\nhost = "10.0.0.5"\n', ("mqtt.ca_file", "10.0.0.5", "plain")),
        ('[mqtt]\nenabled = true\nhost = "127.0.0.1.example"\n', ("mqtt.ca_file",)),
        ('name = "a/b"\n[mqtt]\nenabled = true\n', ("name", "'a/b'")),
        ('[mqtt]\nenabled = true\ncert_file = "c"\n', ("mqtt.cert_file", "mqtt.key_file")),
        ('[mqtt]\nenabled = true\npassword_file = "p"\n', ("mqtt.username",)),
        ("[mqtt]\nport = 0\n", ("mqtt.port", "0")),
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


def test_a_broker_on_this_machine_needs_no_certificate_and_one_elsewhere_may_do_without():
    assert not FlyConfig().mqtt.enabled
    for host in ("127.0.0.1", "localhost", "::1", "127.4.5.6"):
        MqttSection(enabled=True, host=host).check("x", "node")
    MqttSection(enabled=True, host="10.0.0.5", plain=True).check("x", "node")
    MqttSection(enabled=True, host="10.0.0.5", ca_file="ca.crt").check("x", "node")


def test_files_of_the_broker_are_found_beside_the_configuration(tmp_path):
    text = '[mqtt]\nca_file = "ca.crt"\ncert_file = "/c"\n'
    mqtt = load_fly_config(config_of(tmp_path, text)).mqtt
    assert (mqtt.ca_file, mqtt.cert_file) == (str(tmp_path / "ca.crt"), "/c")
    assert mqtt.key_file == ""


def test_a_password_is_read_only_from_a_file_that_nobody_else_reads(tmp_path):
    path = tmp_path / "password"
    path.write_text("secret\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_password(path)
    path.chmod(0o600)
    assert read_password(path) == "secret"
    path.write_text("\n")
    with pytest.raises(ConfigError, match="no password"):
        read_password(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_password(tmp_path / "none")


def test_a_battery_needs_a_profile_that_says_what_the_board_draws(tmp_path):
    text = '[inference]\nprofile = "generic-pc"\n'
    config = load_fly_config(config_of(tmp_path, text))
    with pytest.raises(ConfigError, match=r"generic-pc.*no watts.*sensors\.absent"):
        check_profile(config, load_profile("generic-pc"))
    check_profile(config, load_profile("orin-nano"))
    fed = load_fly_config(config_of(tmp_path, text + '[sensors]\nabsent = ["battery"]\n'))
    check_profile(fed, load_profile("generic-pc"))


def test_models_of_ones_own_lie_beside_the_configuration(tmp_path):
    config = load_fly_config(config_of(tmp_path, '[inference]\nmodels = "mine"\n'))
    assert config.inference.models == str(tmp_path / "mine")
    assert load_fly_config(config_of(tmp_path, "")).inference.models == ""


def test_a_profile_of_ones_own_lies_beside_the_configuration(tmp_path):
    text = '[inference]\nprofile = "mine.toml"\n'
    assert load_fly_config(config_of(tmp_path, text)).inference.profile == str(
        tmp_path / "mine.toml"
    )


def test_a_board_has_no_radio_modem_and_says_so(tmp_path):
    with pytest.raises(ConfigError, match=r"links\.radio = true: a board .*; allowed: false"):
        load_fly_config(config_of(tmp_path, "[links]\nradio = true\n"))
