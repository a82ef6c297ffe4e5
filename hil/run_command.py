"""`lumenode run` and `lumenode scenarios`: fly a scenario, judge it, write its report."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flight.one_line_parser import OneLineParser
from hil.bench_link.port_serial import PortError
from hil.emulated.recipe import EmulationError
from hil.emulated.stage import emulated_python
from hil.line_arguments import add_line_arguments, invitation, mode_of, serial_setup
from hil.line_targets import line_target, pty_target
from hil.node_power import fly_command
from hil.run_flight import EXIT_GOOD, EXIT_USAGE, run_target
from hil.run_folder import RunFolder
from hil.run_inputs import INPUT_ERRORS, check_inputs
from hil.scenario import DEFAULT, load_scenario, shipped_names, with_overrides
from hil.scenario_check import check_for_line
from hil.sim_target import SimTarget
from hil.stream_target import START_LIMIT_S

if TYPE_CHECKING:
    from hil.scenario import Scenario
    from hil.target import Target

SERIAL = "serial:"
LOCAL = ("pty", "emulated")
"""The node is a process that this one starts, of this processor or of an emulated one."""


def main_run(argv: list[str]) -> int:
    """Exit code: 0 all expectations hold, 1 one failed, 2 usage, 3 the bench broke, 130."""
    arguments = _parser().parse_args(argv)
    try:
        scenario = with_overrides(load_scenario(arguments.scenario), seed=arguments.seed)
        check_inputs(scenario, arguments.scenario)
        if arguments.target != "sim":
            check_for_line(scenario, arguments.scenario, arguments.target)
        folder = RunFolder.claim(arguments.out or Path(f"runs/{scenario.name}"))
        target = _target(arguments, scenario, folder.path)
    except (*INPUT_ERRORS, PortError, EmulationError) as error:
        sys.stderr.write(f"lumenode run: {error}\n")
        return EXIT_USAGE
    return run_target(
        "run",
        target,
        folder,
        Console(stderr=arguments.json),
        as_json=arguments.json,
        speed=arguments.speed,
        debug=arguments.debug,
    )


def _target(arguments: argparse.Namespace, scenario: Scenario, folder: Path) -> Target:
    name: str = arguments.target
    if name == "sim":
        return SimTarget(scenario, folder)
    if name in LOCAL:
        python = emulated_python(_tell) if name == "emulated" else sys.executable
        return pty_target(
            scenario,
            folder,
            mode_of(arguments),
            name=name,
            capture=arguments.capture,
            command=lambda config: fly_command(config, python),
        )
    setup = serial_setup(arguments, name.removeprefix(SERIAL), name)
    target, config = line_target(scenario, folder, setup)
    for line in invitation(setup, config):
        Console(stderr=True).print(line, soft_wrap=True)
    return target


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main_scenarios(argv: list[str]) -> int:
    """Lists what is shipped, one line each."""
    parser = OneLineParser(
        prog="lumenode scenarios",
        description="List the shipped scenarios.",
        epilog="example: lumenode scenarios --json",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    arguments = parser.parse_args(argv)
    listed = [(name, load_scenario(name)) for name in shipped_names()]
    if arguments.json:
        rows = [
            {"name": name, "title": s.title, "duration_s": s.duration_s, "seed": s.seed}
            for name, s in listed
        ]
        sys.stdout.write(json.dumps(rows) + "\n")
        return EXIT_GOOD
    width = max(len(name) for name, _ in listed)
    for name, scenario in listed:
        hours = scenario.duration_s / 3600.0
        sys.stdout.write(f"{name:<{width}}  {hours:5.1f} h  {scenario.title}\n")
    return EXIT_GOOD


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode run",
        description="Fly a scenario on the bench, judge its expectations, write its report.",
        epilog="example: lumenode run first-flight --seed 7 --out runs/seven",
    )
    parser.add_argument(
        "scenario", nargs="?", default=DEFAULT, help=f"shipped name or TOML file ({DEFAULT})"
    )
    parser.add_argument(
        "--target",
        type=_target_name,
        default="sim",
        help="where the node runs: sim; pty, a process of its own; emulated, one on an aarch64 "
        "processor; serial:DEV, a board (sim)",
    )
    add_line_arguments(parser, wait_s=START_LIMIT_S)
    parser.add_argument("--seed", type=seed_argument, help="instead of the scenario's own")
    parser.add_argument(
        "--speed", type=_speed, default=None, help="max, or a multiple of real time such as 60"
    )
    parser.add_argument("--out", type=folder_argument, help="folder for results (runs/NAME)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a broken bench")
    return parser


def _target_name(text: str) -> str:
    if text in ("sim", *LOCAL) or (text.startswith(SERIAL) and text != SERIAL):
        return text
    raise argparse.ArgumentTypeError(f"{text!r}: allowed is sim, pty, emulated or serial:DEV")


def seed_argument(text: str) -> int:
    """A seed, as argparse wants it."""
    if not (text.isascii() and text.isdecimal() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is 0 to 2^63-1")
    return int(text)


def folder_argument(text: str) -> Path:
    """A folder, as argparse wants it."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name is no folder")
    return Path(text)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is max, or 0.1 to 1e6")
    return value
