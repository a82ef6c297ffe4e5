"""What is installed on a board fits together: rules, unit, configuration, the doctor's remedies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flight.board_config import load_fly_config
from flight.doctor.board_checks import ACCESSES
from flight.fly_command import parse
from flight.watchdog_chain import PACE_NS_MAX

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
RULE = re.compile(r'^(?:[A-Z]+(?:\{\w+\})?(?:==|!=|\+=|:=|=)"[^"]*"(?:, |$))+$')


def rules() -> list[str]:
    lines = (DEPLOY / "99-lumenode.rules").read_text(encoding="ascii").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def settings(name: str) -> list[str]:
    lines = (DEPLOY / "lumenode.service").read_text(encoding="ascii").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(name + "=")]


@pytest.mark.parametrize("line", rules())
def test_every_rule_is_one_that_udev_can_read(line: str) -> None:
    assert RULE.match(line), line
    assert re.search(r'[A-Z]+(?:\{\w+\})?=="', line), "matches something"
    assert re.search(r'(?:GROUP|RUN|ATTR\{\w+\})(?:\+=|=)"', line), "and does something"


def test_a_broken_rule_is_found() -> None:
    for broken in ('SUBSYSTEM="cpu" GROUP="x"', "KERNEL==vcio", 'KERNEL=="a",, MODE="1"'):
        assert not RULE.match(broken)


def test_the_unit_s_user_is_in_every_group_that_the_rules_give_things_to() -> None:
    given = set(re.findall(r'GROUP="(\w+)"', "\n".join(rules())))
    given |= set(re.findall(r"chgrp (\w+)", "\n".join(rules())))
    (groups,), (own,) = settings("SupplementaryGroups"), settings("Group")
    assert given == set(groups.split()) | {own}
    head = (DEPLOY / "99-lumenode.rules").read_text(encoding="ascii")
    (made,) = re.findall(r"for group in ([\w ]+);", head)
    assert given - {"dialout", "video"} == set(made.split()), "the rest is Debian's own"


def test_whatever_the_doctor_sends_to_the_rules_is_in_the_rules() -> None:
    text = "\n".join(rules())
    words = {
        "processor clocks": "cpufreq", "GPU clock": "devfreq", "GPIO": "gpiochip",
        "I2C": "i2c-dev", "SPI": "spidev", "watchdog": "watchdog",
    }  # fmt: skip
    asked = [each.name for each in ACCESSES if "rules" in each.remedy and each.use & 2]
    assert set(asked) == set(words)
    for name in asked:
        assert words[name] in text


def test_the_unit_opens_every_kind_of_device_that_the_rules_open() -> None:
    allowed = " ".join(settings("DeviceAllow"))
    for kind in ("gpiochip", "i2c", "spi", "watchdog", "ttyUSB", "ttyACM", "ttyAMA", "ttyTHS",
                 "video4linux", "/dev/vcio"):  # fmt: skip
        assert kind in allowed
    assert settings("PrivateDevices") == ["no"]
    assert settings("ProtectKernelTunables") == ["no"], "else no clock could be set"


def test_a_worker_that_goes_for_want_of_memory_does_not_take_the_flight_along() -> None:
    assert settings("MemoryMax"), "what may be too little"
    assert settings("OOMPolicy") == ["continue"], "systemd's own default stops the unit"


def test_the_unit_s_command_is_one_that_the_command_takes() -> None:
    (command,) = settings("ExecStart")
    program, verb, *arguments = command.split()
    assert (Path(program).name, verb) == ("lumenode", "fly")
    assert parse(arguments).config == "/etc/lumenode/lumenode.toml"
    assert settings("RestartPreventExitStatus") == ["2"], "what a person has to mend"


def test_the_unit_waits_for_the_first_cycle_and_outlasts_whatever_may_stand_still() -> None:
    assert settings("Type") == ["notify"]
    assert settings("NotifyAccess") == ["main"], "a worker has nothing to say"
    (watchdog_s,), (restart_s,) = settings("WatchdogSec"), settings("RestartSec")
    assert int(watchdog_s) * 1_000_000_000 >= 2 * PACE_NS_MAX, "a stroke may be lost"
    assert int(restart_s) + int(watchdog_s) < 15, "before a Pi's own watchdog resets it"


def test_the_sample_configuration_flies() -> None:
    assert load_fly_config(DEPLOY / "lumenode.toml").board.hal == "sim"


@pytest.mark.parametrize("page", ["raspberry-pi.md", "jetson.md"])
def test_a_guide_says_of_every_step_what_to_expect_and_how_to_undo_it(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    steps = re.split(r"^## (?=\d)", text, flags=re.MULTILINE)[1:]
    assert len(steps) >= 6
    for step in steps:
        refers = "Step" in step or "Two ways" in step or "levels" in step.lower()
        assert ("- Expect:" in step and "- Undo:" in step) or refers, step.splitlines()[0]


def test_every_route_is_marked_tested_or_untested() -> None:
    for page, least in (("raspberry-pi.md", 3), ("jetson.md", 4)):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        rows = re.findall(
            r"^\| .*(?:JetPack|Debian|Raspberry Pi OS|Ubuntu).*\|$", text, re.MULTILINE
        )
        marked = [row for row in rows if re.search(r"\b(?:un)?tested\b", row)]
        assert len(marked) >= least, page
