"""Where tiles come from: hop "enters" of image → ground.

`ReplaySource` flies a verified tile cache over and over; `FolderSource` takes what a camera process
drops into a folder. Both keep time on an absolute grid.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Protocol

from flight.inference.job import BANDS, Tile, pixel_digest
from flight.inference.npz_members import NpzError, read_members
from flight.inference.tile_cache import read_tile_cache
from flight.wire.crc import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from flight.base.clock import Clock
    from flight.inference.npz_members import Member

FOLDER_TILE_BYTES_MAX = 16 * 1024 * 1024


class FrameSource(Protocol):
    """Gives tiles one by one; waits on the clock until there is one."""

    async def next_tile(self) -> Tile:
        """Return the next tile, stamped with its time of capture."""
        ...


class ReplaySource:
    """Replays tiles in order, for ever, one each ``period_ns`` on the grid of the first call.

    Every capture gets a fresh ``tile_id``; ``origin`` still names scene, row and column. A consumer
    that is late gets the capture due now: those it missed count in ``skipped``.
    """

    def __init__(
        self, tiles: Sequence[Tile], clock: Clock, period_ns: int, *, first_id: int = 1
    ) -> None:
        if not tiles or period_ns <= 0:
            raise ValueError(f"{len(tiles)} tiles every {period_ns} ns cannot be replayed")
        self._tiles = tuple(tiles)
        self._clock = clock
        self._period_ns = period_ns
        self._first_id = first_id
        self._start_ns: int | None = None
        self._next = 0
        self.skipped = 0

    @classmethod
    def from_cache(
        cls, path: Path, clock: Clock, period_ns: int, *, first_id: int = 1
    ) -> ReplaySource:
        """Replay the tile cache at ``path``; raises ``ImageryError`` if it does not verify."""
        return cls(read_tile_cache(path).tiles, clock, period_ns, first_id=first_id)

    async def next_tile(self) -> Tile:
        """Wait for the next capture time and return its tile."""
        if self._start_ns is None:
            self._start_ns = self._clock.now_ns()
        due = (self._clock.now_ns() - self._start_ns) // self._period_ns
        if due > self._next:
            self.skipped += due - self._next
            self._next = due
        captured_ns = self._start_ns + self._next * self._period_ns
        await self._clock.sleep_until(captured_ns)
        tile = self._tiles[self._next % len(self._tiles)]
        tile_id = self._first_id + self._next
        self._next += 1
        return dataclasses.replace(tile, tile_id=tile_id, captured_ns=captured_ns)


class FolderSource:
    """Takes tiles from a folder, in the order of their names, polled every ``poll_ns``.

    A file is an npz with ``pixels`` (H, W, 6) uint16, little-endian and row by row as NumPy saves
    it, moved into place whole; names must sort by time of capture. A camera that knows where it
    looks may add ``land``, one boolean; without it is land. Files are never changed or removed.
    Unreadable ones count in ``rejected``.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        poll_ns: int,
        *,
        first_id: int = 1,
        bands: tuple[str, ...] = BANDS,
    ) -> None:
        self._folder = folder
        self._bands = bands
        self._clock = clock
        self._poll_ns = poll_ns
        self._next_id = first_id
        self._last_name = ""
        self._due_ns: int | None = None
        self.rejected = 0

    async def next_tile(self) -> Tile:
        """Wait for a new readable file and return its tile."""
        while True:
            for name in self._new_names():
                self._last_name = name
                found = read_folder_tile(self._folder / name, len(self._bands))
                if found is None:
                    self.rejected += 1
                    continue
                return self._tile(name, *found)
            await self._clock.sleep_until(self._next_poll_ns())

    def _new_names(self) -> list[str]:
        names = (path.name for path in self._folder.glob("*.npz"))
        return sorted(name for name in names if name > self._last_name)

    def _next_poll_ns(self) -> int:
        now_ns = self._clock.now_ns()
        start_ns = now_ns if self._due_ns is None else self._due_ns
        # Stay on the grid, but do not catch up on polls that would have found the same.
        steps = max(1, (now_ns - start_ns) // self._poll_ns + 1)
        self._due_ns = start_ns + steps * self._poll_ns
        return self._due_ns

    def _tile(self, name: str, pixels: Member, land: bool) -> Tile:  # noqa: FBT001  as it was read
        tile_id, self._next_id = self._next_id, self._next_id + 1
        return Tile(
            tile_id=tile_id,
            captured_ns=self._clock.now_ns(),
            pixels=pixels.data,
            height_px=pixels.shape[0],
            width_px=pixels.shape[1],
            sha256=pixel_digest(pixels.data),
            crc32c=crc32c(pixels.data),
            origin=f"folder:{name}",
            land=land,
            bands=self._bands,
        )


class NumberedSource:
    """A source whose tiles are numbered by ``take``: one that no reset makes start again."""

    def __init__(self, source: FrameSource, take: Callable[[], int]) -> None:
        self._source = source
        self._take = take

    async def next_tile(self) -> Tile:
        """Wait for the source's next tile and return it under the next number."""
        tile = await self._source.next_tile()
        return dataclasses.replace(tile, tile_id=self._take())


def read_folder_tile(path: Path, bands: int = len(BANDS)) -> tuple[Member, bool] | None:
    """Return ``pixels`` and ``land`` of one dropped file, or None if it is not such a file."""
    try:
        with path.open("rb") as file:
            members = read_members(file, ("pixels", "land"), FOLDER_TILE_BYTES_MAX)
    except (OSError, NpzError):
        return None
    pixels, land = members.get("pixels"), members.get("land")
    if pixels is None or pixels.dtype != "<u2":
        return None
    if land is not None and (land.dtype != "|b1" or land.data not in (b"\0", b"\1")):
        return None
    if not pixels.data or pixels.shape[2:] != (bands,):
        return None
    return pixels, land is None or land.data == b"\1"
