"""Loads on their way up: phase by phase, each answered in full before the next one is sent.

Pure, on top of the operator: he sends again what is not answered, over as many contacts as it
takes; here is only the order, and the end of an upload that the node refuses.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from flight.commanding.upload_plan import upload_plan
from hil.ground.operator import Fate

if TYPE_CHECKING:
    from flight.telemetry.dictionary import Command
    from hil.ground.operator import Operator

UPLOADS_MAX = 16


class Uploader:
    """Sends loads one after the other, as a node takes them.

    Attributes:
        completed, failed: uploads that are over; dropped: that found no place to wait.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._waiting: deque[list[tuple[Command, ...]]] = deque()
        self._phases: deque[tuple[Command, ...]] = deque()
        self._open: list[int] = []
        self.completed = 0
        self.failed = 0
        self.dropped = 0

    def add(self, kind: str, version: int, data: bytes) -> None:
        """Takes a load on; it is sent when those before it are over."""
        if len(self._waiting) >= UPLOADS_MAX:
            self.dropped += 1
            return
        self._waiting.append(upload_plan(kind, version, data))

    def step(self, now_ns: int) -> None:
        """Hands the operator what may be sent now."""
        fates = [self._fate(command_id) for command_id in self._open]
        if Fate.PENDING in fates:
            return
        over = self._open and not self._phases
        if any(fate is not Fate.COMPLETED for fate in fates):
            self.failed += 1
            self._phases.clear()
        elif over:
            self.completed += 1
        self._open = []
        if not self._phases and self._waiting:
            self._phases.extend(self._waiting.popleft())
        if self._phases:
            phase = self._phases.popleft()
            self._open = [self._operator.send(command, now_ns) for command in phase]

    def _fate(self, command_id: int) -> Fate:
        sent = self._operator.fate(command_id)
        return Fate.GIVEN_UP if sent is None else sent.fate
