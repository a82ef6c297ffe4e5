"""Fixtures of two rooms or more; the folder on the path, for `camera_kernel` and `cable`."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from flight.inference.job import REFLECTANCE_SCALE
from flight.inference.tile_pixels import pixels_of
from hil.synthetic_scene import synthetic_labelled_tiles
from hil.tile_writer import LabelledScene, write_tile_cache

# A shell has what it starts in the background ignore signal 2, and so would every command that a
# test stops by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CONFIG = """
[frames]
path = "tiles.npz"
[camera]
cadence_s = 0.5
[battery]
series = 8
[store]
segment_bytes = 1_048_576
"""


@pytest.fixture(scope="session")
def lumenode():
    """Runs the command in a process of its own, as a user would; returns what became of it."""

    def run(*arguments, timeout_s=120, **options):
        return subprocess.run(
            [sys.executable, "-m", "flight", *map(str, arguments)],
            capture_output=True, text=True, timeout=timeout_s, check=False, **options,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def make_board(lumenode):
    """Configuration, keys and a small tile cache in a folder; returns the configuration's path."""

    def make(folder):
        ((tile, cloud),) = synthetic_labelled_tiles(7, 1, 128)
        scene = LabelledScene(
            name="synthetic",
            reflectance=pixels_of(tile).astype(np.float32) / REFLECTANCE_SCALE,
            cloud=cloud,
            notice="synthetic",
            reference="made with the scene",
            synthetic=True,
            sources=(),
        )
        write_tile_cache(scene, folder / "tiles.npz", 64)
        (folder / "lumenode.toml").write_text(CONFIG)
        assert lumenode("keys", "init", folder / "keys").returncode == 0
        return folder / "lumenode.toml"

    return make
