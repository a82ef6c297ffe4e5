"""Folders that a node flies from: keys, tiles, configuration; and what its processes cost."""

import os
from pathlib import Path

import numpy as np

from flight.inference.job import REFLECTANCE_SCALE
from flight.inference.tile_pixels import pixels_of
from flight.keys import derive_from_seed, save_halves
from hil.synthetic_scene import synthetic_labelled_tiles
from hil.tile_writer import LabelledScene, write_tile_cache

IDLE = """
[frames]
source = "folder"
path = "frames"
"""
"""An imager that shows nothing: no model ever runs."""
BUSY = """
[frames]
path = "tiles.npz"
[camera]
cadence_s = 0.05
"""
"""The fastest imager that can be configured: a model runs twenty times a second."""
KEYS = derive_from_seed(4)


def make_folder(folder, text, *, busy):
    """Writes everything that a node needs; the configuration's path."""
    save_halves(KEYS, folder / "keys")
    if busy:
        _write_tiles(folder / "tiles.npz")
    else:
        (folder / "frames").mkdir()
    config = folder / "lumenode.toml"
    config.write_text(text + (BUSY if busy else IDLE))
    return config


def _write_tiles(path):
    ((tile, cloud),) = synthetic_labelled_tiles(7, 1, 256)
    scene = LabelledScene(
        name="synthetic", reflectance=pixels_of(tile).astype(np.float32) / REFLECTANCE_SCALE,
        cloud=cloud, notice="synthetic", reference="made with the scene", synthetic=True,
        sources=(),
    )  # fmt: skip
    write_tile_cache(scene, path, 128)


def cpu_s(pid):
    """Processor time of one process, its children not included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid):
    """Its child processes: the guard's supervisor, the inference worker."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def model_s(pid):
    """Processor time of the process of a flight in which the models are."""
    return sum(cpu_s(child) for child in children(pid) if "python" in _name(child))


def _name(pid):
    return Path(f"/proc/{pid}/comm").read_text()


def rss_mib(pid):
    """Resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)
