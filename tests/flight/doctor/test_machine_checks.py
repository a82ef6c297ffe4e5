"""What the machine lets a process do."""

import os
import resource

import pytest

from flight.doctor import machine_checks
from flight.doctor.finding import State
from flight.doctor.machine_checks import CHECKS, effective_capabilities


@pytest.fixture
def root(tmp_path):
    """A machine that has nothing."""
    for name in ("dev", "proc/self"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def looked(root):
    return {each.name: each for check in CHECKS for each in check(root)}


@pytest.mark.parametrize(
    ("said", "state"),
    [((True, 120), State.OK), ((False, 16_000_000), State.MISSING), ((None, 0), State.UNSUPPORTED)],
)
def test_the_clock_s_time_source_is_the_kernel_s_own_word(root, monkeypatch, said, state):
    monkeypatch.setattr(machine_checks, "host_synchronisation", lambda: said)
    finding = looked(root)["clock synchronised"]
    assert finding.state is state
    assert bool(finding.remedy) is (state is not State.OK)


def limits(monkeypatch, **most):
    monkeypatch.setattr(
        machine_checks.resource, "getrlimit",
        lambda which: (most["rtprio" if which == resource.RLIMIT_RTPRIO else "memlock"],) * 2,
    )  # fmt: skip


def test_limits_that_are_too_low_come_with_the_unit_s_lines(root, monkeypatch):
    limits(monkeypatch, rtprio=0, memlock=65_536)
    for name in ("real-time priority", "locked memory"):
        finding = looked(root)[name]
        assert finding.state is State.MISSING
        assert "LimitRTPRIO" in finding.remedy


def test_limits_that_suffice_are_well_without_any_capability(root, monkeypatch):
    limits(monkeypatch, rtprio=95, memlock=64 * 1024 * 1024)
    assert looked(root)["real-time priority"].state is State.OK
    assert looked(root)["locked memory"].state is State.OK


def test_a_capability_does_without_a_limit(root, monkeypatch):
    limits(monkeypatch, rtprio=0, memlock=0)
    (root / "proc/self/status").write_text(f"Name:\tx\nCapEff:\t{1 << 23 | 1 << 14:016x}\n")
    assert effective_capabilities(root) == 1 << 23 | 1 << 14
    assert looked(root)["real-time priority"].detail == "any"
    assert looked(root)["locked memory"].detail == "any"


def test_serial_ports_are_named_and_not_opened(root, monkeypatch):
    assert looked(root)["serial ports"].state is State.MISSING
    for name in ("ttyUSB0", "ttyACM0", "tty1", "null"):
        (root / "dev" / name).write_bytes(b"")
    opened = []
    monkeypatch.setattr(os, "open", lambda *args: opened.append(args))
    ports = {name for name in looked(root) if name.startswith("port ")}
    assert ports == {"port /dev/ttyUSB0", "port /dev/ttyACM0"}
    assert opened == []


def test_a_port_that_others_own_comes_with_the_group(root, monkeypatch):
    (root / "dev" / "ttyUSB0").write_bytes(b"")
    monkeypatch.setattr(machine_checks.os, "access", lambda *_: False)
    finding = looked(root)["port /dev/ttyUSB0"]
    assert finding.state is State.MISSING
    assert "dialout" in finding.remedy
