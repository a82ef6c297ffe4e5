"""Group commit: how long small writes wait for one another, as a pure core.

Image -> ground, hop "durable before it counts". A device sync costs milliseconds whatever it
carries, so writes that come close together share one. The first of a group waits at most
`COLLECT_NS`; a group of `RECORDS_MAX` changes, or one whose answer somebody waits for, does not
wait at all. While the writer is busy the next group grows by itself.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.downlink.store_request import WriteRequest

COLLECT_NS = 20_000_000
RECORDS_MAX = 32


class GroupCommit:
    """Requests wait here, in order; `take` gives the next group when it is due."""

    def __init__(self, collect_ns: int = COLLECT_NS, records_max: int = RECORDS_MAX) -> None:
        assert records_max >= 1
        self._collect_ns = collect_ns
        self._records_max = records_max
        self._waiting: deque[WriteRequest] = deque()
        self._records = 0
        self._urgent = 0
        self._due_ns = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, request: WriteRequest, now_ns: int) -> None:
        """One more request; the first one of a group starts its time."""
        if not self._waiting:
            self._due_ns = now_ns + self._collect_ns
        self._waiting.append(request)
        self._records += request.records
        self._urgent += request.urgent

    def due_in_ns(self, now_ns: int) -> int | None:
        """How long the next group still waits, 0 when it is due, None when nothing waits."""
        if not self._waiting:
            return None
        if self._urgent or self._records >= self._records_max:
            return 0
        return max(0, self._due_ns - now_ns)

    def take(self, now_ns: int) -> list[WriteRequest]:
        """The group that is due: whole requests up to `records_max` changes, at least one."""
        if self.due_in_ns(now_ns) != 0:
            return []
        group: list[WriteRequest] = []
        records = 0
        while self._waiting:
            if group and records + self._waiting[0].records > self._records_max:
                break
            request = self._waiting.popleft()
            group.append(request)
            records += request.records
            self._urgent -= request.urgent
        self._records -= records
        return group  # what stays behind has waited as long: it is due with the next look
