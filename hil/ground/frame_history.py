"""Which frames of one channel arrived, and how to tell it in few octets.

Far end of image -> ground: the memory behind the ARQ reports. Three reports of four speak of the
newest frames; when the history does not fit, every fourth walks through what lies below, so that
old frames are settled too without a report ever being long.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from flight.wire import report as codec
from flight.wire.ranges import RangeSet
from flight.wire.report import REPORT_BYTES_MAX, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

_BACKFILL_EVERY = 4
_RANGES_PERMILLE = 700


class FrameHistory:
    """Frame numbers received on one channel, bounded; makes the reports about them.

    Args:
        vcid: the channel.
        depth_frames: how far below the newest frame is remembered; nothing is claimed below. It
            has to exceed the sender's window, or frames could be left undecided.
        told_times: in so many reports at least a frame is spoken of, where there is room; no report
            on the newest frames reaches further back. None: each reaches as far as there is room.
    """

    def __init__(self, vcid: int, depth_frames: int, told_times: int | None = None) -> None:
        self._vcid = vcid
        self._depth = depth_frames
        self._frames = RangeSet()
        self._floor = 0
        self._seq = 0
        self._backfill: int | None = None
        self._rotation = 0
        self._told_to: deque[int] | None = None
        if told_times is not None:
            self._told_to = deque(maxlen=told_times)

    def arrived(self, frame_no: int) -> bool:
        """Notes a frame; False when it was known, or lies where nothing is remembered."""
        if not self._frames and self._floor == 0:
            self._floor = frame_no  # of what was sent before the session began nothing is known
        if frame_no < self._floor:
            return False
        new = self._frames.add(frame_no, frame_no + 1) == 1
        bottom = self._newest() - self._depth
        if bottom > self._floor:
            self._floor = bottom
            while self._frames.first()[1] <= bottom:
                self._frames.drop_lowest()
        return new

    def report(self, epoch: int, unconfirmed: Sequence[int], max_bytes: int) -> bytes:
        """The next report, at most `max_bytes` long.

        Args:
            epoch: ground session.
            unconfirmed: products to be reported complete, oldest first.
            max_bytes: >= 64.
        """
        room = min(max_bytes, REPORT_BYTES_MAX) - codec.header_bytes_max()
        share = room * _RANGES_PERMILLE // 1_000 if unconfirmed else room
        top = self._top()
        floor, ranges, used = self._cover(top, self._reach(top), share)
        if top == self._newest():
            self._backfill = floor - 1 if self._backfill is None else self._backfill
        else:
            self._backfill = floor - 1
        if self._backfill is not None and self._backfill < self._floor:
            self._backfill = None
        completed = self._pick(unconfirmed, room - used)
        report = Report(epoch, self._seq, self._vcid, top, floor, ranges, completed)
        self._seq += 1
        return codec.encode(report)

    def _newest(self) -> int:
        return self._frames.last()[1] - 1 if self._frames else 0

    def _top(self) -> int:
        if self._backfill is not None and self._seq % _BACKFILL_EVERY == _BACKFILL_EVERY - 1:
            return self._backfill
        return self._newest()

    def _reach(self, top: int) -> int:
        """The lowest frame that a report from `top` down has to speak of."""
        if self._told_to is None or top != self._newest():
            return self._floor
        whole = len(self._told_to) < (self._told_to.maxlen or 0)
        reach = self._floor if whole else max(self._floor, self._told_to[0])
        self._told_to.append(top)
        return reach

    def _cover(
        self, top: int, reach: int, room: int
    ) -> tuple[int, tuple[tuple[int, int], ...], int]:
        """As many ranges down to `reach` as fit: (floor, inclusive ranges newest first, octets)."""
        ranges: list[tuple[int, int]] = []
        used, above, floor = 0, top + 1, reach
        for first, end in self._frames.descending(top + 1):
            if end <= reach:
                break
            start = max(first, reach)
            size = codec.range_bytes(above, start, end - 1)
            if used + size > room:
                floor = end  # below the last gap that is told of, nothing is claimed
                break
            used += size
            ranges.append((start, end - 1))
            above = start
        return min(floor, top), tuple(ranges), used

    def _pick(self, unconfirmed: Sequence[int], room: int) -> tuple[int, ...]:
        """Newest completions first; when not all fit, the second half of the room rotates."""
        chosen: list[int] = []
        previous, half = 0, room // 2
        index = len(unconfirmed) - 1
        while index >= 0:
            size = codec.completed_bytes(previous, unconfirmed[index])
            if size > half:
                break
            half -= size
            room -= size
            previous = unconfirmed[index]
            chosen.append(previous)
            index -= 1
        rest = index + 1
        for step in range(rest):
            product_id = unconfirmed[(self._rotation + step) % rest]
            size = codec.completed_bytes(previous, product_id)
            if size > room:
                self._rotation = (self._rotation + step) % rest
                break
            room -= size
            previous = product_id
            chosen.append(product_id)
        return tuple(chosen)
