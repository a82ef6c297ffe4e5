"""Runs the sequences: once a cycle, what is due is counted, made durable, and only then done.

Stepped in the main group. A step is a command of the dictionary and goes through the dispatcher
like any other, with its range check and its mode guard; the first one that fails aborts the
sequence. A step that another room only starts counts as done. Times are kept to the cycle: a step
is done at the first cycle at or after its time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from flight.commanding.dispatcher import NO_TICKET, HandlerVerdict, Source
from flight.commanding.durable_gate import LIMIT_NS
from flight.commanding.sequence_run import Due, SequenceRun
from flight.telemetry.definitions import Mode
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flight.base.channels import Latest
    from flight.commanding.dispatcher import HandlerResult
    from flight.commanding.durable_gate import Durability
    from flight.commanding.sequence import Step
    from flight.commanding.sequence_deck import SequenceDeck
    from flight.commanding.sequence_library import SequenceLibrary
    from flight.node_status import NodeStatus
    from flight.telemetry.channel_values import ChannelValues
    from flight.telemetry.dictionary import Command
    from flight.telemetry.event_log import EventLog

STEPS_PER_CYCLE = 16
"""Of one sequence; what is due beyond that is done in the next cycle."""
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Counted:
    """A step that is counted and not done yet."""

    run: SequenceRun
    step: Step
    mark: int
    until_ns: int


class Sequencer:
    """The component that has the steps done.

    Args:
        execute: `Dispatcher.execute`.
        finish: tells the operator that a command which was STARTED has ended.
    """

    name = "sequencer"

    def __init__(  # noqa: PLR0913  the composition root names every part
        self,
        *,
        deck: SequenceDeck,
        library: SequenceLibrary,
        store: Durability,
        execute: Callable[[Command, int, Mode, Source], HandlerResult],
        finish: Callable[[int, int, CommandReason], None],
        status: Latest[NodeStatus],
        channels: ChannelValues,
        events: EventLog,
    ) -> None:
        self._deck = deck
        self._library = library
        self._store = store
        self._counted: dict[str, _Counted] = {}
        self._execute = execute
        self._finish = finish
        self._status = status
        self._values = channels.values
        self._events = events
        names = (
            *("running", "held", "started_total", "completed_total", "aborted_total"),
            *("steps_total", "skipped_total", "doubtful_total", "on_board", "on_board_bytes"),
        )
        self._index = tuple(channels.counter(f"sequence.{name}") for name in names)
        self._told: tuple[int, ...] = ()

    def start_response(self, name: str, now_ns: int) -> bool:
        """Starts a sequence for the fault table; True when it is under way, also from before."""
        if name in self._deck.runs:
            return True
        stored = self._library.get(name)
        if stored is None:
            return False
        reason = self._deck.start(stored, Source.RESPONSE, NO_TICKET, now_ns)
        return reason is CommandReason.NONE

    def settle(self, now_ns: int) -> None:
        """The store has got further: goes on where a step waited for its count to be durable."""
        if self._counted:
            self._run_all(now_ns)

    def _do_counted(self, mode: Mode, now_ns: int) -> None:
        store = self._store
        for name, counted in tuple(self._counted.items()):
            durable = counted.mark <= store.durable_mark
            if not durable and not store.closed and now_ns < counted.until_ns:
                continue
            del self._counted[name]
            run = counted.run
            if self._deck.runs.get(name) is not run:
                continue  # ended meanwhile
            if not durable and run.source is Source.SEQUENCE:
                self._deck.abort(name, CommandReason.NOT_DURABLE, now_ns)
            else:
                self._do(run, counted.step, mode, now_ns)

    def step(self, now_ns: int) -> None:
        """One cycle."""
        self._run_all(now_ns)
        self._deck.tend(now_ns)
        for end in self._deck.take_ends():
            self._finish(end.ticket, now_ns, end.reason)
        self._publish()

    def _run_all(self, now_ns: int) -> None:
        status = self._status.get()
        mode = Mode.BOOT if status is None else status.mode
        utc_ns = None
        if status is not None and not isnan(status.utc_s):
            utc_ns = round(status.utc_s * _NS_PER_S) + now_ns - status.now_ns
        # In BOOT nothing is judged yet: what ran before the reset waits for the mode to be known.
        if mode is not Mode.BOOT:
            self._do_counted(mode, now_ns)
            for run in tuple(self._deck.runs.values()):
                self._run(run, mode, utc_ns, now_ns)

    def _run(self, run: SequenceRun, mode: Mode, utc_ns: int | None, now_ns: int) -> None:
        name = run.sequence.name
        if mode not in run.sequence.modes:
            self._deck.abort(name, CommandReason.WRONG_MODE, now_ns)
        for _ in range(STEPS_PER_CYCLE):
            # An earlier step, of this sequence or another, may have ended this run.
            if self._deck.runs.get(name) is not run or name in self._counted:
                return
            due = run.due(now_ns, utc_ns)
            if due is Due.OVER:
                self._deck.complete(run, now_ns)
            elif due is Due.SKIP:
                self._skip(run, now_ns)
            elif due is Due.RUN:
                self._count(run, mode, now_ns)
            else:
                return

    def _skip(self, run: SequenceRun, now_ns: int) -> None:
        run.advance(now_ns, skipped=True)
        self._deck.skipped += 1
        self._deck.dirty = True
        why = f"skipped: its instant passed more than {run.sequence.late_s} s ago"
        self._events.emit(
            "SEQUENCE_STEP_MISSED", now_ns, name=run.sequence.name, step=run.index, reason=why
        )

    def _count(self, run: SequenceRun, mode: Mode, now_ns: int) -> None:
        """The next step is counted; it is done once that is durable, here and now if it is."""
        step, name = run.step, run.sequence.name
        assert step is not None
        run.advance(now_ns)
        if not self._deck.save(now_ns) and run.source is Source.SEQUENCE:
            self._deck.abort(name, CommandReason.NOT_DURABLE, now_ns)
            return
        self._counted[name] = _Counted(run, step, self._store.mark, now_ns + LIMIT_NS)
        self._do_counted(mode, now_ns)

    def _do(self, run: SequenceRun, step: Step, mode: Mode, now_ns: int) -> None:
        deck, name = self._deck, run.sequence.name
        result = self._execute(step.command, now_ns, mode, run.source)
        failed = result.verdict is HandlerVerdict.FAILED
        self._tell(run, step, result, now_ns)
        if failed:
            deck.end_step(run, result.reason)
            deck.abort(name, result.reason, now_ns)
            return
        run.done()
        deck.steps_done += 1
        deck.dirty = True
        deck.end_step(run, CommandReason.NONE)

    def _tell(self, run: SequenceRun, step: Step, result: HandlerResult, now_ns: int) -> None:
        outcome = result.verdict.name.lower()
        if result.verdict is HandlerVerdict.FAILED:
            outcome += f": {result.reason.name.lower()}"
        self._events.emit(
            "SEQUENCE_STEP",
            now_ns,
            name=run.sequence.name,
            step=run.index,
            command=COMMAND_BY_TYPE[type(step.command)].name,
            outcome=outcome,
        )

    def _publish(self) -> None:
        deck, library = self._deck, self._library
        row = (
            len(deck.runs),
            sum(run.held for run in deck.runs.values()),
            deck.started,
            deck.completed,
            deck.aborted,
            deck.steps_done,
            deck.skipped,
            deck.doubtful,
            len(library.names()),
            library.uploaded_bytes,
        )
        if row != self._told:
            self._told = row
            for index, value in zip(self._index, row, strict=True):
                self._values[index] = value
