"""Which ARQ reports are believed: the right channel, a known past, each once.

Image -> ground, hop "told", the way back. Reports may be lost, repeated and reordered freely; what
must not happen is that a report of another link, or of a ground session long over, decides frames.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.wire.report import Report

SEQ_MEMORY = 1_024


class Belief(Enum):
    """What a report is worth. IMPOSSIBLE: it names frames that were never sent."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    STALE = "stale"
    WRONG_CHANNEL = "wrong_channel"
    IMPOSSIBLE = "impossible"


class ReportGate:
    """Remembers the ground session and its newest reports; bounded by `SEQ_MEMORY`.

    Args:
        vcid: the channel reports have to speak of.
    """

    def __init__(self, vcid: int) -> None:
        self._vcid = vcid
        self._seen: set[int] = set()
        self._newest_seq = -1
        self.epoch: int | None = None
        """The ground session believed at present; None before the first report."""

    def judge(self, report: Report, highest_sent: int, newest: int | None = None) -> Belief:
        """Whether the report counts; an accepted one is remembered, its session is then current.

        `newest` is the newest session that any link heard of; an older one is over for all links.
        Reordered reports of the same session are accepted: each is true for when it was made.
        """
        if report.vcid != self._vcid:
            return Belief.WRONG_CHANNEL
        if report.ranges and report.ranges[0][1] > highest_sent:
            # Another node's report, or a frame counter that was lost: its word about any frame
            # is worth nothing.
            return Belief.IMPOSSIBLE
        if newest is not None and report.epoch < newest:
            return Belief.STALE
        if self.epoch is None or report.epoch > self.epoch:
            self.epoch = report.epoch
            self._seen.clear()
            self._newest_seq = -1
        elif report.epoch < self.epoch or report.seq <= self._newest_seq - SEQ_MEMORY:
            return Belief.STALE
        elif report.seq in self._seen:
            return Belief.DUPLICATE
        self._seen.add(report.seq)
        self._newest_seq = max(self._newest_seq, report.seq)
        if len(self._seen) > 2 * SEQ_MEMORY:
            oldest = self._newest_seq - SEQ_MEMORY
            self._seen = {kept for kept in self._seen if kept > oldest}
        return Belief.ACCEPTED
