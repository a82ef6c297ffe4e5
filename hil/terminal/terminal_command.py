"""`lumenode terminal`: a laser terminal for a node's serial line, emulated."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flight.config import ConfigError
from flight.keys import KeyFileError
from flight.one_line_parser import OneLineParser
from hil.argument_values import real, whole
from hil.bench_link.port_serial import PortError, PtyPort, SerialPort
from hil.terminal.emulated_head import EmulatedHead, Sky
from hil.terminal.far_side import MirrorPeer, SilentPeer
from hil.terminal.ground_peer import GroundPeer
from hil.terminal.head_faults import FaultPlan, parse_fault
from hil.terminal.terminal_core import Identity
from hil.terminal.terminal_journal import TerminalJournal
from hil.terminal.terminal_port import serve
from hil.terminal.terminal_reading import read_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hil.bench_link.port_serial import Port
    from hil.terminal.far_side import FarSide
    from hil.terminal.head_faults import FaultEntry

EXIT_GOOD, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
BAUD = 921_600
READ_WAIT_S = 5.0
EPILOG = """faults, each KIND@SECONDS or KIND@SECONDS+SECONDS: mount-stuck, overheat, laser,
detector, silence

example: lumenode terminal --pty --peer 1 --peer-after 5 --fault mount-stuck@60+20"""


def main_terminal(argv: Sequence[str]) -> int:
    """Exit code: 0 ended as asked, 1 the port or the archive was refused, 2 usage."""
    options = _parser().parse_args(argv)
    if options.read is not None:
        wait_s = READ_WAIT_S if options.seconds is None else options.seconds
        return read_terminal(options.read, options.baud, wait_s, as_json=options.json)
    try:
        sky = _sky(options)
        far_side = _far_side(options)
    except (ValueError, ConfigError, KeyFileError) as error:
        sys.stderr.write(f"lumenode terminal: {error}\n")
        return EXIT_USAGE
    except OSError as error:
        sys.stderr.write(f"lumenode terminal: {options.archive}: {error.strerror}\n")
        return EXIT_FAILED
    start_ns = time.monotonic_ns()
    port: Port = PtyPort() if options.pty else SerialPort(options.serial, options.baud)
    journal = TerminalJournal(port.name, _write_line, start_ns, as_json=options.json)
    head = EmulatedHead(
        sky,
        start_ns,
        identity=Identity(tx_fifo_frames=options.fifo, rx_fifo_frames=options.fifo),
        faults=FaultPlan(tuple(options.fault), start_ns),
        far_side=far_side,
    )
    try:
        served = serve(head, port, seconds=options.seconds, watcher=journal, muted=head.silent)
    except PortError as error:
        sys.stderr.write(f"lumenode terminal: {error}\n")
        return EXIT_FAILED
    counted = dataclasses.asdict(served.core.counters)
    link = dataclasses.asdict(served.session.counters)
    journal.tell(
        time.monotonic_ns(),
        **counted,
        down_lost=head.light.down_lost,
        up_lost=head.light.up_lost,
        far_side_frames=far_side.frames,
        line_corrupt=served.session.rx_corrupt,
        **{f"line_{name}": link[name] for name in ("rx_messages", "rx_lost", "rx_stale")},
    )
    return EXIT_GOOD


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _sky(options: argparse.Namespace) -> Sky:
    return Sky(
        peer_id=options.peer,
        first_s=options.peer_after,
        for_s=options.peer_for,
        every_s=options.peer_every,
        rate_bps=options.rate,
        margin_db=options.margin,
        seed=options.seed,
    )


def _far_side(options: argparse.Namespace) -> FarSide:
    if options.ground is None:
        return MirrorPeer() if options.mirror else SilentPeer()
    return GroundPeer(Path(options.ground), Path(options.config), Path(options.archive))


def _parser() -> OneLineParser:
    parser = OneLineParser(
        prog="lumenode terminal",
        description="Emulate a laser terminal on a serial line: registers, acquisition, frames.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    line = parser.add_mutually_exclusive_group(required=True)
    line.add_argument("--pty", action="store_true", help="on a pseudo-terminal; its path is told")
    line.add_argument("--serial", metavar="DEV", help="on a serial port")
    line.add_argument("--read", metavar="DEV", help="emulate nothing: show what the terminal on "
                      "this serial port says; --for: seconds to wait for it (5)")  # fmt: skip
    parser.add_argument("--baud", type=whole(1, 10**8), default=BAUD, help=f"({BAUD})")
    _add_sky(parser)
    far = parser.add_mutually_exclusive_group()
    far.add_argument("--mirror", action="store_true", help="the peer sends every frame back")
    far.add_argument("--ground", metavar="KEYS", help="the peer is a ground with this key folder")
    parser.add_argument("--config", metavar="FILE", default="lumenode.toml",
                        help="of the node, for --ground (lumenode.toml)")  # fmt: skip
    parser.add_argument("--archive", metavar="DIR", default="archive",
                        help="products that came whole, for --ground (archive)")  # fmt: skip
    parser.add_argument("--fifo", metavar="FRAMES", type=whole(1, 4096), default=32,
                        help="room each way (32)")  # fmt: skip
    parser.add_argument("--fault", metavar="FAULT", type=_fault, action="append", default=[],
                        help="may be given many times")  # fmt: skip
    parser.add_argument("--for", dest="seconds", metavar="S", type=real(1e-3, 1e9),
                        help="end by itself")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _add_sky(parser: OneLineParser) -> None:
    """When a peer is in view, and how good the link is."""
    parser.add_argument("--peer", type=whole(1, 65535), default=1, help="who rises (1)")
    parser.add_argument(
        "--peer-after", metavar="S", type=real(0, 1e9), default=0.0, help="first rise (0)"
    )
    parser.add_argument(
        "--peer-for", metavar="S", type=whole(1, 900), default=300, help="in view (300)"
    )
    parser.add_argument(
        "--peer-every", metavar="S", type=real(0, 1e9), default=0.0, help="rises again (never)"
    )
    parser.add_argument("--rate", metavar="BPS", type=real(1e3, 1e11), default=10e6,
                        help="of the light, user frames (1e7)")  # fmt: skip
    parser.add_argument("--margin", metavar="DB", type=real(-40, 60), default=12.0,
                        help="of the link, without fading (12)")  # fmt: skip
    parser.add_argument("--seed", type=whole(0, 2**63 - 1), default=1, help="of fading (1)")


def _fault(text: str) -> FaultEntry:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
