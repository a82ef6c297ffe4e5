"""`lumenode broker`: a small MQTT broker on this machine, for a first hour without a set-up.

On the loopback alone and without passwords, so for one machine's own users: whoever is on it may
read telemetry, nobody commands (commands are sealed). A lab takes Mosquitto: docs/deploy.
The broker is amqtt, an extra. It holds everything in memory, and its memory is bounded: a broker
that would take more dies, and whoever started it starts another one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from flight.board_config import is_loopback
from flight.config import ConfigError
from flight.one_line_parser import OneLineParser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

EXIT_GOOD, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
MISSING = "the broker is an extra: pip install 'lumenode[broker]'"
LISTENER = "default"
"""The library wants one of this name."""
MEMORY_BYTES_MAX = 1 << 30
"""Of address space: some hundred MB of it are the interpreter's and the libraries'."""
NICENESS = 10
_BACKLOG = 16


def is_installed() -> bool:
    """Whether the extra is there; nothing of it is loaded."""
    return find_spec("amqtt") is not None


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


async def serve(listener: socket.socket, *, until_input_ends: bool) -> None:
    """Serves who connects, until cancelled, or until nobody holds our standard input open."""
    from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter  # noqa: PLC0415
    from amqtt.broker import Broker  # noqa: PLC0415  an extra, and slow to load

    broker = Broker(
        {
            "listeners": {LISTENER: {"type": "external", "bind": LISTENER}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = StreamReaderAdapter(reader), StreamWriterAdapter(writer)
        await broker.external_connected(*ends, LISTENER)

    server = await asyncio.start_server(connected, sock=listener)
    ended = asyncio.Event()
    if until_input_ends:
        asyncio.get_running_loop().add_reader(0, ended.set)
    async with server:
        await ended.wait()


def main_broker(argv: Sequence[str]) -> int:
    """Exit code: 0 ended as asked, 1 it failed, 2 usage, or there is no such broker here."""
    options = _parser().parse_args(argv)
    try:
        listener = _listener(options)
    except ConfigError as error:
        sys.stderr.write(f"lumenode broker: {error}\n")
        return EXIT_USAGE
    logging.getLogger().addHandler(logging.NullHandler())
    if options.fd is not None:
        os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    if options.fd is None:
        sys.stdout.write(f"listening on {options.host}:{options.port}, until Ctrl-C\n")
        sys.stdout.flush()
    try:
        asyncio.run(serve(listener, until_input_ends=options.fd is not None))
    except KeyboardInterrupt:
        return EXIT_GOOD
    except (OSError, MemoryError) as error:
        sys.stderr.write(f"lumenode broker: {type(error).__name__}: {error}\n")
        return EXIT_FAILED
    return EXIT_GOOD


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="lumenode broker",
        description="Run a small MQTT broker on this machine until Ctrl-C: no passwords, nothing "
        "kept on disk. A node with `mqtt.embedded = true` brings its own.",
        epilog="example: lumenode broker & lumenode fly --config node/lumenode.toml",
    )
    parser.add_argument("--host", default="127.0.0.1", help="of this machine (127.0.0.1)")
    parser.add_argument("--port", type=int, default=1883, metavar="N", help="(1883)")
    parser.add_argument(
        "--fd", type=int, metavar="N", help="a listening socket instead; ends with standard input"
    )
    return parser


def _listener(options: argparse.Namespace) -> socket.socket:
    """The socket of the command line; ConfigError in one line."""
    if not is_installed():
        raise ConfigError(MISSING)
    if options.fd is not None:
        return socket.socket(fileno=options.fd)
    if not is_loopback(options.host):
        raise ConfigError(f"--host {options.host!r}: allowed is this machine; see docs/deploy")
    if not 1 <= options.port <= 65535:
        raise ConfigError(f"--port {options.port}: allowed is 1 to 65535")
    try:
        return listening(options.host, options.port)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise ConfigError(f"{options.host}:{options.port}: {why}") from None
