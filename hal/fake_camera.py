"""`Camera` in memory, for tests of flight that need no device.

A product of its own: it passes the contract test that `NativeCamera` passes. What comes next is
what the test puts in, one answer a request.
"""

from __future__ import annotations

from collections import deque

from hal.camera_values import Camera, CameraOffer, CameraPicture
from hal.sample import HalError, HalErrorKind

Answer = CameraPicture | HalErrorKind | None


class FakeCamera(Camera):
    """Gives the answers put into `answers`, oldest first; None, or no answer: not yet."""

    def __init__(self, offer: CameraOffer | None = None) -> None:
        self._offer = offer or CameraOffer(failure=None, card="A camera in memory")
        self.answers: deque[Answer] = deque()
        self._asked = self._closed = False

    @property
    def offer(self) -> CameraOffer:
        """See `Camera`."""
        return self._offer

    def ask(self) -> None:
        """See `Camera`."""
        if self._closed:
            raise HalError("camera", -HalErrorKind.STATE)
        if self._asked:
            raise HalError("camera", -HalErrorKind.BUSY)
        self._asked = True

    def take(self) -> CameraPicture | None:
        """See `Camera`."""
        if self._closed or not self._asked:
            raise HalError("camera", -HalErrorKind.STATE)
        answer = self.answers.popleft() if self.answers else None
        if answer is None:
            return None
        self._asked = False
        if isinstance(answer, HalErrorKind):
            raise HalError("camera", -answer)
        return answer

    def close(self) -> None:
        """See `Camera`."""
        self._closed = True
