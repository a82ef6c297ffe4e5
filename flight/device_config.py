"""Configuration of devices on ports of their own: `[terminal]` and `[frames.camera]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from flight.config import ConfigError
from flight.inference.job import BANDS
from hal.terminal_values import BAUD, SerialTerminal

if TYPE_CHECKING:
    from pathlib import Path

    from hal.camera_values import CameraSettings
    from hal.native_camera import CameraFormat

PATH_BYTES_MAX = 255
_NS_PER_S = 1_000_000_000
MAPPING = (
    "one plane for each of B2 (blue), B3 (green), B4 (red), B8 (near infrared), B11 and B12 "
    "(short-wave infrared); allowed: six of "
)
NO_DEFAULT = (
    "A colour camera sees no infrared, and nothing is assumed: naming red for B8, B11 and B12 says "
    "that the network shall take red light for it"
)


class CameraSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A Video4Linux camera; `frames.path` is its device, `camera.cadence_s` how often it is asked.

    Attributes:
        bands: the camera's plane for each band of a tile, B2, B3, B4, B8, B11, B12: "red", "green",
            "blue" of a colour camera, "grey" of one without (or of YUYV, its brightness). No
            default, for no camera has these bands.
        format: V4L2's name of the pixel format.
        width_px, height_px: of its pictures, one of the sizes it really has.
        tile_px: side of a tile.
        tiles_across, tiles_down: tiles of each picture, out of its middle. A Bayer format makes one
            pixel of four.
        full_scale: reflectance x 10 000 that a full count stands for: your calibration of lens,
            exposure and light.
        black_level: counts without light, of a raw format.
        curve: "srgb" undoes the curve of a screen, "linear" takes counts as proportional to light;
            empty: srgb for YUYV, RGB24 and BGR24, linear for the others.
        timeout_s: a picture that takes longer is lost, and the camera is started anew.
        settle_frames: pictures thrown away after each start, while its exposure settles.
    """

    bands: tuple[Annotated[str, Meta(pattern="^(red|green|blue|grey)$")], ...] = ()
    format: str = "YUYV"
    width_px: Annotated[int, Meta(ge=32, le=16384)] = 640
    height_px: Annotated[int, Meta(ge=32, le=16384)] = 480
    tile_px: Annotated[int, Meta(ge=32, le=512, multiple_of=32)] = 256
    tiles_across: Annotated[int, Meta(ge=1, le=64)] = 1
    tiles_down: Annotated[int, Meta(ge=1, le=64)] = 1
    full_scale: Annotated[int, Meta(ge=1, le=65535)] = 10_000
    black_level: Annotated[int, Meta(ge=0, le=65534)] = 0
    curve: Annotated[str, Meta(pattern="^(srgb|linear)?$")] = ""
    timeout_s: Annotated[float, Meta(ge=0.05, le=60.0)] = 2.0
    settle_frames: Annotated[int, Meta(ge=0, le=600)] = 8

    def check(self, source: str, backlog_frames: int) -> None:
        """Relations between the keys; ConfigError in one line."""
        format_ = _formats().get(self.format)
        if format_ is None:
            allowed = ", ".join(_formats())
            raise ConfigError(
                f"{source}: frames.camera.format = {self.format!r}: not one that is understood; "
                f"allowed: {allowed}"
            )
        self._check_bands(source, format_)
        self._check_counts(source, format_)
        self._check_tiles(source, backlog_frames)

    def settings(self, path: str) -> CameraSettings:
        """For `hal.native_camera`, of a checked section."""
        from hal.camera_values import CameraSettings, Plane  # noqa: PLC0415  as below

        return CameraSettings(
            path=path,
            format=self.format,
            width_px=self.width_px,
            height_px=self.height_px,
            tile_px=self.tile_px,
            tiles_across=self.tiles_across,
            tiles_down=self.tiles_down,
            bands=tuple(Plane[name.upper()] for name in self.bands),
            full_scale=self.full_scale,
            black_level=self.black_level,
            srgb=self._is_srgb,
            timeout_ns=round(self.timeout_s * _NS_PER_S),
            settle_frames=self.settle_frames,
        )

    @property
    def _is_bayer(self) -> bool:
        return self.format.startswith("S")

    @property
    def _is_srgb(self) -> bool:
        screen = self.format in {"YUYV", "RGB24", "BGR24"}
        return self.curve == "srgb" or (screen and not self.curve)

    def _check_bands(self, source: str, format_: CameraFormat) -> None:
        planes = {plane.name.lower() for plane in format_.planes}
        allowed = ", ".join(sorted(planes))
        if not self.bands:
            raise ConfigError(
                f'{source}: frames.camera.bands: needed with source = "camera": {MAPPING}'
                f"{allowed}. {NO_DEFAULT}"
            )
        if len(self.bands) != len(BANDS):
            raise ConfigError(
                f"{source}: frames.camera.bands = {list(self.bands)}: {MAPPING}{allowed}"
            )
        absent = [name for name in self.bands if name not in planes]
        if absent:
            raise ConfigError(
                f"{source}: frames.camera.bands = {list(self.bands)}: {self.format} has no plane "
                f"{absent[0]!r}; allowed: {allowed}"
            )

    def _check_counts(self, source: str, format_: CameraFormat) -> None:
        if self._is_srgb and format_.bits > 8:
            raise ConfigError(
                f'{source}: frames.camera.curve = "srgb": not with {self.format}; allowed: "linear"'
            )
        largest = 0 if self._is_srgb else (1 << format_.bits) - 2
        if self.black_level > largest:
            with_curve = " and the curve of a screen" if self._is_srgb else ""
            raise ConfigError(
                f"{source}: frames.camera.black_level = {self.black_level}: with {self.format}"
                f"{with_curve}; allowed: 0 to {largest}"
            )

    def _check_tiles(self, source: str, backlog_frames: int) -> None:
        cell_px = 2 if self._is_bayer else 1
        for key, tiles, side_px in (
            ("tiles_across", self.tiles_across, self.width_px // cell_px),
            ("tiles_down", self.tiles_down, self.height_px // cell_px),
        ):
            if tiles * self.tile_px > side_px:
                raise ConfigError(
                    f"{source}: frames.camera.{key} = {tiles}: tiles of {self.tile_px} px in a "
                    f"picture of {side_px} px; allowed: 1 to {side_px // self.tile_px}"
                    + (" (nothing: make tile_px smaller)" if side_px < self.tile_px else "")
                )
        if self.tiles_across * self.tiles_down > min(backlog_frames, 64):
            raise ConfigError(
                f"{source}: frames.camera.tiles_down = {self.tiles_down}: with tiles_across = "
                f"{self.tiles_across} more tiles at once than camera.backlog_frames = "
                f"{backlog_frames} may wait; allowed: together 1 to {min(backlog_frames, 64)}"
            )


def _formats() -> dict[str, CameraFormat]:
    # Only a node with a camera has a use for it.
    from hal.native_camera import camera_formats  # noqa: PLC0415

    return camera_formats()


class TerminalSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A laser terminal that speaks the protocol of docs/terminal.md.

    Attributes:
        device: its serial port, by the name that stays over a replug (/dev/serial/by-id/...); it
            may be absent, and is looked for while the node flies. Empty: the hardware layer's own
            terminal, if it has one.
        baud: bit/s, 8N1; 0 leaves the port as it is.
    """

    device: str = ""
    baud: Annotated[int, Meta(ge=0, le=4_000_000)] = BAUD

    def check(self, source: str, hal: str) -> None:
        """What a range cannot say, beside `board.hal`; ConfigError in one line."""
        if self.device and hal.startswith("link:"):
            raise ConfigError(
                f"{source}: terminal.device = {self.device!r}: with board.hal = {hal!r} the "
                "terminal is the bench's; allowed: none"
            )
        if "\0" in self.device or len(self.device.encode()) > PATH_BYTES_MAX:
            raise ConfigError(
                f"{source}: terminal.device: allowed: a path of up to {PATH_BYTES_MAX} octets"
            )

    def below(self, folder: Path) -> TerminalSection:
        """With an absolute path."""
        if not self.device:
            return self
        return msgspec.structs.replace(self, device=str(folder / self.device))

    def line(self) -> SerialTerminal | None:
        """For `hal.native_devices`; None without a terminal on a line."""
        return SerialTerminal(self.device, self.baud) if self.device else None
