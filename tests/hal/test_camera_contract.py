"""One contract for every camera; a new one joins by one line."""

import time
from dataclasses import dataclass
from typing import Any

import pytest
from camera_kernel import CameraKernel

from hal.camera_values import CameraOffer, CameraPicture, CameraSettings, Plane
from hal.fake_camera import FakeCamera
from hal.native_camera import NativeCamera, camera_formats
from hal.sample import HalError, HalErrorKind

PATIENCE_S = 20.0
TILE_BYTES = 32 * 32 * 6 * 2
SETTINGS = CameraSettings(
    path="/dev/video0", format="GREY", width_px=64, height_px=48, tile_px=32, tiles_across=2,
    bands=(Plane.GREY,) * 6, full_scale=255, settle_frames=1, timeout_ns=50_000_000,
    reopen_ns=5_000_000,
)  # fmt: skip


@dataclass
class Rig:
    """A camera and the hand that unplugs it."""

    camera: Any
    kernel: CameraKernel | None = None

    def unplug(self):
        if self.kernel:
            self.kernel.plugged = False
        else:
            self.camera.answers.append(HalErrorKind.NODEV)

    def plug(self):
        if self.kernel:
            self.kernel.plugged = True

    def shoot(self):
        if not self.kernel:
            tiles = (bytes(TILE_BYTES), bytes(TILE_BYTES))
            picture = CameraPicture(t_ns=time.monotonic_ns(), sequence=5, tiles=tiles)
            self.camera.answers.extend([None, picture])


def native():
    kernel = CameraKernel()
    return Rig(NativeCamera(SETTINGS, kernel.table), kernel)


def fake():
    return Rig(FakeCamera())


@pytest.fixture(params=[native, fake])
def rig(request):
    made = request.param()
    yield made
    made.camera.close()


def answer(camera):
    due_s = time.monotonic() + PATIENCE_S
    while (picture := camera.take()) is None:
        assert time.monotonic() < due_s
        time.sleep(0.001)
    return picture


def shot(rig):
    """A picture, or None while the camera is still away."""
    rig.shoot()
    rig.camera.ask()
    try:
        return answer(rig.camera)
    except HalError:
        return None


def kind_of(call):
    with pytest.raises(HalError) as caught:
        call()
    assert caught.value.device == "camera"
    return caught.value.kind


def test_a_picture_that_is_asked_for_comes(rig):
    before_ns = time.monotonic_ns()
    for _ in range(3):
        rig.shoot()
        rig.camera.ask()
        picture = answer(rig.camera)
        assert [len(tile) for tile in picture.tiles] == [TILE_BYTES] * 2
        # A stamp has whole microseconds.
        assert before_ns - 1000 <= picture.t_ns <= time.monotonic_ns()
    assert rig.camera.offer.failure is None
    assert rig.camera.offer.card


def test_one_request_at_a_time_and_none_is_no_answer(rig):
    assert kind_of(rig.camera.take) is HalErrorKind.STATE
    rig.shoot()
    rig.camera.ask()
    assert kind_of(rig.camera.ask) is HalErrorKind.BUSY
    answer(rig.camera)
    assert kind_of(rig.camera.take) is HalErrorKind.STATE


def test_an_unplugged_camera_ends_the_request_and_may_come_back(rig):
    rig.unplug()
    rig.camera.ask()
    assert kind_of(lambda: answer(rig.camera)) is HalErrorKind.NODEV
    rig.plug()
    due_s = time.monotonic() + PATIENCE_S
    while not (seen := shot(rig)):
        assert time.monotonic() < due_s
    assert seen.tiles


def test_a_closed_camera_says_so(rig):
    rig.camera.close()
    rig.camera.close()
    assert kind_of(rig.camera.ask) is HalErrorKind.STATE
    assert kind_of(rig.camera.take) is HalErrorKind.STATE


def test_what_the_kernel_shows_is_what_the_tile_holds():
    kernel = CameraKernel("RGB24", pixel_bytes=3)
    row = b"".join(bytes((x, 2 * x, 255 - x)) for x in range(64))
    kernel.paint = lambda _: row * 48
    red, green, blue = Plane.RED, Plane.GREEN, Plane.BLUE
    settings = CameraSettings(
        path="/dev/video0", format="RGB24", width_px=64, height_px=48, tile_px=32,
        bands=(blue, green, red, red, green, blue), full_scale=255,
    )  # fmt: skip
    camera = NativeCamera(settings, kernel.table)
    camera.ask()
    (tile,) = answer(camera).tiles
    camera.close()
    values = memoryview(tile).cast("H")
    for pixel in range(32 * 32):
        x = 16 + pixel % 32
        wanted = [255 - x, 2 * x, x, x, 2 * x, 255 - x]
        assert list(values[6 * pixel : 6 * pixel + 6]) == wanted
    assert not kernel.open
    assert kernel.mapped == 0


def test_counters_tell_what_was_thrown_away():
    kernel = CameraKernel()
    camera = NativeCamera(SETTINGS, kernel.table)
    camera.ask()
    answer(camera)
    counters = camera.counters()
    camera.close()
    assert counters["pictures"] == counters["opened"] == 1
    assert counters["frames_old"] >= SETTINGS.settle_frames
    assert counters["pictures_failed"] == counters["frames_damaged"] == 0


def test_another_format_is_told_by_name_and_a_stranger_by_its_code():
    for format_, told in (("Y16", "Y16"), ("MJPG", "MJPG")):
        kernel = CameraKernel(format_, pixel_bytes=2)
        camera = NativeCamera(SETTINGS, kernel.table)
        camera.close()
        assert camera.offer == CameraOffer(
            failure=HalErrorKind.UNSUPPORTED, format=told, width_px=64, height_px=48,
            card="Test camera",
        )  # fmt: skip


def test_what_is_no_camera_offers_nothing():
    kernel = CameraKernel()
    kernel.is_camera = False
    camera = NativeCamera(SETTINGS, kernel.table)
    camera.close()
    assert camera.offer == CameraOffer(failure=HalErrorKind.UNSUPPORTED)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"format": "MJPG"}, HalErrorKind.UNSUPPORTED),
        ({"bands": (Plane.RED,) * 6}, HalErrorKind.UNSUPPORTED),
        ({"bands": (Plane.GREY,) * 5}, HalErrorKind.RANGE),
        ({"tile_px": 33}, HalErrorKind.RANGE),
        ({"width_px": -1}, HalErrorKind.RANGE),
        ({"timeout_ns": 2**64}, HalErrorKind.RANGE),
    ],
)
def test_settings_that_cannot_be_done_are_refused(changed, kind):
    settings = CameraSettings(**{
        **{name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__}, **changed
    })  # fmt: skip
    assert kind_of(lambda: NativeCamera(settings, CameraKernel().table)) is kind


def test_every_format_has_planes():
    assert all(each.planes for each in camera_formats().values())
    assert camera_formats()["SRGGB10"].planes == {Plane.RED, Plane.GREEN, Plane.BLUE}
