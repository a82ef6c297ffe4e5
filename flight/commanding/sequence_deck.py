"""The sequences under way: started, held, stepped, aborted, and kept over a reset.

Pure: the store is a port that says whether it kept the words. Every change is durable before it
is answered; when it cannot be, an operator's sequence is not started, or ends, and the operator
is told, while a response of the fault table goes on all the same: making the node safe must not
wait for its store. What an end has to tell the operator waits in `take_ends`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from flight.commanding.dispatcher import NO_TICKET, Source
from flight.commanding.sequence_run import RunRecord, SequenceRun
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.commanding.sequence_library import Stored
    from flight.telemetry.event_log import EventLog

RUNS_MAX = 8
OPERATOR_RUNS_MAX = 6
"""Two places are for responses of the fault table alone."""
_PLAIN = (CommandReason.WRONG_MODE, CommandReason.NOT_DURABLE)
"""Reasons that say all to whoever started it; any other one belongs to a step."""
REFRESH_NS = 10_000_000_000
"""The rest of a running delay is kept this often: no reset lengthens it by more."""


@dataclass(frozen=True, slots=True)
class End:
    """A command that has ended with its run or its step."""

    ticket: int
    reason: CommandReason


class SequenceDeck:
    """All runs by name.

    Args:
        keep: makes the words durable; False when it could not.
        events: told of every start and end.

    Attributes:
        runs: by name of the sequence, in the order of their start.
        started, completed, aborted, steps_done, skipped, doubtful: since the start of the node.
    """

    def __init__(self, keep: Callable[[bytes], bool], events: EventLog) -> None:
        self._keep = keep
        self._events = events
        self._ends: list[End] = []
        self._kept_ns = 0
        self.runs: dict[str, SequenceRun] = {}
        self.dirty = False
        self.started = 0
        self.completed = 0
        self.aborted = 0
        self.steps_done = 0
        self.skipped = 0
        self.doubtful = 0

    def start(self, stored: Stored, source: Source, ticket: int, now_ns: int) -> CommandReason:
        """Begins at the first step; BUSY when it runs already or no place is free."""
        name = stored.sequence.name
        by_operator = sum(run.source is Source.SEQUENCE for run in self.runs.values())
        full = len(self.runs) >= RUNS_MAX or (
            source is Source.SEQUENCE and by_operator >= OPERATOR_RUNS_MAX
        )
        if full or name in self.runs:
            return CommandReason.BUSY
        self.runs[name] = SequenceRun(stored.sequence, stored.crc, source, ticket, now_ns)
        if not self.save(now_ns) and source is Source.SEQUENCE:
            del self.runs[name]
            return CommandReason.NOT_DURABLE
        self.started += 1
        how = "started by command" if source is Source.SEQUENCE else "started as a response"
        self._tell_start(self.runs[name], how, now_ns)
        return CommandReason.NONE

    def abort(self, name: str, reason: CommandReason, now_ns: int) -> CommandReason:
        """Ends a run before its next step."""
        run = self.runs.get(name)
        if run is None:
            return CommandReason.NOT_FOUND
        self.aborted += 1
        why = "by command" if reason is CommandReason.ABORTED else reason.name.lower()
        step = run.index if run.in_doubt else run.index + 1
        self._events.emit("SEQUENCE_ABORTED", now_ns, name=name, step=step, reason=why)
        self._close(run, reason if reason in _PLAIN else CommandReason.ABORTED, now_ns)
        return CommandReason.NONE

    def complete(self, run: SequenceRun, now_ns: int) -> None:
        """Ends a run whose steps are all behind."""
        self.completed += 1
        self._events.emit(
            "SEQUENCE_ENDED",
            now_ns,
            name=run.sequence.name,
            steps=run.steps_done,
            skipped=run.steps_skipped,
        )
        self._close(run, CommandReason.NONE, now_ns)

    def hold(self, name: str, now_ns: int) -> CommandReason:
        """Stands still."""
        run = self.runs.get(name)
        if run is None:
            return CommandReason.NOT_FOUND
        return self._changed(now_ns) if run.hold(now_ns) else CommandReason.REFUSED

    def resume(self, name: str, now_ns: int) -> CommandReason:
        """Goes on with what was left; a single step asked for and not done yet is forgotten."""
        run = self.runs.get(name)
        if run is None:
            return CommandReason.NOT_FOUND
        if not run.resume(now_ns):
            return CommandReason.REFUSED
        self.end_step(run, CommandReason.REFUSED)
        return self._changed(now_ns)

    def ask_step(self, name: str, ticket: int) -> CommandReason:
        """The next step of a held run is due now, once."""
        run = self.runs.get(name)
        if run is None:
            return CommandReason.NOT_FOUND
        if not run.held or run.step is None:
            return CommandReason.REFUSED
        if run.step_ticket is not None:
            return CommandReason.BUSY
        run.step_ticket = ticket
        return CommandReason.NONE

    def end_step(self, run: SequenceRun, reason: CommandReason) -> None:
        """Answers whoever asked for a single step, if anybody did."""
        ticket, run.step_ticket = run.step_ticket, None
        self._end(NO_TICKET if ticket is None else ticket, reason)

    def take_ends(self) -> list[End]:
        """Commands that have ended since it was last asked."""
        ends, self._ends = self._ends, []
        return ends

    def tend(self, now_ns: int) -> None:
        """Once a cycle: keeps what has changed, and now and then the rest of a delay."""
        waiting = any(run.delayed for run in self.runs.values())
        if self.dirty or (waiting and now_ns - self._kept_ns >= REFRESH_NS):
            self.save(now_ns)

    def save(self, now_ns: int) -> bool:
        """Makes every run durable as it is; what could not be kept is tried again by `tend`."""
        records = [run.record(now_ns) for run in self.runs.values()]
        kept = self._keep(msgspec.msgpack.encode(records))
        self.dirty = not kept
        self._kept_ns = now_ns
        return kept

    def restore(self, words: bytes, find: Callable[[str], Stored | None], now_ns: int) -> list[int]:
        """Goes on with what ran before the reset; tickets of the commands that started it."""
        try:
            records = msgspec.msgpack.decode(words, type=list[RunRecord])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._events.emit(
                "SEQUENCE_ABORTED", now_ns, name="?", step=0, reason="record unreadable"
            )
            self.aborted += 1
            return []
        for record in records[:RUNS_MAX]:
            self._restore_one(record, find(record.name), now_ns)
        self.save(now_ns)
        return [record.ticket for record in records[:RUNS_MAX] if record.ticket != NO_TICKET]

    def _restore_one(self, record: RunRecord, stored: Stored | None, now_ns: int) -> None:
        name = record.name
        if record.in_doubt:
            self.doubtful += 1
            why = "was begun before the reset and is not repeated"
            self._events.emit(
                "SEQUENCE_STEP_MISSED", now_ns, name=name, step=record.index, reason=why
            )
        if stored is None or stored.crc != record.crc:
            self.aborted += 1
            self._events.emit(
                "SEQUENCE_ABORTED",
                now_ns,
                name=name,
                step=record.index + 1,
                reason="its content is not on board any more",
            )
            self._end(record.ticket, CommandReason.ABORTED)
            return
        run = SequenceRun.restored(stored.sequence, record, now_ns)
        self.runs[name] = run
        self._tell_start(run, "goes on after the reset", now_ns)

    def _tell_start(self, run: SequenceRun, how: str, now_ns: int) -> None:
        steps = len(run.sequence.steps)
        self._events.emit(
            "SEQUENCE_STARTED",
            now_ns,
            name=run.sequence.name,
            how=how,
            step=min(run.index + 1, steps),
            steps=steps,
        )

    def _changed(self, now_ns: int) -> CommandReason:
        return CommandReason.NONE if self.save(now_ns) else CommandReason.NOT_DURABLE

    def _close(self, run: SequenceRun, reason: CommandReason, now_ns: int) -> None:
        self.end_step(run, reason)
        self._end(run.ticket, reason)
        del self.runs[run.sequence.name]
        self.save(now_ns)

    def _end(self, ticket: int, reason: CommandReason) -> None:
        if ticket != NO_TICKET:
            self._ends.append(End(ticket, reason))
