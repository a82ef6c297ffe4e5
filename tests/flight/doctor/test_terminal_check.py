import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from flight.board_config import FlyConfig
from flight.device_config import TerminalSection
from flight.doctor import terminal_check
from flight.doctor.finding import State

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def emulator():
    command = [sys.executable, "-m", "flight", "terminal", "--pty", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as child:
        try:
            yield json.loads(child.stdout.readline())["terminal"]
        finally:
            child.terminate()


def looked(device):
    config = msgspec.structs.replace(FlyConfig(), terminal=TerminalSection(device=str(device)))
    return list(terminal_check.of_terminal(config))


def test_a_node_without_one_has_nothing_to_tell():
    assert looked("") == []


def test_one_that_answers_says_who_it_is():
    with emulator() as device:
        (finding,) = looked(device)
    assert finding.state is State.OK
    assert finding.detail == (
        f"{device}: EMUL 1 answers; frames of up to 65542 octets, room for 32"
    )


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(terminal_check, "WAIT_NS", 300_000_000)


@pytest.mark.usefixtures("impatient")
def test_one_that_is_not_there_comes_with_what_to_do(tmp_path):
    (finding,) = looked(tmp_path / "none")
    assert finding.state is State.MISSING
    assert "not there, denied" in finding.detail
    assert "docs/terminal.md" in finding.remedy


@pytest.mark.usefixtures("impatient")
def test_a_line_on_which_nobody_answers_is_told_apart():
    master, slave = os.openpty()
    (finding,) = looked(os.ttyname(slave))
    os.close(master)
    os.close(slave)
    assert "opened, and nobody answers" in finding.detail
