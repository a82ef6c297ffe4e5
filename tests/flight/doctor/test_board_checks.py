"""A board is looked at by the kernel's names, on fake trees."""

import pytest

from flight.doctor import board_checks
from flight.doctor.board_checks import ACCESSES, CHECKS
from flight.doctor.finding import State

PI = {
    "proc/device-tree/model": b"Raspberry Pi 4 Model B Rev 1.4\0",
    "sys/class/thermal/thermal_zone0/temp": b"51000\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq": b"1800000\n",
    "dev/gpiochip0": b"",
    "dev/i2c-1": b"",
    "dev/watchdog": b"",
    "dev/vcio": b"",
}


@pytest.fixture
def root(tmp_path):
    return tmp_path


def grow(root, tree):
    for name, content in tree.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def looked(root):
    return {each.name: each for check in CHECKS for each in check(root)}


def test_a_board_that_is_known_gets_its_profile(root):
    grow(root, PI)
    assert looked(root)["board"].detail == (
        "Raspberry Pi 4 Model B Rev 1.4; board profile raspberry-pi-4"
    )


def test_what_is_there_and_may_be_used_is_well(root):
    grow(root, PI)
    seen = looked(root)
    for name in ("temperatures", "processor clocks", "GPIO", "I2C", "watchdog", "throttle flags"):
        assert seen[name].state is State.OK, name


def test_what_a_board_cannot_have_is_told_only_where_it_matters(root):
    seen = looked(root)
    assert "GPIO" not in seen
    assert "cameras" not in seen
    for name in ("temperatures", "power rails", "processor clocks", "watchdog"):
        assert seen[name].state is State.UNSUPPORTED
        assert seen[name].remedy


def test_what_may_not_be_used_is_named_with_the_rule_that_mends_it(root, monkeypatch):
    grow(root, PI)
    denied = root / "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq"
    monkeypatch.setattr(board_checks.os, "access", lambda path, _use: path != denied)
    finding = looked(root)["processor clocks"]
    assert finding.state is State.MISSING
    assert "/sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq" in finding.detail
    assert "99-lumenode.rules" in finding.remedy
    assert looked(root)["GPIO"].state is State.OK


def test_every_remedy_is_one_that_exists():
    assert all("99-lumenode.rules" in each.remedy or "usermod" in each.remedy for each in ACCESSES)
