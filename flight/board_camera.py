"""The camera of a board: opened, or refused in one line when it can never do what is configured.

A camera that is merely absent, busy or silent is no reason not to fly: it may come, and the node
has other things to do. Its loss is told as an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.config import ConfigError
from flight.inference.camera_source import CameraSource
from hal.native_camera import NativeCamera
from hal.sample import HalErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from flight.base.clock import Clock
    from flight.board_config import FlyConfig
    from flight.device_config import CameraSection
    from hal.camera_values import CameraOffer

_NS_PER_S = 1_000_000_000
OPENING_NS = 12_000_000_000
"""A USB bus that does not answer holds each exchange up for 5 s; opening takes some of them."""


def camera_source(
    config: FlyConfig,
    clock: Clock,
    opened: ExitStack,
    tell: Callable[[HalErrorKind | None], None],
) -> CameraSource:
    """The configured camera as a source of frames; it is closed with `opened`.

    Raises:
        ConfigError: it may not be opened, is no camera, or has no such format or size.
    """
    section = config.frames.camera
    settings = section.settings(config.frames.path)
    camera = NativeCamera(settings)
    opened.callback(camera.close)
    check_offer(camera.offer, section, config.frames.path)
    return CameraSource(
        camera,
        clock,
        round(config.camera.cadence_s * _NS_PER_S),
        tile_px=section.tile_px,
        tiles_across=section.tiles_across,
        patience_ns=settings.timeout_ns + OPENING_NS,
        tell=tell,
    )


def check_offer(offer: CameraOffer, section: CameraSection, path: str) -> None:
    """ConfigError when what the camera offers can never be what is wanted."""
    if offer.failure is HalErrorKind.PERM:
        raise ConfigError(
            f"frames.path = {path!r}: permission denied; run `sudo usermod -aG video $USER` and "
            "log in again"
        )
    if offer.failure is not HalErrorKind.UNSUPPORTED:
        return
    if not offer.format:
        raise ConfigError(
            f"frames.path = {path!r}: no camera that streams pictures; allowed: a capture device, "
            "such as the one under /dev/v4l/by-id that ends in -video-index0"
        )
    raise ConfigError(
        f"frames.camera.format = {section.format!r} with {section.width_px} x "
        f"{section.height_px} px: {offer.card or path} would give {offer.format} with "
        f"{offer.width_px} x {offer.height_px} px; allowed: what "
        f"`v4l2-ctl --list-formats-ext -d {path}` lists"
    )
