"""`lumenode terminal` as its user meets it: what it refuses, what it tells, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flight.keys import Half
from flight.keys import main_keys as make_keys
from hal.terminal_registers import TermRegister
from hil.bench_link.port_serial import PtyPort
from hil.terminal.ground_peer import GroundPeer
from hil.terminal.terminal_command import main_terminal
from hil.terminal.terminal_reading import said

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--pty"),
        (["--pty", "--serial", "/dev/x"], "--serial"),
        (["--pty", "--peer", "0"], "1 to 65535"),
        (["--pty", "--peer-for", "901"], "1 to 900"),
        (["--pty", "--peer-after", "soon"], "0 to 1e+09"),
        (["--pty", "--peer-every", "5"], "seconds between rises"),
        (["--pty", "--rate", "nan"], "1000 to 1e+11"),
        (["--pty", "--fault", "melt@3"], "mount-stuck"),
        (["--pty", "--fifo", "0"], "1 to 4096"),
        (["--pty", "--for", "0"], "--for"),
        (["--pty", "--mirror", "--ground", "keys"], "--ground"),
        (["--pty", "--ground", "no-such-folder"], "lumenode.toml"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_code_2(
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main_terminal(arguments)
    except SystemExit as stopped:
        code = stopped.code
    said = capsys.readouterr().err
    assert code == 2
    assert named in said
    assert len(said.splitlines()) == 1


def test_a_port_that_is_not_there_is_one_line_and_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main_terminal(["--serial", "/dev/no-such-port", "--for", "1"]) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_a_ground_needs_its_own_half_of_the_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "node.toml").write_text('name = "n"\n')
    arguments = ["--pty", "--ground", str(tmp_path), "--config", str(tmp_path / "node.toml")]
    assert main_terminal(arguments) == 2
    assert Half.GROUND.file_name in capsys.readouterr().err


def test_a_ground_archives_reports_and_never_uses_a_counter_twice(tmp_path: Path) -> None:
    assert make_keys(["init", str(tmp_path / "keys")]) == 0
    (tmp_path / "node.toml").write_text('name = "n"\n')

    def first_report() -> bytes:
        peer = GroundPeer(tmp_path / "keys", tmp_path / "node.toml", tmp_path / "archive")
        assert peer.uplink(0) != []
        assert peer.uplink(1) == []
        (frame,) = peer.uplink(500_000_000)
        peer.on_frame(b"not a frame of this node", 0)
        assert (peer.frames, sum(peer.ground.frames_refused.values())) == (1, 1)
        peer.close()
        return frame

    assert first_report() != first_report()
    assert (tmp_path / "archive").is_dir()


@pytest.mark.slow
def test_it_tells_its_path_first_and_its_counters_last() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "flight", "terminal", "--pty", "--json", "--for", "0.5"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert lines[0]["terminal"].startswith("/dev/pts/")
    assert lines[-1]["tx_frames"] == 0
    assert lines[-1]["line_corrupt"] == 0


def test_without_a_terminal_the_reader_says_why_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main_terminal(["--read", str(tmp_path / "gone"), "--for", "0.05"]) == 1
    assert capsys.readouterr().err.endswith("cannot be opened as a serial port\n")
    port = PtyPort()
    assert main_terminal(["--read", port.path, "--for", "0.3"]) == 1
    assert capsys.readouterr().err == f"lumenode terminal: {port.path}: nobody answers\n"
    port.close()


@pytest.mark.parametrize(
    ("register", "value", "text"),
    [
        (TermRegister.MOUNT_MDEGC, None, "absent"),
        (TermRegister.VENDOR, 0x454D554C, "0x454d554c 'EMUL'"),
        (TermRegister.FLAGS, 3, "3 beacon coarse"),
        (TermRegister.FAULT, 4, "4 mount"),
        (TermRegister.FAULT, 0, "0"),
        (TermRegister.RX_POWER_MDBM, -43000, "-43000"),
    ],
)
def test_a_register_is_said_for_a_person(
    register: TermRegister, value: int | None, text: str
) -> None:
    assert said(register, value) == text


@pytest.mark.slow
def test_the_reader_shows_every_register_of_an_emulated_terminal() -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "flight", "terminal"]
    with subprocess.Popen(
        [*command, "--pty", "--json"], stdout=subprocess.PIPE, text=True, env=env
    ) as emulator:
        assert emulator.stdout is not None
        path = json.loads(emulator.stdout.readline())["terminal"]
        told = subprocess.run(
            [*command, "--read", path, "--json", "--for", "30"],
            env=env, capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
        emulator.terminate()
    shown = json.loads(told)
    assert list(shown) == [register.name.lower() for register in TermRegister]
    assert shown["detector_mdegc"] is None or shown["detector_mdegc"] < 0
    assert shown["laser_enable"] == 0
