"""A minute-long mission flown to its folder, for the tests of what scores it."""

import tomllib
from datetime import UTC

import msgspec
from rich.console import Console

from hil.run_flight import run_target
from hil.run_folder import RunFolder
from hil.scenario import Scenario, load_scenario
from hil.sim_target import SimTarget

MISSION = """
name = "short"
title = "Ten minutes with little light, a hot board and a slow relay"
seed = 11
duration_s = 600.0
epoch_utc = 2026-06-21T03:30:00Z
[spacecraft]
soc_initial = 0.62
[imagery]
source = "synthetic"
[ground]
stations = []
relay_first_s = 240.0
relay_contact_s = 300.0
relay_every_s = 900.0
relay_rate_bps = 60000.0
[node.camera]
cadence_s = 2.0
tiles_per_frame = 1024
backlog_frames = 4
[[timeline]]
at_s = 60.0
for_s = 400.0
action = "heat"
watts = 90.0
[[timeline]]
at_s = 100.0
for_s = 200.0
action = "array"
share = 0.3
"""


def mission(**changes):
    """The mission as a scenario, changed."""
    content = tomllib.loads(MISSION)
    content["epoch_utc"] = content["epoch_utc"].replace(tzinfo=UTC)
    return msgspec.structs.replace(msgspec.convert(content, Scenario), **changes)


def fly(scenario, folder, governor=None):
    """Flies it and leaves everything in the folder; the scenario as it was flown."""
    claimed = RunFolder.claim(folder)
    target = SimTarget(scenario, folder, governor)
    code = run_target("run", target, claimed, Console(quiet=True), as_json=False,
                      show=lambda *_: None)  # fmt: skip
    assert code == 0
    return load_scenario(str(folder / "scenario.toml"))
