"""Dispatch, ack: each telecommand to its one handler, at most once, with a word on every step.

Pure. Order of judgement, first refusal wins:

    1  identity seen before        -> the last report about it again; nothing is executed
    2  identity too old to know    -> REJECTED STALE
    3  content unusable            -> REJECTED UNKNOWN_COMMAND or OUT_OF_RANGE
    4  mode guard of the dictionary-> REJECTED WRONG_MODE
    5  too many under way          -> REJECTED BUSY
    6  dangerous, not armed        -> its identity is spent, COMPLETED ARMED; nothing is executed
    7  otherwise                   -> ACCEPTED, then what the handler says

A refusal (2 to 5) changes nothing but the counters, so the same telecommand may be sent again when
the cause is gone. From 6 on its identity is durable *before* anything happens: a reset in the
middle of a command leads to STALE and a look at telemetry, never to a second execution.

A step of a sequence or of a response goes through `execute`: the same range check, mode guard and
handler, and no identity, for whoever keeps the sequence sees to it that no step is done twice. A
dangerous step needs no arming: nothing but a sequence that was loaded, validated with this step
marked as confirmed, and activated (or that is shipped with the software) ever comes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flight.commanding.arming import Arming
from flight.telemetry.dictionary import COMMAND_BY_TYPE, Command
from flight.wire.replay_window import Freshness, ReplayWindow
from flight.wire.telecommand import (
    CommandReason,
    Stage,
    Telecommand,
    Unusable,
    VerificationReport,
    is_in_range,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flight.commanding.authentication import CommandLedger
    from flight.telemetry.dictionary import CommandDef, Mode

RUNNING_MAX = 16
RUNNING_LIMIT_NS = 600_000_000_000
"""A started command that nobody ends within this long has failed, and frees its place."""
NO_LIMIT_NS = 1 << 62
"""For what its room is sure to end, and bounds itself: a sequence may wait for days."""
MEMORY_IDS = 256
NO_TICKET = 0
"""Of a step: nobody waits for its end."""

C = TypeVar("C")


class HandlerVerdict(Enum):
    """What a handler has to say; its value is the stage of the report that follows."""

    COMPLETED = Stage.COMPLETED
    STARTED = Stage.STARTED
    """It goes on; the room in charge calls `Dispatcher.finish` later."""
    FAILED = Stage.FAILED


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """A handler's answer; a reason belongs to FAILED."""

    verdict: HandlerVerdict
    reason: CommandReason = CommandReason.NONE
    limit_ns: int = RUNNING_LIMIT_NS


COMPLETED = HandlerResult(HandlerVerdict.COMPLETED)
STARTED = HandlerResult(HandlerVerdict.STARTED)


def failed(reason: CommandReason) -> HandlerResult:
    """A handler's refusal, with its reason."""
    return HandlerResult(HandlerVerdict.FAILED, reason)


class Source(Enum):
    """Who gives a command without an identity."""

    SEQUENCE = "sequence"
    RESPONSE = "response"
    """A sequence that the fault table started."""


@dataclass(frozen=True, slots=True)
class Binding(Generic[C]):
    """One row of the opcode table: a command type and the function that handles it.

    The handler gets the command and `now_ns`; it acts through a channel, not on shared objects.
    """

    command_type: type[C]
    handler: Callable[[C, int], HandlerResult]


@dataclass(frozen=True, slots=True)
class LongBinding(Generic[C]):
    """A row for a command that may go on after its handler has returned.

    The handler gets a ticket as well; when it answers STARTED, its room ends the command with
    `Dispatcher.finish(ticket)`, or does nothing more when the ticket is NO_TICKET.
    """

    command_type: type[C]
    handler: Callable[[C, int, int], HandlerResult]


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What to tell the operator, in order.

    Attributes:
        name: the command's name; "" when it could not be read.
        reports: at least one.
        repeated: only said again to a retransmission; nothing new has happened.
    """

    name: str
    reports: tuple[VerificationReport, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class _UnderWay:
    name: str
    until_ns: int


class Dispatcher:
    """The opcode table and the memory of what was executed.

    Args:
        bindings: exactly one for each command of `definitions`.
        ledger: shared with the authenticator.
        executed: identities executed, with durable storage so that at-most-once survives resets.
        definitions: the dictionary's commands.
        arming: shared with whoever takes an arming back.

    Raises:
        ValueError: a command without a handler, or with two.
    """

    def __init__(
        self,
        bindings: Sequence[Binding[Any] | LongBinding[Any]],
        ledger: CommandLedger,
        executed: ReplayWindow | None = None,
        definitions: Mapping[type, CommandDef] = COMMAND_BY_TYPE,
        arming: Arming | None = None,
    ) -> None:
        self._handlers = {binding.command_type: binding for binding in bindings}
        if len(self._handlers) != len(bindings) or self._handlers.keys() != definitions.keys():
            raise ValueError("each command of the dictionary needs exactly one handler")
        self._definitions = definitions
        self._ledger = ledger
        self._executed = ReplayWindow(MEMORY_IDS) if executed is None else executed
        self._last: dict[int, Dispatched] = {}
        self._running: dict[int, _UnderWay] = {}
        self.arming = Arming() if arming is None else arming
        self.steps = dict.fromkeys(product(Source, HandlerVerdict), 0)
        """Commands done for sequences and responses, by who asked and what came of it."""
        self.handler_errors = 0
        self.last_error = ""
        """What the last broken handler said; for the event, never for the wire."""

    @property
    def running(self) -> int:
        """Commands that were started and have not ended."""
        return len(self._running)

    def ready(self, incoming: Telecommand | Unusable, mode: Mode) -> bool:
        """Whether `dispatch` would find an identity that is durable, or needs none; else asks."""
        known = incoming.command_id in self._last
        if known or self._refusal(incoming, mode) is not CommandReason.NONE:
            return True
        return self._executed.announce(incoming.command_id)

    def dispatch(self, incoming: Telecommand | Unusable, now_ns: int, mode: Mode) -> Dispatched:
        """Judges one telecommand and, if nothing speaks against it, has it done."""
        command_id = incoming.command_id
        if command_id in self._last:
            self._ledger.rejected += 1
            self._ledger.duplicates += 1
            return self._last[command_id]
        reason = self._refusal(incoming, mode)
        if reason is not CommandReason.NONE or isinstance(incoming, Unusable):
            self._ledger.reject(reason)
            report = VerificationReport(command_id, Stage.REJECTED, reason)
            return Dispatched(self._name(incoming), (report,))
        definition = self._definitions[type(incoming.command)]
        self._executed.accept(command_id)
        self._ledger.accepted += 1
        if definition.dangerous and not self.arming.take(incoming.command, now_ns):
            self.arming.arm(incoming.command, definition.name, now_ns)
            return self._ended(incoming, definition, Stage.COMPLETED, CommandReason.ARMED)
        result = self._handle(incoming.command, now_ns, command_id)
        if result.verdict is HandlerVerdict.STARTED:
            self._running[command_id] = _UnderWay(definition.name, now_ns + result.limit_ns)
        return self._ended(incoming, definition, result.verdict.value, result.reason)

    def execute(self, command: Command, now_ns: int, mode: Mode, source: Source) -> HandlerResult:
        """Has one step of a validated sequence done; every refusal is FAILED with its reason.

        The answer is the whole report: whoever keeps the sequence tells it, with the step.
        """
        definition = self._definitions.get(type(command))
        if definition is None:
            result = failed(CommandReason.UNKNOWN_COMMAND)
        elif not is_in_range(command):
            result = failed(CommandReason.OUT_OF_RANGE)
        elif mode not in definition.modes:
            result = failed(CommandReason.WRONG_MODE)
        else:
            result = self._handle(command, now_ns, NO_TICKET)
        self.steps[source, result.verdict] += 1
        return result

    def adopt(self, command_id: int, command_type: type) -> None:
        """Goes on with a command that was STARTED before a reset; `finish` ends it as ever."""
        name = self._definitions[command_type].name
        self._running[command_id] = _UnderWay(name, NO_LIMIT_NS)
        self._remember(name, VerificationReport(command_id, Stage.STARTED))

    def finish(
        self, command_id: int, *, reason: CommandReason = CommandReason.NONE
    ) -> Dispatched | None:
        """Ends a command that was STARTED: COMPLETED, or FAILED when there is a reason.

        None when it is not under way (any more): it was given up by `expire` before.
        """
        under_way = self._running.pop(command_id, None)
        if under_way is None:
            return None
        stage = Stage.COMPLETED if reason is CommandReason.NONE else Stage.FAILED
        report = VerificationReport(command_id, stage, reason)
        self._remember(under_way.name, report)
        return Dispatched(under_way.name, (report,))

    def expire(self, now_ns: int) -> tuple[Dispatched, ...]:
        """Gives up on commands whose room never ended them; call it about once a second."""
        if not self._running:
            return ()
        late = [i for i, under_way in self._running.items() if now_ns > under_way.until_ns]
        ended = (self.finish(command_id, reason=CommandReason.TIMED_OUT) for command_id in late)
        return tuple(dispatched for dispatched in ended if dispatched is not None)

    def _refusal(self, incoming: Telecommand | Unusable, mode: Mode) -> CommandReason:
        """Why nothing is to be done, or NONE; changes nothing."""
        if self._executed.judge(incoming.command_id) is not Freshness.NEW:
            return CommandReason.STALE
        if isinstance(incoming, Unusable):
            return incoming.reason
        if mode not in self._definitions[type(incoming.command)].modes:
            return CommandReason.WRONG_MODE
        return CommandReason.BUSY if len(self._running) >= RUNNING_MAX else CommandReason.NONE

    def _name(self, incoming: Telecommand | Unusable) -> str:
        if isinstance(incoming, Unusable):
            return ""
        return self._definitions[type(incoming.command)].name

    def _ended(
        self, telecommand: Telecommand, definition: CommandDef, stage: Stage, reason: CommandReason
    ) -> Dispatched:
        """ACCEPTED, and what came right after it."""
        accepted = VerificationReport(telecommand.command_id, Stage.ACCEPTED)
        last = VerificationReport(telecommand.command_id, stage, reason)
        self._remember(definition.name, last)
        return Dispatched(definition.name, (accepted, last))

    def _remember(self, name: str, report: VerificationReport) -> None:
        self._ledger.failed += report.stage is Stage.FAILED
        self._last.pop(report.command_id, None)
        self._last[report.command_id] = Dispatched(name, (report,), repeated=True)
        if len(self._last) > MEMORY_IDS:
            # One that is under way is asked about again and again until it ends.
            del self._last[next(i for i in self._last if i not in self._running)]

    def _handle(self, command: Command, now_ns: int, ticket: int) -> HandlerResult:
        binding = self._handlers[type(command)]
        try:
            if isinstance(binding, LongBinding):
                return binding.handler(command, now_ns, ticket)
            return binding.handler(command, now_ns)
        except Exception as error:  # noqa: BLE001 - no telecommand may bring the node down
            self.handler_errors += 1
            self.last_error = f"{type(error).__name__}: {error}"
            return failed(CommandReason.INTERNAL_ERROR)
