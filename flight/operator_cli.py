"""What the operator's commands share: where the broker is, whose keys, which node.

Far end of command -> ack without a console: `lumenode send` and `lumenode watch`.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from flight.board_config import FlyConfig, load_fly_config
from flight.config import ConfigError
from flight.one_line_parser import OneLineParser
from flight.wire.counter_reserve import CounterReserve

if TYPE_CHECKING:
    import argparse

EXIT_GOOD, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
DEFAULT_CONFIG = "lumenode.toml"
COUNTER_FILE = "link-ground.counter"


def operator_parser(prog: str, description: str, example: str) -> OneLineParser:
    """A parser with the options that say where the node is."""
    parser = OneLineParser(prog=prog, description=description, epilog=f"example: {example}")
    parser.add_argument(
        "--config", metavar="FILE", help=f"name, [mqtt] and [link] of the node ({DEFAULT_CONFIG})"
    )
    parser.add_argument("--node", metavar="NAME", help="name of the node")
    parser.add_argument("--host", help="of the broker")
    parser.add_argument("--port", type=int, help="of the broker")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    return parser


def operator_config(arguments: argparse.Namespace) -> FlyConfig:
    """The configuration with what the command line says on top; ConfigError in one line."""
    given, default = arguments.config, Path(DEFAULT_CONFIG)
    config = load_fly_config(Path(given or default)) if given or default.exists() else FlyConfig()
    mqtt = msgspec.structs.replace(
        config.mqtt,
        enabled=True,
        embedded=False,
        host=arguments.host or config.mqtt.host,
        port=config.mqtt.port if arguments.port is None else arguments.port,
    )
    if not 1 <= mqtt.port <= 65535:
        raise ConfigError(f"--port {mqtt.port}: allowed is 1 to 65535")
    name = arguments.node or config.name
    mqtt.check(str(given or default), name)
    return msgspec.structs.replace(config, name=name, mqtt=mqtt)


class GroundCounter:
    """The uplink key's counter, in a file beside the key; one process at a time has it.

    A counter used twice under one key gives the key away (NIST SP 800-38D section 8), so a number
    is on the disk before it is used, and a file that cannot be read is never begun again.

    Raises:
        ConfigError: the file is not ours, or another process holds it.
    """

    def __init__(self, keys: Path) -> None:
        self._path = keys / COUNTER_FILE
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"{self._path}: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.reserve = CounterReserve(load=self._load, store=self._store, block=1)
        except OSError:
            self.close()
            raise ConfigError(f"{self._path}: another process is sending; try again") from None
        except ValueError:
            self.close()
            raise ConfigError(
                f"{self._path}: no counter; make new keys, never start again"
            ) from None

    def close(self) -> None:
        """Lets the next process have it."""
        os.close(self._fd)

    def _load(self) -> int:
        text = os.pread(self._fd, 64, 0)
        return int(text) if text else 0

    def _store(self, number: int) -> None:
        # Of one length always: written over in place it is never shorter than what it replaces.
        os.pwrite(self._fd, b"%020d\n" % number, 0)
        os.fsync(self._fd)
