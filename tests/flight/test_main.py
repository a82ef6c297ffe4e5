import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from flight import __version__
from flight.__main__ import COMMANDS, main, usage

FLIGHT = [name for name, (module, _, _) in COMMANDS.items() if module.startswith("flight.")]


def test_version_loads_nothing_but_the_command_itself():
    show = "import sys, json; from flight.__main__ import main; main(['--version']); "
    show += "print(json.dumps([m for m in sys.modules if m.split('.')[0] in "
    show += "('flight', 'hal', 'hil', 'numpy', 'asyncio', 'msgspec', 'argparse')]))"
    shown = subprocess.run(
        [sys.executable, "-c", show], capture_output=True, text=True, timeout=60, check=True
    )
    version, loaded = shown.stdout.splitlines()
    assert version == f"lumenode {__version__}"
    assert sorted(json.loads(loaded)) == ["flight", "flight.__main__"]


def test_help_lists_every_command():
    assert all(f"\n  {name} " in usage() for name in COMMANDS)


def test_a_command_nobody_knows_is_one_line_with_exit_code_two(capsys):
    assert main(["flie"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_command_at_all_shows_the_help_with_exit_code_two(capsys):
    assert main([]) == 2
    assert "usage: lumenode" in capsys.readouterr().out


@pytest.mark.parametrize("name", FLIGHT)
def test_every_flight_command_exists_and_shows_an_example(name, lumenode):
    module, function, _ = COMMANDS[name]
    assert callable(getattr(importlib.import_module(module), function))
    shown = lumenode(name, "--help")
    assert shown.returncode == 0
    assert "example: lumenode" in shown.stdout


def test_an_interrupted_command_ends_with_130(monkeypatch, capsys):
    def interrupted(_argv):
        raise KeyboardInterrupt

    monkeypatch.setattr("flight.keys.main_keys", interrupted)
    assert main(["keys"]) == 130
    assert capsys.readouterr().err == "lumenode: interrupted\n"


def test_output_that_finds_no_room_is_one_line_and_the_exit_code_of_a_broken_bench():
    with Path("/dev/full").open("w") as full:
        told = subprocess.run(
            [sys.executable, "-m", "flight", "scenarios"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert told.returncode == 3
    where = "standard output, or a file that was being written"
    assert told.stderr == f"lumenode: {where}: No space left on device\n"


def test_a_file_that_finds_no_room_is_named():
    fail = "raise OSError(28, 'No space left on device', 'run/log.bin')"
    script = f"import sys; from flight import __main__ as command, keys\ndef full(_):\n    {fail}\n"
    script += "keys.main_keys = full; sys.exit(command.main(['keys']))"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 3
    assert told.stderr == "lumenode: run/log.bin: No space left on device\n"


@pytest.mark.parametrize("extension", ["hal._native", "hil.plant._plant_native"])
def test_an_extension_that_is_not_built_is_one_line_that_says_what_to_run(extension):
    hide = f"import sys; sys.modules[{extension!r}] = None; from flight.__main__ import main; "
    told = subprocess.run(
        [sys.executable, "-c", hide + "sys.exit(main(['run', '--out', '/nonexistent/x']))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert extension in told.stderr
    assert "make setup" in told.stderr
