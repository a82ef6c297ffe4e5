"""The imager of a node in another process: real tiles dropped into the folder that it watches.

Hop "enters" of image to ground. It shoots when `SceneCamera` would, and draws the same tiles in the
same seeded order; files are moved into place whole and taken away once they were seen.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from flight.inference.tile_pixels import pixels_of
from flight.wire.counter_reserve import CounterReserve
from hil.scene_camera import DARK_CHECK_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flight.inference.job import Tile

_NS_PER_S = 1_000_000_000
KEPT_FILES = 16
"""Files that stay for a node that looks late."""
PLACES = 9
"""Digits of a name: names must sort by time of capture."""


class FolderCamera:
    """Asked by `drop` at each cadence; a node that has lost its power sees nothing.

    Args:
        period_ns: of the cadence.

    Attributes:
        frames: dropped so far.
    """

    def __init__(
        self,
        folder: Path,
        tiles: Sequence[Tile],
        lit: Callable[[int], bool],
        order: np.random.Generator,
        period_ns: int,
    ) -> None:
        self._folder = folder
        self._period_ns = period_ns
        self._asked_ns = 0
        self._tiles = tuple(tiles)
        self._lit = lit
        self._order = order
        self._files: deque[Path] = deque()
        self._shown: dict[int, Tile] = {}
        self._reserved = 0
        self._numbers = self._reserve()
        self.frames = 0

    def drop(self, now_ns: int) -> None:
        """The frame of this instant of the cadence's grid, if there is one."""
        if self._is_due(now_ns):
            self._shoot()

    def _is_due(self, now_ns: int) -> bool:
        """As in `SceneCamera`, which in the dark looks now and then whether there is light."""
        while True:
            due_ns = self._asked_ns - self._asked_ns % self._period_ns + self._period_ns
            if due_ns > now_ns:
                return False
            if self._lit(due_ns):
                self._asked_ns = now_ns
                return due_ns == now_ns
            self._asked_ns = max(due_ns, self._asked_ns + DARK_CHECK_NS)

    def _shoot(self) -> None:
        self.frames += 1
        tile = self._tiles[int(self._order.integers(len(self._tiles)))]
        self._shown[self._numbers.take()] = tile
        path = self._folder / f"{self.frames:0{PLACES}d}.npz"
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, pixels=pixels_of(tile), land=tile.land)
        part.replace(path)
        self._files.append(path)
        while len(self._files) > KEPT_FILES:
            self._files.popleft().unlink()

    def restart(self, up_ns: int) -> None:
        """A node starts anew at `up_ns`: it sees no old frame, and numbers its own after a gap."""
        self._asked_ns = up_ns
        while self._files:
            self._files.popleft().unlink()
        self._numbers = self._reserve()

    def shown(self, tile_id: int) -> Tile | None:
        """The tile that the node knows by this number."""
        return self._shown.get(tile_id)

    def _reserve(self) -> CounterReserve:
        """The node's own way of numbering, over its resets."""

        def store(highest: int) -> None:
            self._reserved = highest

        return CounterReserve(load=lambda: self._reserved, store=store)
