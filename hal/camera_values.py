"""Values of a camera: what is asked of it, what it offers, what comes of it. No C, no device."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from hal.sample import HalErrorKind

BANDS = 6
"""A tile's bands; `flight.inference.job.BANDS` names them."""


class Plane(IntEnum):
    """What a camera can see; the numbers are those of `enum camera_plane`."""

    RED = 0
    GREEN = 1
    BLUE = 2
    GREY = 3


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a camera shall do; see native/include/camera_reader.h and camera_tile.h.

    Attributes:
        path: of the video device.
        format: name of the pixel format, out of `hal.native_camera.camera_formats`.
        width_px, height_px: of the picture, exactly.
        tile_px, tiles_across, tiles_down: what is cut out of its middle.
        bands: the plane that each of the six bands is taken from.
        full_scale: value of a full count, reflectance x 10 000.
        black_level: counts without light.
        srgb: undo the curve of a screen, for formats of 8 bits.
        timeout_ns: for one picture.
        reopen_ns: between two tries to open a lost camera.
        settle_frames: thrown away after the stream has started.
        buffers: in the driver's memory.
    """

    path: str
    format: str
    width_px: int
    height_px: int
    tile_px: int
    tiles_across: int = 1
    tiles_down: int = 1
    bands: tuple[Plane, ...]
    full_scale: int = 10_000
    black_level: int = 0
    srgb: bool = False
    timeout_ns: int = 2_000_000_000
    reopen_ns: int = 1_000_000_000
    settle_frames: int = 8
    buffers: int = 4


class CameraOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of opening a camera.

    Attributes:
        failure: why it is not open; None: it is.
        format, width_px, height_px: with UNSUPPORTED: what it would do instead, "" for no camera.
        card: the driver's name for it.
    """

    failure: HalErrorKind | None
    format: str = ""
    width_px: int = 0
    height_px: int = 0
    card: str = ""


class CameraPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: its tiles row by row, each the bytes of (tile_px, tile_px, 6) uint16.

    ``t_ns`` is the time of capture on the monotonic clock, ``sequence`` the driver's number.
    """

    t_ns: int
    sequence: int
    tiles: tuple[bytes, ...]


class Camera(Protocol):
    """A camera that is asked and looked at, and never waited for. Calls may raise `HalError`."""

    @property
    def offer(self) -> CameraOffer:
        """What came of opening it."""
        ...

    def ask(self) -> None:
        """Ask for a fresh picture; BUSY while one is under way."""
        ...

    def take(self) -> CameraPicture | None:
        """Return the picture that was asked for, None when it is not there yet.

        NODEV, IO: the camera is gone; TIMEOUT: it is silent; CORRUPT: the picture was damaged; each
        ends the request. STATE: none was asked for.
        """
        ...

    def close(self) -> None:
        """Give the camera back. Closing twice is allowed."""
        ...
