"""Who is at the other end of the light: nobody, a mirror, or a whole ground with an archive."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hil.ground.ground_segment import GroundSegment

_NS_PER_S = 1_000_000_000
MIRROR_FRAMES_MAX = 256


class FarSide(Protocol):
    """The peer of a contact: frames come down to it, frames go up from it."""

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


class GroundPeer:
    """The ground segment: archives products, reports what came, once a `report_period_s`."""

    def __init__(self, ground: GroundSegment, report_period_s: float = 0.5) -> None:
        self.ground = ground
        self.frames = 0
        self._period_ns = round(report_period_s * _NS_PER_S)
        self._next_report_ns = 0

    def on_frame(self, frame: bytes, now_ns: int) -> None:
        """See `FarSide`."""
        self.frames += 1
        self.ground.on_frame(frame, now_ns)

    def uplink(self, now_ns: int) -> list[bytes]:
        """See `FarSide`."""
        report = now_ns >= self._next_report_ns
        if report:
            self._next_report_ns = now_ns + self._period_ns
        return self.ground.uplink(now_ns, report=report)
