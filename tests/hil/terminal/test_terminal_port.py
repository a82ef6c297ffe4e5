"""The emulator as a process of its own: a whole contact over a pseudo-terminal, and a hung one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "hal"))

from terminal_subjects import OnALine, emulator_path

from hal.sample import TermFlag
from hal.terminal_registers import TermRegister
from hil.bench_link.session_values import Phase

R = TermRegister
pytestmark = pytest.mark.slow
SURE = ("--margin", "30", "--seed", "11", "--mirror")


def reg(node: OnALine, register: TermRegister) -> int:
    words = node.read_words(register, 1)
    assert isinstance(words, list)
    return words[0]


def test_a_contact_from_stow_to_frames_that_come_back() -> None:
    with emulator_path(*SURE, "--peer", "5") as (path, child):
        node = OnALine(path)
        assert node.write(R.TARGET_ID, 5) is None
        assert node.write(R.LASER_ENABLE, 1) is None
        assert node.pump(60.0, lambda: bool(reg(node, R.FLAGS) & TermFlag.SYNC))
        sent = [bytes([index]) * 20_000 for index in range(10)]
        for frame in sent:
            assert node.pump(20.0, lambda: node.credit > 0)
            assert node.submit(frame)
        assert node.pump(30.0, lambda: len(node.received) == len(sent))
        assert list(node.received) == sent
        assert reg(node, R.TX_FRAMES) == reg(node, R.RX_FRAMES) == len(sent)
        node.close()
        child.terminate()
        assert child.stdout is not None
        told = [json.loads(line) for line in child.stdout]
        assert {"sync": 1}.items() <= next(line for line in told if "sync" in line).items()
        assert told[-1]["tx_frames"] == told[-1]["far_side_frames"] == len(sent)


def test_a_terminal_that_hangs_is_noticed_and_comes_back_dark() -> None:
    with emulator_path("--fault", "silence@3+3") as (path, _):
        node = OnALine(path)
        assert node.write(R.LASER_ENABLE, 1) is None
        assert node.pump(10.0, lambda: node.session.phase is not Phase.UP)
        node.connect()
        assert reg(node, R.LASER_ENABLE) == 0
        node.close()
