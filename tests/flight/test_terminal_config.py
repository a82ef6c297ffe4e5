import pytest

from flight.board_config import FlyConfig, load_fly_config
from flight.config import ConfigError
from hal.terminal_values import SerialTerminal


def load(folder, keys):
    path = folder / "node.toml"
    path.write_text(f"[terminal]\n{keys}\n")
    return load_fly_config(path).terminal


def test_without_a_device_there_is_none_on_a_line(tmp_path):
    assert FlyConfig().terminal.line() is None
    assert load(tmp_path, "baud = 115200").line() is None


def test_a_device_is_found_from_the_file_s_own_folder(tmp_path):
    line = load(tmp_path, 'device = "laser"\nbaud = 0').line()
    assert line == SerialTerminal(str(tmp_path / "laser"), 0)
    by_id = "/dev/serial/by-id/usb-x"
    assert load(tmp_path, f'device = "{by_id}"').line() == SerialTerminal(by_id, 921_600)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('device = "a\\u0000b"', "terminal.device: allowed: a path"),
        (f'device = "{"x" * 256}"', "up to 255 octets"),
        ("baud = -1", "terminal.baud = -1"),
        ("baud = 4_000_001", "terminal.baud = 4000001"),
        ('port = "x"', "terminal"),
    ],
)
def test_what_cannot_be_is_one_line_with_file_key_and_range(tmp_path, keys, said):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, keys)
    line = str(caught.value)
    assert line.startswith(str(tmp_path / "node.toml"))
    assert said in line
    assert "\n" not in line


def test_a_bench_at_the_far_end_has_the_terminal_so_a_second_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"terminal\.device = 'laser'.*allowed: none") as caught:
        load(tmp_path, 'device = "laser"\n[board]\nhal = "link:/dev/ttyUSB0"')
    assert str(caught.value).startswith(str(tmp_path / "node.toml"))
