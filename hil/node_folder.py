"""The folder a node flies from: configuration, its half of the keys, and where its frames appear.

Written by the bench before a node starts. On this machine the node flies from it as it is; for a
board at the far end of a cable it is copied there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from flight.keys import Half, save_halves
from hil.bench_link.layout import Mode
from hil.toml_text import toml_text

if TYPE_CHECKING:
    from pathlib import Path

    from flight.config import NodeConfig
    from flight.keys import LinkKeys

CONFIG = "lumenode.toml"
KEYS = "keys"
FRAMES = "frames"
LOG = "log.txt"
MODE_NAMES = {Mode.LOCK_STEP: "lock-step", Mode.FREE_RUN: "free-run"}
"""As configuration and command line call them."""
POLL_S_MAX = 0.5


@dataclass(frozen=True, slots=True)
class NodeSide:
    """What a node must know of its line and its machine.

    Attributes:
        device: what it opens to reach the bench.
        fifo_frames: transmit credit that the bench gives.
        data: its store; None for a folder beside the configuration.
        sees_frames: the bench drops tiles into the folder; else it replays the default imagery.
    """

    device: str
    mode: Mode
    baud: int
    fifo_frames: int
    data: Path | None
    sees_frames: bool


def write_node_folder(folder: Path, config: NodeConfig, keys: LinkKeys, side: NodeSide) -> Path:
    """Makes the folder and returns the configuration's path; the ground's keys stay here."""
    folder.mkdir(parents=True)
    save_halves(keys, folder / KEYS)
    (folder / KEYS / Half.GROUND.file_name).unlink()
    plain = msgspec.to_builtins(config)
    plain["board"] = {
        "hal": f"link:{side.device}",
        "link_mode": MODE_NAMES[side.mode],
        "link_baud": side.baud,
        "link_fifo_frames": side.fifo_frames,
        "keys": KEYS,
        "data": "data" if side.data is None else str(side.data.absolute()),
    }
    if side.sees_frames:
        poll_s = min(POLL_S_MAX, config.camera.cadence_s)
        plain["frames"] = {"source": "folder", "path": FRAMES, "poll_s": poll_s}
        (folder / FRAMES).mkdir()
    path = folder / CONFIG
    path.write_text(toml_text(plain), encoding="utf-8")
    return path
