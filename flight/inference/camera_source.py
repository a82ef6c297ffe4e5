"""Tiles of a camera: hop "enters" of image → ground, where the picture is taken here and now.

The camera is asked on the absolute grid of the cadence and looked at in between; nothing here
waits for a device. What it costs to lose it is pictures, told once and counted.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from flight.inference.job import Tile, pixel_digest
from flight.wire.crc import crc32c
from hal.sample import HalError, HalErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.clock import Clock
    from hal.camera_values import Camera, CameraPicture

POLL_NS = 10_000_000
"""A camera gives a picture each 8 to 33 ms; looking costs some microseconds."""


class CameraSource:
    """Takes one picture each ``period_ns`` and gives its tiles one by one.

    A picture that does not come counts in ``failed``; one that is still under way when the next is
    due makes that one count in ``skipped``.

    Args:
        camera: asked and looked at; whoever made it closes it.
        tile_px, tiles_across: as in its settings.
        patience_ns: a picture that takes longer is told as TIMEOUT, and waited for all the same:
            its driver hangs.
        tell: told when pictures cease to come, with the reason, and None when they come again.
    """

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        camera: Camera,
        clock: Clock,
        period_ns: int,
        *,
        tile_px: int,
        tiles_across: int,
        patience_ns: int,
        tell: Callable[[HalErrorKind | None], None],
        first_id: int = 1,
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._period_ns = period_ns
        self._tile_px = tile_px
        self._tiles_across = tiles_across
        self._patience_ns = patience_ns
        self._tell = tell
        self._next_id = first_id
        self._waiting: deque[Tile] = deque()
        self._due_ns: int | None = None
        self._asked = False
        self._told: HalErrorKind | None = None
        self.failed = 0
        self.skipped = 0

    async def next_tile(self) -> Tile:
        """Wait for the next tile of this picture or the next."""
        while not self._waiting:
            await self._wait_until_due()
            picture = await self._picture()
            if picture is not None:
                self._waiting.extend(self._tiles(picture))
        return self._waiting.popleft()

    async def _wait_until_due(self) -> None:
        """Wait for the next time on the grid; those that passed meanwhile are skipped."""
        now_ns = self._clock.now_ns()
        if self._due_ns is None:
            self._due_ns = now_ns
            return
        self._due_ns += self._period_ns
        if self._due_ns < now_ns:
            missed = -((self._due_ns - now_ns) // self._period_ns)
            self.skipped += missed
            self._due_ns += missed * self._period_ns
        await self._clock.sleep_until(self._due_ns)

    async def _picture(self) -> CameraPicture | None:
        """Ask, and look until the answer is there."""
        try:
            if self._asked:
                # A cancelled wait left a request behind; its picture is old by now.
                await self._look()
            self._asked = True
            self._camera.ask()
            picture = await self._look()
        except HalError as error:
            self._asked = False
            self.failed += 1
            self._change(error.kind)
            return None
        self._change(None)
        return picture

    async def _look(self) -> CameraPicture:
        patient_until_ns = self._clock.now_ns() + self._patience_ns
        while (picture := self._camera.take()) is None:
            now_ns = self._clock.now_ns()
            if now_ns >= patient_until_ns:
                self._change(HalErrorKind.TIMEOUT)
            await self._clock.sleep_until(now_ns + POLL_NS)
        self._asked = False
        return picture

    def _change(self, now: HalErrorKind | None) -> None:
        """Tell the edge, not the level: lost, whatever the reasons that follow, or back."""
        if (now is None) != (self._told is None):
            self._tell(now)
            self._told = now

    def _tiles(self, picture: CameraPicture) -> list[Tile]:
        captured_ns = min(picture.t_ns, self._clock.now_ns())
        tiles = []
        for place, pixels in enumerate(picture.tiles):
            row, column = divmod(place, self._tiles_across)
            tiles.append(
                Tile(
                    tile_id=self._next_id,
                    captured_ns=captured_ns,
                    pixels=pixels,
                    height_px=self._tile_px,
                    width_px=self._tile_px,
                    sha256=pixel_digest(pixels),
                    crc32c=crc32c(pixels),
                    origin=f"camera:{picture.sequence}:{row}:{column}",
                )
            )
            self._next_id += 1
        return tiles
