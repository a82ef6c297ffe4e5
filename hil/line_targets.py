"""Makes the targets whose node is at the far end of a line, from what the command line says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hil.bench_link.port_serial import PtyPort
from hil.bench_link.wire_capture import WireCapture
from hil.node_folder import FRAMES, LOG, NodeSide, write_node_folder
from hil.node_power import ChildNode, RemoteNode, fly_command
from hil.stream_link import StreamLink
from hil.stream_target import START_LIMIT_S, StreamTarget
from hil.stream_world import StreamWorld
from hil.world import hal_config, node_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hil.bench_link.layout import Mode
    from hil.bench_link.port_serial import Port
    from hil.scenario import Scenario

BAUD_DEFAULT = 921_600
"""115,200 cannot carry sensors, actuators and telemetry ten times a second."""
NODE_FOLDER = "node"
CAPTURE = "wire.capture"
TICK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSetup:
    """A line and who is at its far end.

    Attributes:
        name: of the target, as on the command line.
        node_device: what the node opens to reach the bench.
        capture: keep every octet of both directions in a file.
        child: the node is started by this process, on this machine.
        wait_for_node_s: for the node's first word.
    """

    name: str
    port: Port
    node_device: str
    mode: Mode
    baud: int = BAUD_DEFAULT
    capture: bool = False
    child: bool = False
    wait_for_node_s: float = START_LIMIT_S


def line_target(scenario: Scenario, run_dir: Path, setup: LineSetup) -> tuple[StreamTarget, Path]:
    """The target, its line open, and the configuration to start the node from.

    Raises:
        PortError: the bench's end of the line cannot be had.
    """
    folder = run_dir / NODE_FOLDER
    fifo_frames = hal_config(scenario).tx_fifo_frames
    link = StreamLink(
        setup.port,
        setup.mode,
        tx_fifo_frames=fifo_frames,
        period_s=TICK_S,
    )
    link.open(WireCapture(run_dir / CAPTURE) if setup.capture else None)
    frames = folder / FRAMES if setup.child else None
    world = StreamWorld(scenario, run_dir, link.bench, frames)
    side = NodeSide(
        device=setup.node_device,
        mode=setup.mode,
        baud=setup.baud,
        fifo_frames=fifo_frames,
        data=run_dir / "flight" if setup.child else None,
        sees_frames=setup.child,
    )
    config = write_node_folder(folder, node_config(scenario, world), world.keys, side)
    target = StreamTarget(
        scenario,
        world,
        name=setup.name,
        link=link,
        power=RemoteNode(),
        wait_for_node_s=setup.wait_for_node_s,
    )
    return target, config


def pty_target(  # noqa: PLR0913  a target is made of these
    scenario: Scenario,
    run_dir: Path,
    mode: Mode,
    *,
    name: str = "pty",
    capture: bool = False,
    command: Callable[[Path], Sequence[str]] = fly_command,
) -> StreamTarget:
    """A node on a pseudo-terminal, started by this process with `command` of its configuration."""
    port = PtyPort()
    setup = LineSetup(
        name=name, port=port, node_device=port.path, mode=mode, capture=capture, child=True
    )
    target, config = line_target(scenario, run_dir, setup)
    target.power = ChildNode(command(config), config.parent / LOG)
    return target
