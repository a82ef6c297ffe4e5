"""What a flying process loads: nothing of the bench, of training, of plotting or of the web."""

import json
import os
import subprocess
import sys

from house import ROOT, lies_under, modules

FORBIDDEN = (
    "numpy",
    "onnxruntime",
    "scipy",
    "rich",
    "matplotlib",
    "hil",
    "dask",
    "distributed",
    "torch",
    "starlette",
    "hypothesis",
    "pytest",
)

# What flying imports, the composition root first of all.
FLY_PATH = (
    "flight.base",
    "flight.wire",
    "flight.telemetry.dictionary",
    "flight.executive",
    "flight.app",
    "flight.board_node",
    "flight.board_flight",
    "flight.fly_command",
)

SHOW = "import importlib, json, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
SHOW += "print(json.dumps(sorted(sys.modules)))"


def loaded_by(names):
    """Names of the modules that a fresh interpreter holds after importing these."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, *names],
        env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def test_a_flying_process_loads_nothing_that_belongs_on_the_ground():
    flying = [name for name in modules() if lies_under(name, FLY_PATH)]
    assert len(flying) > 10
    loaded = loaded_by(flying)
    assert set(flying) <= set(loaded)
    assert [name for name in loaded if lies_under(name, FORBIDDEN)] == []


def test_the_check_sees_a_planted_import():
    assert "hil.simloop" in loaded_by(["flight.base.clock", "hil.simloop"])
