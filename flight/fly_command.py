"""`lumenode fly`: the flight executive alone, in real time, on a board.

Only reads its arguments and says what went wrong; `flight.board_flight` flies.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_CONFIG = "lumenode.toml"
EXIT_GOOD, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
SECONDS_MAX = 1e9
USAGE = f"""usage: lumenode fly [--config FILE] [--keys DIR] [--data DIR] [--for SECONDS]

Flies the node of a configuration file in real time until SIGTERM or Ctrl-C, which end it
cleanly with exit code 0. Events of level INFO and above are printed, one a line.

  --config FILE  the node and its board ({DEFAULT_CONFIG})
  --keys DIR     folder with link-node.json, made by `lumenode keys init DIR`
  --data DIR     folder of the product store
  --for SECONDS  end by itself after so long

example: lumenode fly --config /etc/lumenode/lumenode.toml --for 60
"""


class FlyArguments(msgspec.Struct, frozen=True):
    """The command line; empty texts leave the choice to the configuration file."""

    config: str = DEFAULT_CONFIG
    keys: str = ""
    data: str = ""
    seconds: float | None = None


class UsageError(ValueError):
    """A command line that says nothing sensible; its text is one line."""


def parse(argv: Sequence[str]) -> FlyArguments:
    """The arguments, as `--name value` or `--name=value`; raises UsageError.

    By hand: the usual parser would be the flight process's only reason to load five modules.
    """
    names = {"--config": "config", "--keys": "keys", "--data": "data", "--for": "seconds"}
    given: dict[str, str | float] = {}
    words = list(argv)
    while words:
        option, has_value, value = words.pop(0).partition("=")
        if option not in names:
            raise UsageError(f"unknown argument {option!r}; lumenode fly --help lists them")
        if not has_value:
            if not words:
                raise UsageError(f"{option} needs a value")
            value = words.pop(0)
        if not value:
            raise UsageError(f"{option} needs a value")
        given[names[option]] = _seconds(value) if option == "--for" else value
    return msgspec.convert(given, FlyArguments)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= SECONDS_MAX:
        raise UsageError(f"--for {text}: allowed is more than 0, up to {SECONDS_MAX:g}")
    return seconds


def main_fly(argv: Sequence[str]) -> int:
    """Exit code: 0 ended as asked, 1 hardware, store or a critical service was lost, 2 usage.

    A code of 2 needs a person; after a 1 it may help to start again.
    """
    if any(word in {"-h", "--help"} for word in argv):
        sys.stdout.write(USAGE)
        return EXIT_GOOD
    try:
        return _fly(parse(argv))
    except UsageError as error:
        return _refuse(str(error))


def _fly(arguments: FlyArguments) -> int:
    from flight.board_config import load_fly_config  # noqa: PLC0415  a refused command loads nothing
    from flight.board_flight import fly  # noqa: PLC0415
    from flight.board_node import FlightLostError  # noqa: PLC0415
    from flight.config import ConfigError  # noqa: PLC0415
    from flight.downlink.store_values import StoreError  # noqa: PLC0415
    from flight.inference.model_manifest import ModelError  # noqa: PLC0415
    from flight.inference.tile_cache import ImageryError  # noqa: PLC0415
    from flight.keys import KeyFileError  # noqa: PLC0415
    from hal.sample import HalError  # noqa: PLC0415

    try:
        config = load_fly_config(Path(arguments.config), keys=arguments.keys, data=arguments.data)
        fly(config, arguments.seconds)
    except (ConfigError, ImageryError, KeyFileError, ModelError) as error:
        return _refuse(str(error))
    except StoreError as error:
        sys.stderr.write(f"lumenode fly: product store in {config.board.data}: {error}\n")
        return EXIT_FAILED
    except (FlightLostError, HalError, OSError) as error:
        sys.stderr.write(f"lumenode fly: {type(error).__name__}: {error}\n")
        return EXIT_FAILED
    return EXIT_GOOD


def _refuse(reason: str) -> int:
    sys.stderr.write(f"lumenode fly: {reason}\n")
    return EXIT_USAGE
