"""One file under way: the procedure of a class 2 sender (CCSDS 727.0-B-5, 4.6 and 4.7).

Pure. What leads where is the table below, in the standard's words where it has any. A receiver that
is silent is not given up: the transaction is suspended, and resumed by metadata and EOF alone, upon
which the receiver says what it lacks. Nothing is sent again that it did not ask for.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from flight.wire.ranges import RangeSet
from hil.cfdp.pdu_values import AckOfEof, Condition, Finished, Nak

if TYPE_CHECKING:
    from hil.cfdp.pdu_values import Reply

_S = 1_000_000_000


class Step(Enum):
    """Where a transaction stands."""

    SENDING = "sending"
    ASKING = "asking"
    """The EOF was sent and is not acknowledged."""
    SERVING = "serving"
    """The EOF is acknowledged: the receiver asks for what it lacks, or finishes."""
    SUSPENDED = "suspended"
    WITHDRAWING = "withdrawing"
    """Taken back by an EOF that says why; not acknowledged yet."""
    DONE = "done"
    FAILED = "failed"


class Event(Enum):
    """What happens to a transaction."""

    ALL_SENT = "all sent"
    EOF_ACKNOWLEDGED = "EOF acknowledged"
    HEARD = "receiver heard"
    SILENT = "receiver silent"
    RETRY = "time to try again"
    FILE_LOST = "file lost"
    GOOD_END = "finished"
    BAD_END = "finished with an error"


LEADS_TO = {
    (Step.SENDING, Event.ALL_SENT): Step.ASKING,
    (Step.ASKING, Event.EOF_ACKNOWLEDGED): Step.SERVING,
    (Step.ASKING, Event.SILENT): Step.SUSPENDED,
    (Step.SERVING, Event.SILENT): Step.ASKING,
    (Step.SUSPENDED, Event.RETRY): Step.ASKING,
    (Step.SUSPENDED, Event.HEARD): Step.ASKING,
    (Step.SUSPENDED, Event.EOF_ACKNOWLEDGED): Step.SERVING,
    (Step.WITHDRAWING, Event.EOF_ACKNOWLEDGED): Step.FAILED,
    (Step.WITHDRAWING, Event.SILENT): Step.FAILED,
    (Step.WITHDRAWING, Event.GOOD_END): Step.FAILED,
    (Step.WITHDRAWING, Event.BAD_END): Step.FAILED,
}
"""What is not in the table changes nothing."""
for _step in (Step.SENDING, Step.ASKING, Step.SERVING, Step.SUSPENDED):
    LEADS_TO[_step, Event.FILE_LOST] = Step.WITHDRAWING
    LEADS_TO[_step, Event.GOOD_END] = Step.DONE
    LEADS_TO[_step, Event.BAD_END] = Step.FAILED
OVER = frozenset({Step.DONE, Step.FAILED})


class Patience(msgspec.Struct, frozen=True):
    """Timers of a sender.

    Attributes:
        ack_ns: until an EOF that is not acknowledged is sent again.
        ack_limit: how many EOFs are sent until the receiver counts as silent.
        quiet_ns: until a receiver that acknowledged and then says nothing is asked again; longer
            than its own timers of NAK and Finished (Yamcs: 5 s and 10 s).
        retry_first_ns, retry_max_ns: of a suspended transaction, doubled each time.
    """

    ack_ns: int = 3 * _S
    ack_limit: int = 4
    quiet_ns: int = 30 * _S
    retry_first_ns: int = 10 * _S
    retry_max_ns: int = 600 * _S


class Said(Enum):
    """A PDU without octets of the file."""

    METADATA = "metadata"
    EOF = "EOF"


Piece = tuple[int, int]
"""Octets [start, end) of the file."""


class SendTransaction:
    """One file to one receiver.

    Args:
        size: of the file, octets.
        segment_bytes: of a file data PDU; pieces are cut at its multiples, also when repeated.
        resumed: an earlier process began it; how much the receiver has is not known.
    """

    def __init__(
        self, size: int, segment_bytes: int, patience: Patience, *, resumed: bool = False
    ) -> None:
        self._size = size
        self._segment_bytes = segment_bytes
        self._patience = patience
        self._missing = RangeSet()
        self._sent = size if resumed else 0
        self._say_metadata, self._say_eof = True, resumed
        self._asked = 0
        self._timer_ns: int | None = None
        self._retry_ns = patience.retry_first_ns
        self.step = Step.ASKING if resumed else Step.SENDING
        self.condition = Condition.NO_ERROR
        self.octets_repeated = 0
        self.withdrawn = False

    def next_said(self, now_ns: int) -> Said | Piece | None:
        """What to send now, or None; to be asked until it is None."""
        self._look_at_timer(now_ns)
        if self.step in OVER or self.step is Step.SUSPENDED:
            return None
        if self._say_metadata:
            self._say_metadata = False
            return Said.METADATA
        if self._missing.size:
            return self._repeated(now_ns)
        if self.step is Step.SENDING:
            if self._sent < self._size:
                start, self._sent = self._sent, self._cut(self._sent, self._size)
                return start, self._sent
            self._happens(Event.ALL_SENT, now_ns)
        if self._say_eof:
            self._say_eof = False
            self._asked += 1
            self._timer_ns = now_ns + self._patience.ack_ns
            return Said.EOF
        return None

    def hear(self, reply: Reply, now_ns: int) -> None:
        """A PDU of the receiver about this transaction."""
        if self.step in OVER:
            return
        self._asked, self._retry_ns = 0, self._patience.retry_first_ns
        if isinstance(reply, Finished):
            if not reply.good and not self.withdrawn:
                self.condition = _known(reply.condition)
            self._happens(Event.GOOD_END if reply.good else Event.BAD_END, now_ns)
        elif isinstance(reply, AckOfEof):
            if reply.condition == self.condition:
                self._take_ack(reply, now_ns)
        else:
            if isinstance(reply, Nak) and self.step is not Step.WITHDRAWING:
                self._note_missing(reply)
            self._happens(Event.HEARD, now_ns)
        if self.step is Step.SERVING:
            self._timer_ns = now_ns + self._patience.quiet_ns

    def withdraw(self, now_ns: int) -> None:
        """The file cannot be read any more: tell the receiver."""
        self._happens(Event.FILE_LOST, now_ns)

    def _take_ack(self, reply: AckOfEof, now_ns: int) -> None:
        """A receiver that is through with it, its last word lost on the way, will say no more."""
        if reply.active or self.withdrawn:
            self._happens(Event.EOF_ACKNOWLEDGED, now_ns)
        else:
            self.condition = Condition.INACTIVITY_DETECTED
            self._happens(Event.BAD_END, now_ns)

    def _note_missing(self, nak: Nak) -> None:
        for start, end in nak.spans:
            if end == 0:
                self._say_metadata = True
            else:  # what was not sent yet comes by itself
                self._missing.add(start, min(end, self._sent))

    def _repeated(self, now_ns: int) -> Piece:
        start, end = self._missing.first()
        piece = start, self._cut(start, end)
        self._missing.remove(*piece)
        self.octets_repeated += piece[1] - piece[0]
        if self._timer_ns is not None:  # the receiver cannot answer faster than it is served
            self._timer_ns = max(self._timer_ns, now_ns + self._patience.ack_ns)
        return piece

    def _cut(self, start: int, end: int) -> int:
        return min(end, start - start % self._segment_bytes + self._segment_bytes)

    def _look_at_timer(self, now_ns: int) -> None:
        if self._timer_ns is None or now_ns < self._timer_ns:
            return
        self._timer_ns = None
        if self.step is Step.SUSPENDED:
            self._happens(Event.RETRY, now_ns)
        elif self.step is Step.SERVING or self._asked >= self._patience.ack_limit:
            self._happens(Event.SILENT, now_ns)
        else:
            self._say_eof = True

    def _happens(self, event: Event, now_ns: int) -> None:
        to = LEADS_TO.get((self.step, event))
        if to is None:
            return
        came_from, self.step, self._timer_ns = self.step, to, None
        if to is Step.ASKING:
            self._say_eof, self._asked = True, 0
            self._say_metadata = self._say_metadata or came_from is not Step.SENDING
        elif to is Step.SUSPENDED:
            self._missing = RangeSet()  # the receiver says it again, if it still knows
            self._timer_ns = now_ns + self._retry_ns
            self._retry_ns = min(2 * self._retry_ns, self._patience.retry_max_ns)
        elif to is Step.WITHDRAWING:
            self.condition, self.withdrawn = Condition.FILESTORE_REJECTION, True
            self._missing, self._say_metadata = RangeSet(), False
            self._say_eof, self._asked = True, 0


def _known(condition: int) -> Condition:
    """A code that the standard reserves fails a transfer as well."""
    try:
        return Condition(condition)
    except ValueError:
        return Condition.CANCEL_REQUEST_RECEIVED
