"""What a command line says of a line to a node, for every command that drives one."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from hil.argument_values import real
from hil.bench_link.port_serial import PtyPort, SerialPort
from hil.line_targets import BAUD_DEFAULT, LineSetup
from hil.node_folder import MODE_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from hil.bench_link.layout import Mode

BAUD_MIN, BAUD_MAX = 9_600, 4_000_000
NODE_DEVICE = "/dev/serial0"
"""The first UART on a Raspberry Pi's header, whatever it is called underneath."""
PTY = "pty"
_MODES = {name: mode for mode, name in MODE_NAMES.items()}


def add_line_arguments(parser: argparse.ArgumentParser, *, wait_s: float) -> None:
    """Options of every command that has a node at the far end of a line."""
    line = parser.add_argument_group("the line to a node (docs/bench.md)")
    line.add_argument(
        "--mode",
        default="lock-step",
        choices=sorted(_MODES),
        help="lock-step: time is granted, every run the same; free-run: by the wall's clock",
    )
    line.add_argument(
        "--baud", type=_baud, default=BAUD_DEFAULT, help=f"rate of a serial line ({BAUD_DEFAULT})"
    )
    line.add_argument(
        "--node-device",
        default=NODE_DEVICE,
        help=f"what the node opens to reach a serial line, for its configuration ({NODE_DEVICE})",
    )
    waits = "for ever" if math.isinf(wait_s) else f"{wait_s:g}"
    line.add_argument(
        "--wait", type=real(1.0, 1e6), default=wait_s, help=f"seconds to wait for a node ({waits})"
    )
    line.add_argument(
        "--capture", action="store_true", help="keep every octet of both directions in a file"
    )


def serial_setup(arguments: argparse.Namespace, device: str, name: str) -> LineSetup:
    """A cable, with whoever starts the node at its far end."""
    return LineSetup(
        name=name,
        port=SerialPort(device, arguments.baud),
        node_device=arguments.node_device,
        mode=mode_of(arguments),
        baud=arguments.baud,
        capture=arguments.capture,
        wait_for_node_s=arguments.wait,
    )


def pty_setup(arguments: argparse.Namespace) -> LineSetup:
    """A pseudo-terminal, for a node that somebody starts on this machine."""
    port = PtyPort()
    return LineSetup(
        name=PTY,
        port=port,
        node_device=port.path,
        mode=mode_of(arguments),
        capture=arguments.capture,
        wait_for_node_s=arguments.wait,
    )


def invitation(setup: LineSetup, config: Path) -> tuple[str, str]:
    """Where the bench is, and what to do to have a node there: two lines."""
    mode, fly = MODE_NAMES[setup.mode], "lumenode fly --config"
    if setup.name == PTY:
        return (
            f"bench at {setup.port.name}, {mode}; waiting for a node",
            f"in another terminal: {fly} {config}",
        )
    return (
        f"bench at {setup.port.name}, {setup.baud} bit/s, {mode}; waiting for a node",
        f"copy {config.parent} to the board, then there: {fly} {config.parent.name}/{config.name}",
    )


def mode_of(arguments: argparse.Namespace) -> Mode:
    """Lock-step or free-run."""
    return _MODES[arguments.mode]


def _baud(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and BAUD_MIN <= int(text) <= BAUD_MAX):
        raise argparse.ArgumentTypeError(f"{text!r}: allowed is {BAUD_MIN} to {BAUD_MAX}")
    return int(text)
