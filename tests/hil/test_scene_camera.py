import numpy as np

from flight.base.clock import LoopClock
from flight.inference.job import Tile
from hil.scene_camera import SceneCamera
from hil.simloop import SimLoop

S = 1_000_000_000
TILES = tuple(Tile(i, 0, bytes([i, 0]) * 24, 2, 2, bytes(32), f"scene:{i}") for i in range(7))


def shot(seconds, lit=lambda _: True, cadence_s=4.0, seed=1, work_s=0.0, pace=lambda _: 1.0):
    """What a consumer that needs `work_s` for a frame gets in a time."""
    loop = SimLoop()
    clock = LoopClock(loop)
    order = np.random.Generator(np.random.PCG64(seed))
    camera = SceneCamera(TILES, clock, cadence_s, lit, order, pace)
    frames = []

    async def consume():
        while clock.now_ns() < seconds * S:
            frames.append(await camera.next_tile())
            await clock.sleep_until(clock.now_ns() + round(work_s * S))

    loop.run_until_complete(consume())
    loop.close()
    return camera, frames


def test_frames_come_on_the_absolute_grid_and_are_numbered_without_a_gap():
    camera, frames = shot(60)
    assert [frame.captured_ns for frame in frames] == [i * 4 * S for i in range(1, 16)]
    assert [frame.tile_id for frame in frames] == list(range(1, 16))
    assert camera.frames == 15


def test_a_slow_consumer_stays_on_the_grid():
    _, frames = shot(60, work_s=5.0)
    assert {frame.captured_ns % (4 * S) for frame in frames} == {0}
    assert len(frames) == 8


def test_no_frame_is_taken_in_the_dark_and_daylight_is_found_again():
    _, frames = shot(200, lit=lambda t_ns: not 40 * S <= t_ns < 120 * S)
    times = [frame.captured_ns // S for frame in frames]
    assert not any(40 <= t < 120 for t in times)
    assert min(t for t in times if t >= 120) <= 132


def test_a_camera_that_is_silent_takes_nothing_and_one_that_floods_takes_more():
    def pace(t_ns):
        return 0.0 if 40 * S <= t_ns < 100 * S else 10.0 if 100 * S <= t_ns < 140 * S else 1.0

    _, frames = shot(200, pace=pace)
    times = [frame.captured_ns / S for frame in frames]
    assert not any(40 < t < 100 for t in times)
    assert sum(100 < t <= 140 for t in times) == 100
    assert sum(t > 140 for t in times) == 15


def test_the_seed_decides_the_order_and_nothing_else_does():
    def origins(seed):
        return [frame.origin for frame in shot(200, seed=seed)[1]]

    assert origins(1) == origins(1)
    assert origins(1) != origins(2)
    assert set(origins(1)) == {tile.origin for tile in TILES}


def test_the_tile_a_frame_showed_can_be_asked_for():
    camera, frames = shot(60)
    for frame in frames:
        assert camera.shown(frame.tile_id).origin == frame.origin
    assert camera.shown(999) is None
