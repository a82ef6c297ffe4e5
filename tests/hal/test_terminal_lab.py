"""The conformance test on a laboratory's own terminal, as docs/terminal.md says it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal_subjects import LAB, example_path

HERE = Path(__file__).resolve().parent


@pytest.mark.slow
@pytest.mark.skipif(bool(LAB), reason="this is it")
@pytest.mark.parametrize("laser", ["", "1"])
def test_a_terminal_named_in_the_environment_is_the_only_one_that_is_asked(laser: str) -> None:
    with example_path() as path:
        env = {
            **os.environ,
            "LUMENODE_TERMINAL": f"{path}:921600",
            "LUMENODE_TERMINAL_LASER": laser,
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", str(HERE / "test_terminal_conformance.py")],
            env=env, capture_output=True, text=True, timeout=250, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert ("skipped" in done.stdout) is (laser == "")
