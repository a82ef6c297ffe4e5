"""`lumenode watch [CHANNELS]`: events and live telemetry of a node, as lines.

Hop "told", the operator's end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import aiomqtt

from flight.config import ConfigError
from flight.operator_cli import (
    EXIT_FAILED,
    EXIT_GOOD,
    EXIT_USAGE,
    operator_config,
    operator_parser,
)
from flight.telemetry.client_mqtt import QOS, broker_access, first_error, hang_up, new_client
from flight.telemetry.dictionary import CHANNELS, GROUPS, Severity
from flight.telemetry.mqtt_messages import Topics
from flight.watch_lines import WatchLines, Wish, channel_list

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from flight.board_config import FlyConfig

COLOURS = ("auto", "always", "never")


async def follow(config: FlyConfig, watch: WatchLines, seconds: float | None) -> None:
    """Prints what comes until cancelled, the broker is lost, or for `seconds`."""
    topics = Topics(config.name)
    client = new_client(config.mqtt, broker_access(config.mqtt), None, overflow=lambda: None)
    try:
        async with asyncio.timeout(seconds), client:
            streams = ("tm", "evt", "rpt")
            wanted = (topics.state, *(f"{topics.base}/{stream}/+" for stream in streams))
            await client.subscribe([(topic, QOS) for topic in wanted])
            async for message in client.messages:
                if isinstance(message.payload, bytes):
                    for line in watch.lines(message.topic.value, message.payload):
                        sys.stdout.write(line + "\n")
                    sys.stdout.flush()
    except TimeoutError:
        return
    finally:
        hang_up(client)


def main_watch(argv: Sequence[str]) -> int:
    """Exit code: 0 when the time is over, 1 without a broker, 2 usage; 130 by Ctrl-C."""
    options = _parser().parse_args(argv)
    if options.list:
        sys.stdout.write(channel_list(as_json=options.json))
        return EXIT_GOOD
    try:
        wish = _wish(options)
        config = operator_config(options)
        watch = WatchLines(Topics(config.name), wish)
        asyncio.run(follow(config, watch, options.seconds))
    except ConfigError as error:
        sys.stderr.write(f"lumenode watch: {error}\n")
        return EXIT_USAGE
    except (aiomqtt.MqttError, OSError, ExceptionGroup) as error:
        why = first_error(error) if isinstance(error, ExceptionGroup) else str(error)
        place = f"{config.mqtt.host}:{config.mqtt.port}"
        sys.stderr.write(f"lumenode watch: broker {place}: {why}\n")
        return EXIT_FAILED
    if watch.unreadable:
        sys.stderr.write(f"lumenode watch: {watch.unreadable} messages could not be read\n")
    return EXIT_GOOD


def _parser() -> argparse.ArgumentParser:
    parser = operator_parser(
        "lumenode watch",
        "Show the events and the changing telemetry of a node, over MQTT. `lumenode watch --list` "
        "shows every channel.",
        "lumenode watch --group power thermal.die_c --severity WARNING",
    )
    parser.add_argument("channels", metavar="CHANNELS", nargs="*", help="names, or patterns")
    parser.add_argument(
        "--group", metavar="NAME", action="append", default=[], help=f"{', '.join(GROUPS)}"
    )
    parser.add_argument(
        "--severity", metavar="NAME", default=Severity.INFO.name, help="least of an event (INFO)"
    )
    parser.add_argument("--for", dest="seconds", metavar="S", type=float, help="end after so long")
    parser.add_argument("--list", action="store_true", help="every channel, by its group")
    parser.add_argument(
        "--colour", choices=COLOURS, default="auto", help="auto: on a terminal, without NO_COLOR"
    )
    return parser


def _wish(options: argparse.Namespace) -> Wish:
    """ConfigError for what would show nothing."""
    for pattern in options.channels:
        if not any(fnmatchcase(channel.name, pattern) for channel in CHANNELS):
            raise ConfigError(f"no channel {pattern!r} in the dictionary")
    for group in options.group:
        if group not in GROUPS:
            raise ConfigError(f"--group {group!r}: allowed: {', '.join(GROUPS)}")
    if options.severity not in Severity.__members__:
        raise ConfigError(
            f"--severity {options.severity!r}: allowed: {', '.join(Severity.__members__)}"
        )
    if options.seconds is not None and options.seconds <= 0:
        raise ConfigError(f"--for {options.seconds:g}: allowed is above 0")
    on_terminal = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Wish(
        patterns=tuple(options.channels),
        groups=tuple(options.group),
        severity=Severity[options.severity],
        as_json=options.json,
        colour=options.colour == "always" or (options.colour == "auto" and on_terminal),
    )
