"""Sequences by command: started, held, stepped, aborted, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.commanding.dispatcher import (
    COMPLETED,
    NO_LIMIT_NS,
    Binding,
    HandlerResult,
    HandlerVerdict,
    LongBinding,
    Source,
    failed,
)
from flight.telemetry.command_table import (
    SequenceAbort,
    SequenceDelete,
    SequenceHold,
    SequenceResume,
    SequenceStart,
    SequenceStep,
)
from flight.wire.telecommand import CommandReason

if TYPE_CHECKING:
    from typing import Any

    from flight.commanding.sequence_deck import SequenceDeck
    from flight.commanding.sequence_library import SequenceLibrary

_UNDER_WAY = HandlerResult(HandlerVerdict.STARTED, limit_ns=NO_LIMIT_NS)


class SequenceHandlers:
    """The rows of the opcode table that deal with sequences."""

    def __init__(self, deck: SequenceDeck, library: SequenceLibrary) -> None:
        self._deck = deck
        self._library = library

    def bindings(self) -> list[Binding[Any] | LongBinding[Any]]:
        """Every command about sequences with its handler."""
        return [
            LongBinding(SequenceStart, self._start),
            LongBinding(SequenceStep, self._step),
            Binding(SequenceAbort, self._abort),
            Binding(SequenceHold, self._hold),
            Binding(SequenceResume, self._resume),
            Binding(SequenceDelete, self._delete),
        ]

    def _start(self, command: SequenceStart, now_ns: int, ticket: int) -> HandlerResult:
        stored = self._library.get(command.name)
        if stored is None:
            return failed(CommandReason.NOT_FOUND)
        reason = self._deck.start(stored, Source.SEQUENCE, ticket, now_ns)
        return _UNDER_WAY if reason is CommandReason.NONE else failed(reason)

    def _step(self, command: SequenceStep, _now_ns: int, ticket: int) -> HandlerResult:
        reason = self._deck.ask_step(command.name, ticket)
        return _UNDER_WAY if reason is CommandReason.NONE else failed(reason)

    def _abort(self, command: SequenceAbort, now_ns: int) -> HandlerResult:
        return _answer(self._deck.abort(command.name, CommandReason.ABORTED, now_ns))

    def _hold(self, command: SequenceHold, now_ns: int) -> HandlerResult:
        return _answer(self._deck.hold(command.name, now_ns))

    def _resume(self, command: SequenceResume, now_ns: int) -> HandlerResult:
        return _answer(self._deck.resume(command.name, now_ns))

    def _delete(self, command: SequenceDelete, _now_ns: int) -> HandlerResult:
        return _answer(self._library.delete(command.name).value)


def _answer(reason: CommandReason) -> HandlerResult:
    return COMPLETED if reason is CommandReason.NONE else failed(reason)
