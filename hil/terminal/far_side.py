"""Who is at the other end of the light: somebody who only listens, or a mirror."""

from __future__ import annotations

from collections import deque
from typing import Protocol

MIRROR_FRAMES_MAX = 256


class FarSide(Protocol):
    """The peer of a contact: frames come down to it, frames go up from it.

    Attributes:
        frames: that came through the channel undamaged.
    """

    frames: int

    def on_frame(self, frame: bytes, now_ns: int) -> None:
        """A frame that came through the channel undamaged."""
        ...

    def uplink(self, now_ns: int) -> list[bytes]:
        """Frames that it sends up now."""
        ...


class SilentPeer:
    """Counts what it hears and says nothing."""

    def __init__(self) -> None:
        self.frames = 0

    def on_frame(self, frame: bytes, now_ns: int) -> None:
        """See `FarSide`."""
        del frame, now_ns
        self.frames += 1

    def uplink(self, now_ns: int) -> list[bytes]:
        """See `FarSide`."""
        del now_ns
        return []


class MirrorPeer:
    """Sends every frame back; what it cannot keep until then is lost and counted."""

    def __init__(self) -> None:
        self.frames = 0
        self.lost = 0
        self._waiting: deque[bytes] = deque()

    def on_frame(self, frame: bytes, now_ns: int) -> None:
        """See `FarSide`."""
        del now_ns
        self.frames += 1
        if len(self._waiting) == MIRROR_FRAMES_MAX:
            self.lost += 1
        else:
            self._waiting.append(frame)

    def uplink(self, now_ns: int) -> list[bytes]:
        """See `FarSide`."""
        del now_ns
        frames = list(self._waiting)
        self._waiting.clear()
        return frames
