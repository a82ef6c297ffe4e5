"""The imager on the bench: real tiles, taken while the ground below is lit.

A `FrameSource` of the flight software. Frames come on the absolute grid of the cadence; which tile
a frame shows follows a seeded order, so two runs of one seed see the same Earth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from flight.base.clock import Clock
    from flight.inference.job import Tile

_NS_PER_S = 1_000_000_000
DARK_CHECK_NS = 10 * _NS_PER_S


def as_usual(_t_ns: int) -> float:
    """A frame each time of the cadence."""
    return 1.0


def next_frame_ns(now_ns: int, cadence_ns: int, pace: float) -> int | None:
    """When the next frame of the grid is due; None from a camera that is silent."""
    if pace <= 0.0:
        return None
    period_ns = round(cadence_ns / pace)
    return now_ns - now_ns % period_ns + period_ns


class SceneCamera:
    """Gives tiles one by one.

    Args:
        tiles: the scene, verified.
        lit: whether the ground below is bright enough at a mission time.
        order: seeded stream for the order of the tiles.
        pace: frames in place of one at a mission time; 0 is a camera that is silent.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what a camera is made of
        self,
        tiles: Sequence[Tile],
        clock: Clock,
        cadence_s: float,
        lit: Callable[[int], bool],
        order: np.random.Generator,
        pace: Callable[[int], float] = as_usual,
    ) -> None:
        self._tiles = tuple(tiles)
        self._clock = clock
        self._period_ns = round(cadence_s * _NS_PER_S)
        self._lit = lit
        self._order = order
        self._pace = pace
        self._frames = 0
        self._shown: dict[int, Tile] = {}

    async def next_tile(self) -> Tile:
        """The next frame; waits for the grid, and in the dark for daylight."""
        while True:
            now_ns = self._clock.now_ns()
            due_ns = next_frame_ns(now_ns, self._period_ns, self._pace(now_ns))
            if due_ns is not None and self._lit(due_ns):
                await self._clock.sleep_until(due_ns)
                return self._take(due_ns)
            await self._clock.sleep_until(max(due_ns or 0, now_ns + DARK_CHECK_NS))

    @property
    def frames(self) -> int:
        """Frames taken so far."""
        return self._frames

    def shown(self, tile_id: int) -> Tile | None:
        """The tile a frame showed, for the report."""
        return self._shown.get(tile_id)

    def _take(self, now_ns: int) -> Tile:
        self._frames += 1
        tile = self._tiles[int(self._order.integers(len(self._tiles)))]
        self._shown[self._frames] = tile
        return replace(tile, tile_id=self._frames, captured_ns=now_ns)
