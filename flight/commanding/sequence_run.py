"""One sequence under way: which step is next, when it is due, and what of this outlives a reset.

Pure. The state machine has two states and an end:

    WAITING --hold--> HELD --resume--> WAITING --last step--> over
                       |  ^
                       +--+ one step by hand

Whoever runs it makes `record` durable with the next step already counted, and only then has the
step done: a reset in between loses that one step, told as in doubt, and never repeats it. A delay
that is running is kept as what is left of it; the time a node is without power does not count.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from flight.commanding.dispatcher import Source

if TYPE_CHECKING:
    from flight.commanding.sequence import Sequence, Step

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000


class Due(Enum):
    """What is to be done about the next step now."""

    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    """Its instant has passed by more than the sequence allows."""
    OVER = "over"
    """There is none left."""


class RunRecord(msgspec.Struct, frozen=True):
    """What a reset must not lose of one run.

    Attributes:
        name, crc: of the sequence; another content under the same name is not gone on with.
        index: of the next step.
        left_ns: of its delay, when the record was made.
        ticket: of the command that started it, `NO_TICKET` without one.
        in_doubt: the step before `index` was counted and perhaps not done.
    """

    name: str
    crc: int
    index: int
    left_ns: int
    held: bool
    source: str
    ticket: int
    steps_done: int
    steps_skipped: int
    in_doubt: bool


class SequenceRun:
    """One run of one sequence.

    Attributes:
        steps_done, steps_skipped: so far.
        in_doubt: the step before the next one is counted and not yet known to be done.
        step_ticket: of the command that asked for a single step; None when nobody has.
    """

    def __init__(
        self, sequence: Sequence, crc: int, source: Source, ticket: int, now_ns: int
    ) -> None:
        self.sequence = sequence
        self.crc = crc
        self.source = source
        self.ticket = ticket
        self.index = 0
        self.held = False
        self.steps_done = 0
        self.steps_skipped = 0
        self.in_doubt = False
        self.step_ticket: int | None = None
        self._due_ns = now_ns + self._delay_ns()
        self._left_ns = 0

    @classmethod
    def restored(cls, sequence: Sequence, record: RunRecord, now_ns: int) -> SequenceRun:
        """Goes on after a reset with what the record says."""
        run = cls(sequence, record.crc, Source(record.source), record.ticket, now_ns)
        run.index, run.held = min(record.index, len(sequence.steps)), record.held
        run.steps_done, run.steps_skipped = record.steps_done, record.steps_skipped
        run._left_ns = max(record.left_ns, 0)
        run._due_ns = now_ns + run._left_ns
        return run

    @property
    def step(self) -> Step | None:
        """The next step; None when all are behind."""
        steps = self.sequence.steps
        return steps[self.index] if self.index < len(steps) else None

    @property
    def delayed(self) -> bool:
        """A delay is running, so that its rest is worth keeping now and then."""
        return not self.held and self.step is not None and self._delay_ns() > 0

    def due(self, now_ns: int, utc_ns: int | None) -> Due:
        """What to do now; without UTC an instant is waited for."""
        step = self.step
        if step is None:
            return Due.OVER
        if self.held:
            return Due.WAIT if self.step_ticket is None else Due.RUN
        if step.at_utc_ms is None:
            return Due.RUN if now_ns >= self._due_ns else Due.WAIT
        if utc_ns is None or utc_ns < step.at_utc_ms * _NS_PER_MS:
            return Due.WAIT
        late_ns = utc_ns - step.at_utc_ms * _NS_PER_MS
        return Due.RUN if late_ns <= self.sequence.late_s * _NS_PER_S else Due.SKIP

    def advance(self, now_ns: int, *, skipped: bool = False) -> None:
        """Counts the next step, before it is done; the delay of the one after begins now."""
        assert self.step is not None
        self.index += 1
        self.in_doubt = not skipped
        self.steps_skipped += skipped
        self._left_ns = self._delay_ns()
        self._due_ns = now_ns + self._left_ns

    def done(self) -> None:
        """The step that was counted last is done."""
        self.in_doubt = False
        self.steps_done += 1

    def hold(self, now_ns: int) -> bool:
        """Stands still, what is left of a delay is kept; False when it does already."""
        if self.held:
            return False
        self._left_ns = max(self._due_ns - now_ns, 0)
        self.held = True
        return True

    def resume(self, now_ns: int) -> bool:
        """Goes on with what was left; False when it was not held."""
        if not self.held:
            return False
        self._due_ns = now_ns + self._left_ns
        self.held = False
        return True

    def record(self, now_ns: int) -> RunRecord:
        """For the store."""
        left_ns = self._left_ns if self.held else max(self._due_ns - now_ns, 0)
        return RunRecord(
            self.sequence.name, self.crc, self.index, left_ns, self.held, self.source.value,
            self.ticket, self.steps_done, self.steps_skipped, self.in_doubt,
        )  # fmt: skip

    def _delay_ns(self) -> int:
        step = self.step
        return 0 if step is None else step.after_ms * _NS_PER_MS
