"""`lumenode restore`: puts back what a flight set on this board and could not put back itself.

For the service manager after each end of a flight, however it came, and for a person. The next
flight does the same at its start.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flight.board_config import load_fly_config
from flight.board_linux import journal_path
from flight.config import ConfigError
from flight.data_folder import hold_folder
from flight.fly_command import DEFAULT_CONFIG
from flight.one_line_parser import OneLineParser
from hal.linux_devices import restore
from hal.sample import HalError, HalErrorKind

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_GOOD, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main_restore(argv: Sequence[str]) -> int:
    """Exit code: 0 all is as it was found, 1 something could not be put back, 2 usage."""
    parser = OneLineParser(
        prog="lumenode restore",
        description="Put back the clock caps and switches of this board that a flight set and, "
        "killed or crashed, did not put back. Nothing happens while a flight goes on.",
        epilog="example: lumenode restore --config /etc/lumenode/lumenode.toml",
    )
    parser.add_argument(
        "--config", metavar="FILE", default=DEFAULT_CONFIG, help="the node's (%(default)s)"
    )
    parser.add_argument("--data", metavar="DIR", default="", help="folder of the product store")
    options = parser.parse_args(argv)
    try:
        told, code = _restore(Path(options.config), options.data)
    except ConfigError as error:
        sys.stderr.write(f"lumenode restore: {error}\n")
        return EXIT_USAGE
    (sys.stderr if code else sys.stdout).write(f"lumenode restore: {told}\n")
    return code


def _restore(path: Path, data: str) -> tuple[str, int]:
    config = load_fly_config(path, data=data)
    journal = journal_path(config.board.data)
    if not journal.exists():
        return "nothing to put back", EXIT_GOOD
    # A flight that goes on has its own settings, and puts them back itself.
    claim = hold_folder(Path(config.board.data))
    try:
        count = restore(config.linux, str(journal))
    except HalError as error:
        return _trouble(error, journal), EXIT_FAILED
    finally:
        os.close(claim)
    return f"{count} settings put back", EXIT_GOOD


def _trouble(error: HalError, journal: Path) -> str:
    if error.kind is HalErrorKind.CORRUPT:
        return f"{journal}: damaged; nothing was put back; restart the board, then remove the file"
    if error.kind is HalErrorKind.PERM:
        return f"{journal}: permission denied for a setting; run it as the user who flies, or root"
    return f"{journal}: a setting could not be put back: {error.kind.name}; the journal is kept"
