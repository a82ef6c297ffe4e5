"""Which share of the line is delivering: lock, fades and losses in one number.

Image -> ground, hop "decided". A pass that has nothing to send says nothing by its bytes; the share
is therefore the time in lock times the part of the decided frames that arrived.
"""

from __future__ import annotations


class LineShare:
    """Sums up what the contact loop sees until it is asked; pure."""

    def __init__(self) -> None:
        self._looks = 0
        self._open = 0.0
        self._decided = (0, 0)
        self._arrived = 1.0

    def look(self, *, may_send: bool, rate: float = 1.0) -> None:
        """One look at the terminal; `rate` is its present rate over the contact's."""
        self._looks += 1
        self._open += rate if may_send else 0.0

    def take(self, acked_frames: int, lost_frames: int) -> float:
        """The share (0..1) since the last call, from the frames decided since start.

        While no frame is decided the last known part that arrived stands.
        """
        acked, lost = acked_frames - self._decided[0], lost_frames - self._decided[1]
        if acked + lost > 0:
            self._arrived = acked / (acked + lost)
            self._decided = acked_frames, lost_frames
        open_share = self._open / self._looks if self._looks else 0.0
        self._looks, self._open = 0, 0.0
        return open_share * self._arrived
