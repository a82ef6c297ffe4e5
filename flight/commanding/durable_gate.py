"""Command flow, both ends of the dispatcher: nothing is done or said too early for the store.

Pure. The store writes beside the loop, so "asked for" is not "durable". A command waits until its
identity is durable, or a reset could have it executed twice; an answer waits until all that the
command changed is durable, or the ground would count on what a power cut takes away. Both wait in
order, a few milliseconds each. A store that has failed, or gives no answer within `LIMIT_NS`, stops
no command: a node with a dead disk must still obey its ground. Its answer says NOT_DURABLE.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from flight.base.channels import Bounded, Overflow
from flight.wire.telecommand import CommandReason, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flight.commanding.dispatcher import Dispatched
    from flight.wire.telecommand import Telecommand, Unusable

LIMIT_NS = 1_000_000_000
WAITING_MAX = 1_024
"""Commands and answers that may wait; the operator repeats what finds no place."""
ENDS_MAX = 64
"""Room for the answers of commands that end by themselves while as many as may wait do."""
MEMORY_IDS = 256


class Durability(Protocol):
    """How far the store is; see `StoreNames`."""

    mark: int
    durable_mark: int
    closed: bool


@dataclass(frozen=True, slots=True)
class _Held:
    answer: Dispatched
    mark: int
    until_ns: int


class DurableGate:
    """Commands on their way in, answers on their way out.

    Attributes:
        commands: on their way in, and until when they wait; the newest is refused.
        answers: on their way out; no command is done while `WAITING_MAX` of them wait.
        undurable: commands done, or answered, without the store's word.
    """

    def __init__(self, store: Durability) -> None:
        self._store = store
        self.commands: Bounded[tuple[Telecommand | Unusable, int]] = Bounded(
            "commands", WAITING_MAX, Overflow.REJECT_NEWEST
        )
        self.answers: Bounded[_Held] = Bounded(
            "answers", WAITING_MAX + ENDS_MAX, Overflow.REJECT_NEWEST
        )
        self._corrected: dict[int, Dispatched] = {}
        self.undurable = 0

    @property
    def dropped(self) -> int:
        """Commands, and answers, that found no place to wait."""
        return self.commands.dropped + self.answers.dropped

    def admit(self, telecommand: Telecommand | Unusable, now_ns: int) -> None:
        """One more command."""
        self.commands.offer((telecommand, now_ns + LIMIT_NS))

    def next(
        self, now_ns: int, ready: Callable[[Telecommand | Unusable], bool]
    ) -> Telecommand | Unusable | None:
        """The next command that may be done now; `ready` says whether its identity is durable."""
        first = self.commands.peek()
        if first is None or len(self.answers) >= WAITING_MAX:
            return None
        telecommand, until_ns = first
        if not ready(telecommand):
            if now_ns < until_ns and not self._store.closed:
                return None
            self.undurable += 1
        self.commands.take()
        return telecommand

    def hold(self, answer: Dispatched, since_mark: int, now_ns: int) -> None:
        """Takes an answer; it waits when anything was asked of the store since that mark."""
        command_id = answer.reports[-1].command_id
        if answer.repeated:
            if any(each.answer.reports[-1].command_id == command_id for each in self.answers):
                return  # it is about to be said for the first time
            answer = self._corrected.get(command_id, answer)
        mark = self._store.mark if self._store.mark != since_mark else 0
        self.answers.offer(_Held(answer, mark, now_ns + LIMIT_NS))

    def release(self, now_ns: int) -> Iterator[Dispatched]:
        """Answers that may be given now, in order."""
        while (held := self.answers.peek()) is not None:
            durable = held.mark <= self._store.durable_mark
            if not durable and now_ns < held.until_ns and not self._store.closed:
                return
            self.answers.take()
            yield held.answer if durable else self._without_durability(held.answer)

    def _without_durability(self, answer: Dispatched) -> Dispatched:
        self.undurable += 1
        *before, last = answer.reports
        if last.stage is not Stage.COMPLETED:
            return answer
        failed = replace(last, stage=Stage.FAILED, reason=CommandReason.NOT_DURABLE)
        self._corrected[last.command_id] = replace(answer, reports=(failed,), repeated=True)
        if len(self._corrected) > MEMORY_IDS:
            del self._corrected[next(iter(self._corrected))]
        return replace(answer, reports=(*before, failed))
