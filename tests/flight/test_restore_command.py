"""`lumenode restore`, as the service manager runs it after a flight that was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from linux_boards import make_tree

from flight.board_linux import journal_path
from flight.data_folder import hold_folder
from flight.restore_command import main_restore
from hal.sample import HalError

PATIENCE_S = 60


@pytest.fixture
def tree(tmp_path):
    return make_tree(tmp_path / "board", "pi4")


@pytest.fixture
def config(tree, tmp_path):
    path = tmp_path / "lumenode.toml"
    path.write_text('[board]\nhal = "linux"\n' + tree.toml())
    return path


def guards_of(pid):
    """The processes that watch over a flight."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid for pid in children if b"lumenode-guard" in command_of(pid)]


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_alive(pid):
    try:
        return b"lumenode-guard" in command_of(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true):
    give_up = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_where_nothing_was_set_there_is_nothing_to_put_back(config, capsys):
    assert main_restore(["--config", str(config)]) == 0
    assert capsys.readouterr().out == "lumenode restore: nothing to put back\n"
    assert not (config.parent / "data").exists(), "it makes nothing either"


@pytest.mark.slow  # a real flight
@pytest.mark.parametrize("ends", ["killed", "stopped"])
def test_after_a_flight_the_board_is_as_it_was_found(
    make_board, lumenode, tree, tmp_path, capsys, ends
):
    path = make_board(tmp_path)
    absent = '"array", "bus", "battery", "cells", "laser", "sink", "radiator", "sun", "terminal"'
    path.write_text(
        path.read_text()
        + f'[board]\nhal = "linux"\n[sensors]\nabsent = [{absent}, "rx_power"]\n'
        + '[inference]\nprofile = "raspberry-pi-4"\n'
        + tree.toml()
    )
    command = [sys.executable, "-m", "flight", "fly", "--config", str(path)]
    flight = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until(lambda: tree.cap_khz() < 1_800_000)
        assert main_restore(["--config", str(path)]) == 2
        assert "another flight process has it" in capsys.readouterr().err
        assert tree.cap_khz() == 600_000, "a flight that goes on keeps its own"
        guards = guards_of(flight.pid)
        assert guards
        flight.send_signal(signal.SIGKILL if ends == "killed" else signal.SIGTERM)
        flight.wait(PATIENCE_S)
        # It has the last word on a killed flight's payload; a service manager waits for it, too.
        until(lambda: not any(map(is_alive, guards)))
    finally:
        flight.kill()
    changed = tree.cap_khz() != 1_800_000
    assert changed == (ends == "killed")
    told = lumenode("restore", "--config", path)
    assert (told.returncode, told.stderr) == (0, "")
    assert tree.cap_khz() == 1_800_000
    assert ("2 settings put back" in told.stdout) == changed


def test_a_damaged_journal_is_told_in_one_line_and_kept(config, capsys):
    (config.parent / "data").mkdir()
    journal = journal_path(str(config.parent / "data"))
    journal.write_text("no journal\n")
    assert main_restore(["--config", str(config)]) == 1
    err = capsys.readouterr().err
    assert "damaged" in err
    assert err.count("\n") == 1
    assert journal.exists()


def test_a_setting_that_cannot_be_put_back_is_told_and_the_journal_kept(
    config, capsys, monkeypatch
):
    journal = config.parent / "data" / "board-journal"
    journal.parent.mkdir()
    journal.write_text("")
    for code, said in ((-2, "permission denied"), (-5, "IO; the journal is kept")):

        def refuse(_linux, _journal, code=code):
            raise HalError("linux.restore", code)

        monkeypatch.setattr("flight.restore_command.restore", refuse)
        assert main_restore(["--config", str(config)]) == 1
        assert said in capsys.readouterr().err


def test_who_holds_the_folder_is_not_disturbed(config, capsys):
    folder = config.parent / "data"
    claim = hold_folder(folder)
    (folder / "board-journal").write_text("")
    assert main_restore(["--config", str(config)]) == 2
    os.close(claim)
    assert "another flight process" in capsys.readouterr().err


def test_a_missing_configuration_is_one_line(tmp_path, capsys):
    assert main_restore(["--config", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
