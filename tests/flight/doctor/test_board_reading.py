"""What the doctor says of a board through the hardware layer, and how it looks at one."""

import os

import msgspec
import pytest
from linux_boards import make_tree

from flight.data_folder import hold_folder
from flight.doctor import node_checks
from flight.doctor.board_reading import told_board
from flight.doctor.finding import State
from hal.board_reading import Rail, ValueState, Zone
from hal.linux_devices import LinuxDevices


@pytest.fixture
def told(tmp_path):
    """The lines about a board of that name, by the name of each."""

    def tell(name, change=lambda reading: reading):
        tree = make_tree(tmp_path / name, name)
        devices = LinuxDevices(tree.config(period_ms=0))
        try:
            frame = devices.snapshot()
            reading = change(devices.read_board())
        finally:
            devices.close()
        return {each.name: each for each in told_board(reading, frame)}

    return tell


def test_a_board_is_told_by_its_names_values_and_units(told):
    said = told("orin-nano-jp6")
    assert said["HAL linux"].detail == (
        "NVIDIA Jetson Orin Nano Developer Kit: the node sees payload, die"
    )
    assert said["temperatures read"].detail == (
        "cpu-thermal 50.3 degC, gpu-thermal off, tj-thermal 51.6 degC"
    )
    assert "VDD_IN 5.00 W" in said["power read"].detail
    assert "cpu 729 MHz, capped at 1510 of 729 to 1510" in said["clocks read"].detail
    assert "gpu 306 MHz, capped at 624" in said["clocks read"].detail
    assert said["power mode"].detail == "15W"
    assert said["throttling"].detail == "none now"
    assert all(each.state is State.OK for each in said.values())


def test_a_board_that_throttles_is_told_with_what_to_do(told):
    finding = told("pi5")["throttling"]
    assert (finding.state, finding.detail) == (State.MISSING, "under_voltage, thermal")
    assert "supply" in finding.remedy


def test_a_board_without_anything_has_one_line(told):
    said = told("bare-pc")
    assert list(said) == ["HAL linux"]
    assert said["HAL linux"].detail == "a machine without a name: no sensor for the node"


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        (ValueState.DENIED, "99-lumenode.rules"),
        (ValueState.FAILED, "dmesg"),
        (ValueState.STALE, "dmesg"),
        (ValueState.ESTIMATED, ""),
        (ValueState.OFF, ""),
    ],
)
def test_a_value_that_is_none_is_told_for_what_it_is(told, state, remedy):
    def change(reading):
        zone, rail = Zone("place", 1000, state), Rail("supply", 1, 2, 3000, state)
        return msgspec.structs.replace(reading, zones=(zone,), rails=(rail,))

    said = told("pi4", change)
    for name in ("temperatures read", "power read"):
        assert state.name.lower() in said[name].detail
        assert remedy in said[name].remedy
        assert bool(said[name].remedy) == bool(remedy)


@pytest.fixture
def config(make_board, tmp_path):
    tree = make_tree(tmp_path / "board", "pi4")
    path = make_board(tmp_path)
    path.write_text(path.read_text() + '[board]\nhal = "linux"\n' + tree.toml())
    return path


def test_the_doctor_reads_the_board_of_a_configuration(config):
    said = {each.name: each for each in node_checks.of_node(config)}
    assert (
        "Raspberry Pi 4 Model B Rev 1.5: the node sees payload (estimated), die"
        in said["HAL linux"].detail
    )
    assert said["temperatures read"].detail == "cpu-thermal 48.2 degC"
    assert "settings" not in said


def test_settings_that_a_flight_left_behind_are_told_unless_it_goes_on(config):
    claim = hold_folder(config.parent / "data")
    (config.parent / "data" / "board-journal").write_text("")
    assert "settings" not in {each.name for each in node_checks.of_node(config)}
    os.close(claim)
    said = {each.name: each for each in node_checks.of_node(config)}
    assert (said["settings"].state, said["settings"].remedy) == (
        (State.MISSING, "lumenode restore, with this configuration")
    )
