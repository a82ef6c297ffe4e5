"""Configuration of a node on a board: the node's own sections, and where the board keeps things.

One file for `lumenode fly`. Paths in it are relative to the file itself, so that a folder with
configuration, keys and data can be moved as a whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, field

from flight.config import ConfigError, NodeConfig, check_node, convert, read_toml
from flight.inference.tile_cache import default_tiles_path


class BoardSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """This board.

    Attributes:
        hal: backend of the hardware layer: "sim" shows a node at rest in full sun.
        keys: folder with the node's half of the link keys.
        data: folder of the product store; one flight process at a time has it.
    """

    hal: Annotated[str, Meta(pattern="^(sim|linux|link:.+)$")] = "sim"
    keys: str = "keys"
    data: str = "data"


class FramesSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where frames come from.

    Attributes:
        source: "replay" flies a tile cache over and over, one tile each `camera.cadence_s`;
            "folder" takes what a camera process moves into a folder.
        path: the tile cache or the folder; empty for the default imagery.
        poll_s: how often the folder is looked at.
    """

    source: Annotated[str, Meta(pattern="^(replay|folder)$")] = "replay"
    path: str = ""
    poll_s: Annotated[float, Meta(ge=0.05, le=60.0)] = 0.5


class FlyConfig(NodeConfig, frozen=True, kw_only=True):
    """A node and its board."""

    board: BoardSection = field(default_factory=BoardSection)
    frames: FramesSection = field(default_factory=FramesSection)


def load_fly_config(path: Path, *, keys: str = "", data: str = "") -> FlyConfig:
    """The file at `path` with absolute paths; `keys` and `data` of the command line win.

    Raises:
        ConfigError: one line that names file, key, value and what is allowed.
    """
    config = convert(read_toml(path), FlyConfig, str(path))
    check_node(config, str(path))
    if config.frames.source == "folder" and not config.frames.path:
        raise ConfigError(f'{path}: frames.path: needed with source = "folder": the folder')
    below = path.absolute().parent
    board, frames = config.board, config.frames
    frames_path = below / Path(frames.path).expanduser() if frames.path else default_tiles_path()
    return msgspec.structs.replace(
        config,
        board=msgspec.structs.replace(
            board,
            keys=_absolute(keys) if keys else str(below / Path(board.keys).expanduser()),
            data=_absolute(data) if data else str(below / Path(board.data).expanduser()),
        ),
        frames=msgspec.structs.replace(frames, path=str(frames_path)),
    )


def _absolute(text: str) -> str:
    return str(Path(text).expanduser().absolute())
