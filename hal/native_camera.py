"""`Camera` over the C layer: a Video4Linux device and the thread that waits for it."""

from __future__ import annotations

import weakref
from typing import Any

import msgspec

from hal.camera_values import (
    BANDS,
    Camera,
    CameraOffer,
    CameraPicture,
    CameraSettings,
    Plane,
)
from hal.native_library import ffi, lib
from hal.sample import HalError, HalErrorKind

CLOSE_TIMEOUT_NS = 1_000_000_000
_DEVICE = "camera"
_FOURCC_BYTES = 4
_LOST: list[Any] = []
"""Arenas whose thread a driver did not let go of: they must outlive the process's last turn."""

_new_arena = ffi.new_allocator(should_clear_after_alloc=False)


class CameraFormat(msgspec.Struct, frozen=True, kw_only=True):
    """A pixel format that is understood."""

    name: str
    fourcc: int
    bits: int
    planes: frozenset[Plane]


def camera_formats() -> dict[str, CameraFormat]:
    """Every pixel format that `NativeCamera` understands, by V4L2's name."""
    formats: dict[str, CameraFormat] = {}
    while (each := lib.camera_format_at(len(formats))) != ffi.NULL:
        name = ffi.string(each.name).decode("ascii")
        planes = frozenset(plane for plane in Plane if each.planes & 1 << plane)
        formats[name] = CameraFormat(name=name, fourcc=each.fourcc, bits=each.bits, planes=planes)
    return formats


class NativeCamera(Camera):
    """A Video4Linux camera.

    A camera that is not there is no error: `offer` tells, and it may come.

    Args:
        system: the `struct linux_syscalls *` to use; the kernel's own if left out.

    Raises:
        HalError: RANGE, UNSUPPORTED for settings that cannot be done; BUSY without a thread.
    """

    def __init__(self, settings: CameraSettings, system: Any = ffi.NULL) -> None:
        self._path = ffi.new("char[]", settings.path.encode())
        self._config = _config(settings, self._path)
        self._reader: Any = ffi.NULL
        size = _check(lib.camera_reader_bytes(self._config))
        arena = _new_arena("uint8_t[]", size)
        reader, offer = ffi.new("struct camera_reader **"), ffi.new("struct camera_offer *")
        opened = lib.camera_reader_open(reader, arena, size, system, self._config, offer)
        _check(opened)
        self._reader, self._offer = reader[0], _offer_of(offer)
        self._picture = ffi.new("struct camera_picture *")
        self._tile_bytes = lib.camera_tile_bytes(ffi.addressof(self._config, "tile"))
        self._tile_bytes //= settings.tiles_across * settings.tiles_down
        # The arena lives in the closing call, so that no thread is left with freed memory.
        self._close = weakref.finalize(self, _close, self._reader, (arena, system))

    @property
    def offer(self) -> CameraOffer:
        """See `Camera`."""
        return self._offer

    def ask(self) -> None:
        """See `Camera`."""
        _check(lib.camera_reader_ask(self._reader))

    def take(self) -> CameraPicture | None:
        """See `Camera`."""
        count = _check(lib.camera_reader_take(self._reader, self._picture))
        if count == 0:
            return None
        tiles = ffi.buffer(lib.camera_reader_tiles(self._reader), count * self._tile_bytes)
        return CameraPicture(
            t_ns=self._picture.t_ns,
            sequence=self._picture.sequence,
            tiles=tuple(
                tiles[start : start + self._tile_bytes]
                for start in range(0, len(tiles), self._tile_bytes)
            ),
        )

    def counters(self) -> dict[str, int]:
        """What was done and what was lost, by the names of `struct camera_counters`."""
        counters = ffi.new("struct camera_counters *")
        _check(lib.camera_reader_read_counters(self._reader, counters))
        names = (name for name, _ in ffi.typeof("struct camera_counters").fields)
        return {name: getattr(counters, name) for name in names}

    def close(self) -> None:
        """See `Camera`. Waits `CLOSE_TIMEOUT_NS` for a driver that does not answer."""
        self._close()
        self._reader = ffi.NULL


def _close(reader: Any, kept: tuple[Any, ...]) -> None:
    if lib.camera_reader_close(reader, CLOSE_TIMEOUT_NS) < 0:
        _LOST.append(kept)


def _check(code: int) -> int:
    if code < 0:
        raise HalError(_DEVICE, code)
    return code


def _config(settings: CameraSettings, path: Any) -> Any:
    """The `struct camera_reader_config`; RANGE for a number that C has no room for."""
    format_ = camera_formats().get(settings.format)
    if format_ is None:
        raise HalError(_DEVICE, lib.HAL_E_UNSUPPORTED)
    if len(settings.bands) != BANDS:
        raise HalError(_DEVICE, lib.HAL_E_RANGE)
    config = ffi.new("struct camera_reader_config *")
    try:
        for part in (config.camera, config.tile):
            part.fourcc = format_.fourcc
            part.width_px, part.height_px = settings.width_px, settings.height_px
        config.camera.path, config.camera.buffers = path, settings.buffers
        for name in ("tile_px", "tiles_across", "tiles_down", "full_scale", "black_level", "srgb"):
            setattr(config.tile, name, getattr(settings, name))
        config.tile.bands = settings.bands
        for name in ("timeout_ns", "reopen_ns", "settle_frames"):
            setattr(config, name, getattr(settings, name))
    except OverflowError:
        raise HalError(_DEVICE, lib.HAL_E_RANGE) from None
    return config


def _offer_of(offer: Any) -> CameraOffer:
    code = offer.fourcc.to_bytes(_FOURCC_BYTES, "little").decode("ascii", "replace")
    names = {each.fourcc: name for name, each in camera_formats().items()}
    return CameraOffer(
        failure=HalErrorKind(-offer.code) if offer.code < 0 else None,
        format=names.get(offer.fourcc, code if offer.fourcc else ""),
        width_px=offer.width_px,
        height_px=offer.height_px,
        card=ffi.string(offer.card).decode("utf-8", "replace"),
    )
