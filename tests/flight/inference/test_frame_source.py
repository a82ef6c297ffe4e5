import asyncio
import dataclasses

import numpy as np
import pytest

from flight.inference.frame_source import FolderSource, NumberedSource, ReplaySource
from flight.inference.job import pixel_digest
from flight.inference.tile_cache import ImageryError
from flight.inference.tile_pixels import pixels_of
from hil.imagery import synthetic_tiles

TILES = synthetic_tiles(seed=2, n=3, size=16)
BUSY_NS = 7


class SteppedClock:
    """Time that passes only by waiting, and by `now += n` in a test."""

    def __init__(self):
        self.now = 100

    def now_ns(self):
        return self.now

    async def sleep_until(self, t_ns):
        self.now = max(self.now, t_ns)


def test_replay_keeps_an_absolute_grid_and_goes_round():
    async def scenario():
        clock = SteppedClock()
        source = ReplaySource(TILES, clock, 1000, first_id=50)
        seen = []
        for _ in range(5):
            seen.append(await source.next_tile())
            clock.now += BUSY_NS  # work in between must not shift the grid
        assert [tile.captured_ns for tile in seen] == [100, 1100, 2100, 3100, 4100]
        assert [tile.tile_id for tile in seen] == [50, 51, 52, 53, 54]
        assert [tile.origin for tile in seen] == [TILES[i % 3].origin for i in range(5)]
        assert source.skipped == 0

    asyncio.run(scenario())


def test_a_late_consumer_gets_the_capture_due_and_the_missed_are_counted():
    async def scenario():
        clock = SteppedClock()
        source = ReplaySource(TILES, clock, 1000)
        await source.next_tile()
        clock.now += 3500
        late = await source.next_tile()
        assert (late.captured_ns, late.tile_id, source.skipped) == (3100, 4, 2)

    asyncio.run(scenario())


def test_nothing_to_replay_is_refused(tmp_path):
    with pytest.raises(ValueError, match="0 tiles"):
        ReplaySource([], SteppedClock(), 1000)
    with pytest.raises(ImageryError, match="fetch-data"):
        ReplaySource.from_cache(tmp_path / "none.npz", SteppedClock(), 1000)


def test_a_folder_gives_its_files_in_order_and_counts_the_unreadable(tmp_path):
    async def scenario():
        clock = SteppedClock()
        source = FolderSource(tmp_path, clock, 500, first_id=9)
        for name, tile in zip(("b", "a"), TILES, strict=False):
            np.savez(tmp_path / f"{name}.npz", pixels=pixels_of(tile))
        (tmp_path / "aa.npz").write_bytes(b"not an archive")
        np.savez(tmp_path / "ab.npz", pixels=np.zeros((4, 4, 5), np.uint16))
        np.savez(tmp_path / "ac.npz", pixels=np.zeros((4, 4, 6), ">u2"))
        np.savez(tmp_path / "ad.npz", pixels=np.zeros((0, 4, 6), np.uint16))
        np.savez(tmp_path / "ae.npz", pixels=np.zeros((4, 5, 6), np.uint16, order="F"))
        first, second = await source.next_tile(), await source.next_tile()
        assert (first.origin, second.origin) == ("folder:a.npz", "folder:b.npz")
        assert (first.tile_id, second.tile_id) == (9, 10)
        assert second.sha256 == pixel_digest(TILES[0].pixels)
        assert source.rejected == 5

    asyncio.run(scenario())


def test_a_file_may_say_that_it_shows_no_land(tmp_path):
    async def scenario():
        source = FolderSource(tmp_path, SteppedClock(), 500)
        pixels = pixels_of(TILES[0])
        np.savez(tmp_path / "a.npz", pixels=pixels, land=np.bool_(False))
        np.savez(tmp_path / "b.npz", pixels=pixels, land=np.uint8(1))
        np.savez(tmp_path / "c.npz", pixels=pixels, land=np.zeros(2, np.bool_))
        np.savez(tmp_path / "d.npz", pixels=pixels, land=np.bool_(True))
        np.savez(tmp_path / "e.npz", pixels=pixels)
        found = [await source.next_tile() for _ in range(3)]
        assert [(tile.origin[-5], tile.land) for tile in found] == [
            ("a", False), ("d", True), ("e", True),
        ]  # fmt: skip
        assert source.rejected == 2

    asyncio.run(scenario())


def test_an_empty_folder_is_polled_on_the_grid(tmp_path):
    class Dropping(SteppedClock):
        polls: tuple[int, ...] = ()

        async def sleep_until(self, t_ns):
            await super().sleep_until(t_ns)
            self.polls += (t_ns,)
            if len(self.polls) == 3:
                np.savez(tmp_path / "x.npz", pixels=pixels_of(TILES[0]))
            self.now += 20

    async def scenario():
        clock = Dropping()
        tile = await FolderSource(tmp_path, clock, 500).next_tile()
        assert clock.polls == (600, 1100, 1600)
        assert (tile.pixels, tile.height_px, tile.width_px) == (TILES[0].pixels, 16, 16)

    asyncio.run(scenario())


def test_tiles_carry_the_digest_of_their_pixels():
    for tile in TILES:
        assert pixel_digest(tile.pixels) == tile.sha256
        changed = bytes([tile.pixels[0] ^ 1]) + tile.pixels[1:]
        assert pixel_digest(changed) != dataclasses.replace(tile, pixels=changed).sha256


def test_numbers_come_from_whoever_keeps_them_over_resets():
    async def scenario():
        numbers = iter([1025, 1026])
        source = NumberedSource(ReplaySource(TILES, SteppedClock(), 1000), lambda: next(numbers))
        seen = [await source.next_tile() for _ in range(2)]
        assert [tile.tile_id for tile in seen] == [1025, 1026]
        assert [tile.captured_ns for tile in seen] == [100, 1100]

    asyncio.run(scenario())
