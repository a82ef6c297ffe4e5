import asyncio

import pytest

from flight.inference.camera_source import POLL_NS, CameraSource
from flight.inference.job import pixel_digest
from hal.camera_values import CameraPicture
from hal.fake_camera import FakeCamera
from hal.sample import HalErrorKind

PERIOD_NS = 1_000_000_000
PATIENCE_NS = 5_000_000_000
START_NS = 100


class SteppedClock:
    """Time that passes only by waiting, and by `now += n` in a test."""

    def __init__(self):
        self.now = START_NS

    def now_ns(self):
        return self.now

    async def sleep_until(self, t_ns):
        self.now = max(self.now, t_ns)
        await asyncio.sleep(0)


class Rig:
    """A source, its camera, its clock, and what it told."""

    def __init__(self, tiles_across=1):
        self.clock, self.camera, self.told = SteppedClock(), FakeCamera(), []
        self.source = CameraSource(
            self.camera, self.clock, PERIOD_NS, tile_px=2, tiles_across=tiles_across,
            patience_ns=PATIENCE_NS, tell=self.told.append, first_id=50,
        )  # fmt: skip

    def shoot(self, sequence, *tiles, t_ns=0, late=0):
        picture = CameraPicture(t_ns=t_ns, sequence=sequence, tiles=tiles or (bytes(48),))
        self.camera.answers.extend([*[None] * late, picture])

    def fail(self, kind):
        self.camera.answers.append(kind)

    async def take(self, count):
        return [await self.source.next_tile() for _ in range(count)]


@pytest.fixture
def rig():
    return Rig()


def test_pictures_are_asked_for_on_an_absolute_grid(rig):
    async def scenario():
        asked = []
        for sequence in range(3):
            rig.shoot(sequence, t_ns=7, late=3)
            await rig.source.next_tile()
            asked.append(rig.clock.now - 3 * POLL_NS)
        assert asked == [START_NS, START_NS + PERIOD_NS, START_NS + 2 * PERIOD_NS]
        assert rig.source.skipped == 0

    asyncio.run(scenario())


def test_a_late_consumer_gets_a_fresh_picture_and_the_missed_are_counted(rig):
    async def scenario():
        rig.shoot(0)
        await rig.source.next_tile()
        rig.clock.now += 3 * PERIOD_NS + 5
        rig.shoot(1)
        await rig.source.next_tile()
        assert rig.clock.now == START_NS + 4 * PERIOD_NS
        assert rig.source.skipped == 3

    asyncio.run(scenario())


def test_every_tile_of_a_picture_is_given_once_with_its_place():
    async def scenario():
        rig = Rig(tiles_across=2)
        pixels = [bytes([each]) * 48 for each in range(4)]
        rig.shoot(9, *pixels, t_ns=42)
        tiles = await rig.take(4)
        assert [tile.origin for tile in tiles] == [
            "camera:9:0:0", "camera:9:0:1", "camera:9:1:0", "camera:9:1:1"
        ]  # fmt: skip
        assert [tile.tile_id for tile in tiles] == [50, 51, 52, 53]
        assert [tile.pixels for tile in tiles] == pixels
        assert {(tile.height_px, tile.width_px, tile.captured_ns) for tile in tiles} == {(2, 2, 42)}
        assert [tile.sha256 for tile in tiles] == [pixel_digest(each) for each in pixels]

    asyncio.run(scenario())


def test_a_tile_is_never_from_the_future(rig):
    async def scenario():
        rig.shoot(0, t_ns=10**18)
        (tile,) = await rig.take(1)
        assert tile.captured_ns == START_NS

    asyncio.run(scenario())


def test_a_loss_is_told_once_and_so_is_the_return(rig):
    async def scenario():
        rig.fail(HalErrorKind.NODEV)
        rig.fail(HalErrorKind.NODEV)
        rig.fail(HalErrorKind.TIMEOUT)
        rig.shoot(4)
        rig.shoot(5)
        rig.fail(HalErrorKind.CORRUPT)
        rig.shoot(6)
        origins = [tile.origin for tile in await rig.take(3)]
        assert origins == ["camera:4:0:0", "camera:5:0:0", "camera:6:0:0"]
        assert rig.told == [HalErrorKind.NODEV, None, HalErrorKind.CORRUPT, None]
        assert rig.source.failed == 4
        # It is tried on the grid, not at once.
        assert rig.clock.now == START_NS + 6 * PERIOD_NS

    asyncio.run(scenario())


def test_a_driver_that_hangs_is_told_and_waited_for(rig):
    async def scenario():
        late = PATIENCE_NS // POLL_NS + 10
        rig.shoot(0, late=late)
        (tile,) = await rig.take(1)
        assert tile.origin == "camera:0:0:0"
        assert rig.told == [HalErrorKind.TIMEOUT, None]
        assert rig.source.failed == 0

    asyncio.run(scenario())


def test_a_cancelled_wait_leaves_no_old_picture_behind(rig):
    async def scenario():
        waiting = asyncio.ensure_future(rig.source.next_tile())
        for _ in range(5):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        rig.shoot(1)  # the answer to the request of the one that was cancelled
        rig.shoot(2)
        assert [tile.origin for tile in await rig.take(1)] == ["camera:2:0:0"]

    asyncio.run(scenario())


def test_a_cancelled_wait_for_a_lost_camera_starts_afresh(rig):
    async def scenario():
        waiting = asyncio.ensure_future(rig.source.next_tile())
        for _ in range(5):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        rig.fail(HalErrorKind.NODEV)
        rig.shoot(2)
        assert [tile.origin for tile in await rig.take(1)] == ["camera:2:0:0"]
        assert rig.told == [HalErrorKind.NODEV, None]

    asyncio.run(scenario())
