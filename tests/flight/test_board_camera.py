import asyncio
import contextlib
from functools import partial

import pytest
from camera_kernel import CameraKernel

from flight import board_camera
from flight.base.clock import LoopClock
from flight.board_config import load_fly_config
from flight.config import ConfigError
from hal.native_camera import NativeCamera

pytestmark = pytest.mark.slow

CONFIG = """
[camera]
cadence_s = 0.05
[frames]
source = "camera"
path = "/dev/video0"
[frames.camera]
format = "RGB24"
bands = ["blue", "green", "red", "red", "red", "red"]
width_px = 64
height_px = 48
tile_px = 32
tiles_across = 2
curve = "linear"
settle_frames = 1
timeout_s = 0.1
"""


@pytest.fixture
def kernel(monkeypatch):
    made = CameraKernel("RGB24", pixel_bytes=3)
    monkeypatch.setattr(board_camera, "NativeCamera", partial(NativeCamera, system=made.table))
    return made


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text(CONFIG)
    return load_fly_config(path)


class Told(list):
    """What a source tells, and an event for the first."""

    def __init__(self):
        self.first = asyncio.Event()

    def __call__(self, kind):
        self.append(kind)
        self.first.set()


def refusal(config):
    with contextlib.ExitStack() as opened, pytest.raises(ConfigError) as caught:
        board_camera.camera_source(config, LoopClock, opened, lambda _: None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_tiles_of_a_camera_come_through_all_layers_and_a_loss_is_overcome(kernel, config):
    kernel.paint = lambda _: bytes((51, 102, 255)) * (64 * 48)

    async def scenario():
        told = Told()
        with contextlib.ExitStack() as opened:
            source = board_camera.camera_source(config, LoopClock(), opened, told)
            tiles = [await source.next_tile() for _ in range(4)]
            for tile in tiles:
                values = memoryview(tile.pixels).cast("H")
                assert list(values[:6]) == [10_000, 4000, 2000, 2000, 2000, 2000]
                assert len(values) == 32 * 32 * 6
            assert [tile.origin[-4:] for tile in tiles] == [":0:0", ":0:1"] * 2
            kernel.plugged = False
            waiting = asyncio.ensure_future(source.next_tile())
            await told.first.wait()
            kernel.plugged = True
            async with asyncio.timeout(20):
                await waiting
        assert [kind and kind.name for kind in told] == ["NODEV", None]
        assert kernel.opens == 2

    asyncio.run(scenario())
    assert not kernel.open
    assert kernel.mapped == 0


def test_an_absent_camera_is_no_reason_not_to_fly(kernel, config):
    kernel.plugged = False

    async def scenario():
        with contextlib.ExitStack() as opened:
            told = Told()
            source = board_camera.camera_source(config, LoopClock(), opened, told)
            waiting = asyncio.ensure_future(source.next_tile())
            await told.first.wait()
            kernel.plugged = True
            async with asyncio.timeout(20):
                assert (await waiting).origin.startswith("camera:")

    asyncio.run(scenario())


def test_a_camera_that_may_not_be_opened_is_refused_with_the_remedy(kernel, config):
    kernel.forbidden = True
    assert "frames.path = '/dev/video0': permission denied" in refusal(config)
    assert "usermod -aG video" in refusal(config)


def test_what_is_no_camera_is_refused(kernel, config):
    kernel.is_camera = False
    assert "frames.path = '/dev/video0': no camera" in refusal(config)


def test_another_format_is_refused_with_what_the_camera_would_give(kernel, config):
    kernel.fourcc = int.from_bytes(b"MJPG", "little")
    kernel.width_px = 128
    line = refusal(config)
    assert "frames.camera.format = 'RGB24' with 64 x 48 px: Test camera" in line
    assert "would give MJPG with 128 x 48 px" in line
    assert not kernel.open
