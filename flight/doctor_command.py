"""`lumenode doctor`: what works on this machine, what does not, and what to do about it.

Looks and loads, changes nothing. Only what `make run` cannot do without makes it fail, and what a
node cannot do without whose configuration it was given.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flight.doctor import board_checks, machine_checks, node_checks, software_checks
from flight.doctor.finding import Finding, State, told
from flight.fly_command import DEFAULT_CONFIG
from flight.one_line_parser import OneLineParser

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_GOOD, EXIT_FAILED = 0, 1


def findings(config: Path | None = None, root: Path = Path("/")) -> list[Finding]:
    """Everything, in the order of the tables.

    Args:
        config: of a node that shall fly here; whatever it lacks is then needed. Without one, that
            of the working folder is looked at, if there is one.
        root: of the tree that the board is looked for in.
    """
    rows = [each for check in software_checks.CHECKS for each in check()]
    rows += [each for check in machine_checks.CHECKS for each in check(root)]
    rows += [each for check in board_checks.CHECKS for each in check(root)]
    path = Path(DEFAULT_CONFIG) if config is None else config
    if config is None and not path.exists():
        return [*rows, *node_checks.without_configuration()]
    asked = config is not None
    node = [
        replace(each, needed=asked and each.state is not State.UNSUPPORTED)
        for each in node_checks.of_node(path)
    ]
    return rows + node


def main_doctor(argv: Sequence[str]) -> int:
    """Exit code: 0 unless something is not there that is needed."""
    parser = OneLineParser(
        prog="lumenode doctor",
        description="Say what works on this machine and what does not. Fails (1) only when "
        "something is missing that `make run` needs, or that the node of --config needs.",
        epilog="example: lumenode doctor --config /etc/lumenode/lumenode.toml",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="of a node that shall fly here")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    arguments = parser.parse_args(argv)
    rows = findings(arguments.config)
    ready = all(each.state is State.OK for each in rows if each.needed)
    if arguments.json:
        shown = [{**asdict(each), "state": each.state.value} for each in rows]
        sys.stdout.write(json.dumps({"ready": ready, "checks": shown}) + "\n")
    else:
        width = max(len(each.name) for each in rows)
        for each in rows:
            sys.stdout.write(told(each, width) + "\n")
    return EXIT_GOOD if ready else EXIT_FAILED
