"""`lumenode bench`: the bench alone, for a node that somebody else starts."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flight.one_line_parser import OneLineParser
from hil.bench_link.port_serial import PortError
from hil.line_arguments import add_line_arguments, invitation, pty_setup, serial_setup
from hil.line_targets import line_target
from hil.run_command import folder_argument, seed_argument
from hil.run_flight import EXIT_USAGE, run_target
from hil.run_folder import RunFolder
from hil.run_inputs import INPUT_ERRORS, check_inputs
from hil.scenario import DEFAULT, load_scenario, with_overrides

if TYPE_CHECKING:
    from collections.abc import Sequence


def main_bench(argv: Sequence[str]) -> int:
    """Exit code as of `lumenode run`; 2 also for a port that cannot be had."""
    arguments = _parser().parse_args(argv)
    try:
        scenario = with_overrides(load_scenario(arguments.scenario), seed=arguments.seed)
        check_inputs(scenario, arguments.scenario)
        folder = RunFolder.claim(arguments.out or Path(f"runs/{scenario.name}"))
        if arguments.serial is None:
            setup = pty_setup(arguments)
        else:
            setup = serial_setup(arguments, arguments.serial, f"serial:{arguments.serial}")
        target, config = line_target(scenario, folder.path, setup)
    except (*INPUT_ERRORS, PortError) as error:
        sys.stderr.write(f"lumenode bench: {error}\n")
        return EXIT_USAGE
    console = Console(stderr=arguments.json)
    for line in invitation(setup, config):
        console.print(line, soft_wrap=True)
    return run_target(
        "bench", target, folder, console, as_json=arguments.json, debug=arguments.debug
    )


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode bench",
        description="Serve the devices of a node that somebody else starts, over a serial line or "
        "a pseudo-terminal, and judge it as `lumenode run` does. The node's configuration and its "
        "half of the keys are in the run's folder under node/; how to start it is printed.",
        epilog="example: lumenode bench --serial /dev/ttyUSB0 --node-device /dev/serial0 "
        "(docs/bench.md)",
    )
    parser.add_argument(
        "scenario", nargs="?", default=DEFAULT, help=f"shipped name or TOML file ({DEFAULT})"
    )
    line = parser.add_mutually_exclusive_group(required=True)
    line.add_argument("--serial", metavar="DEV", help="serial port of this machine")
    line.add_argument("--pty", action="store_true", help="a pseudo-terminal; its path is printed")
    add_line_arguments(parser, wait_s=math.inf)
    parser.add_argument("--seed", type=seed_argument, help="instead of the scenario's own")
    parser.add_argument("--out", type=folder_argument, help="folder for results (runs/NAME)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a broken bench")
    return parser
