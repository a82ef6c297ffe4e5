"""On a board with a camera only: `python -m pytest tests/board/camera.py`.

Its name keeps it out of every other run. LUMENODE_CAMERA is the device (default /dev/video0),
LUMENODE_CAMERA_FORMAT and LUMENODE_CAMERA_SIZE what to ask of it (default YUYV, 640x480).
"""

import os
import time

import pytest

from hal.camera_values import CameraSettings
from hal.native_camera import NativeCamera, camera_formats
from hal.sample import HalError

PATIENCE_S = 10.0
FORMAT = os.environ.get("LUMENODE_CAMERA_FORMAT", "YUYV")
WIDTH_PX, HEIGHT_PX = map(int, os.environ.get("LUMENODE_CAMERA_SIZE", "640x480").split("x"))
SETTINGS = CameraSettings(
    path=os.environ.get("LUMENODE_CAMERA", "/dev/video0"),
    format=FORMAT,
    width_px=WIDTH_PX,
    height_px=HEIGHT_PX,
    tile_px=64,
    tiles_across=2,
    tiles_down=2,
    bands=(min(camera_formats()[FORMAT].planes),) * 6,
)


@pytest.fixture
def camera():
    made = NativeCamera(SETTINGS)
    yield made
    made.close()


def shot(camera):
    camera.ask()
    due_s = time.monotonic() + PATIENCE_S
    while (picture := camera.take()) is None:
        assert time.monotonic() < due_s
        time.sleep(0.005)
    return picture


def test_the_camera_opens_as_asked(camera):
    assert camera.offer.failure is None, camera.offer
    assert camera.offer.card


def test_pictures_are_fresh_and_not_one_grey(camera):
    before_ns = time.monotonic_ns()
    pictures = [shot(camera) for _ in range(5)]
    stamps = [picture.t_ns for picture in pictures]
    assert stamps == sorted(set(stamps))
    assert stamps[0] > before_ns
    values = {value for tile in pictures[-1].tiles for value in memoryview(tile).cast("H")}
    assert len(values) > 1, "is the lens covered?"


def test_another_program_may_have_it_afterwards(camera):
    shot(camera)
    camera.close()
    second = NativeCamera(SETTINGS)
    assert shot(second).tiles
    second.close()


def until(camera, *, lost):
    """Shoots until pictures cease to come, or come again."""
    while True:
        try:
            shot(camera)
            if not lost:
                return
        except HalError:
            if lost:
                return
            time.sleep(0.05)


if os.environ.get("LUMENODE_HANDS") == "1":  # somebody is there to pull the plug

    def test_unplugged_and_plugged_in_again_it_is_back_within_five_seconds(camera):
        input("press Enter, and unplug the camera ")
        until(camera, lost=True)
        input("plug it in and press Enter at that moment ")
        plugged_s = time.monotonic()
        until(camera, lost=False)
        assert time.monotonic() - plugged_s < 5.0
