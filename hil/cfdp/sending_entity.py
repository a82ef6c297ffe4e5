"""The sender of files: transactions in order, a few at a time, each booked before it is told of.

Pure of time; what it must not forget goes through the book, what it sends comes through the reader.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

import msgspec

from flight.wire.errors import WireError
from hil.cfdp.pdu_codec import PduWriter, read_pdu
from hil.cfdp.pdu_values import Finished, TransactionStatus
from hil.cfdp.send_transaction import OVER, Said, SendTransaction, Step
from hil.cfdp.sender_values import OutgoingFile, Told

if TYPE_CHECKING:
    from hil.cfdp.pdu_values import Heard
    from hil.cfdp.send_transaction import Piece
    from hil.cfdp.sender_values import Book, FileReader, SenderConfig


class _Open(msgspec.Struct):
    file: OutgoingFile
    checksum: int
    transaction: SendTransaction
    told: Step


class SendingEntity:
    """Sends offered files to one receiver, until it has them.

    Args:
        begun: transactions of an earlier process that did not end, by sequence number.
    """

    def __init__(
        self, config: SenderConfig, reader: FileReader, book: Book, begun: dict[int, OutgoingFile]
    ) -> None:
        self._config = config
        self._reader = reader
        self._book = book
        self._writer = PduWriter(config.entities)
        self._waiting: deque[OutgoingFile] = deque()
        self._again: deque[tuple[int, OutgoingFile]] = deque()
        self._attempts: Counter[int] = Counter()
        self._begun = deque(begun.items())
        self._open: dict[int, _Open] = {}
        self._acks: deque[bytes] = deque()
        self._told: list[Told] = []
        self.counts: Counter[str] = Counter()

    @property
    def unfinished(self) -> int:
        """Files offered and neither delivered nor left alone, and words not yet sent about any."""
        under_way = len(self._open) + len(self._begun) + len(self._acks)
        return len(self._waiting) + len(self._again) + under_way

    def offer(self, file: OutgoingFile) -> None:
        """Takes a file on."""
        self._waiting.append(file)

    def take_told(self) -> list[Told]:
        """What happened since the last call."""
        told, self._told = self._told, []
        return told

    def hear(self, pdu: bytes, now_ns: int) -> None:
        """Octets from the far end; counted where they are no PDU for this entity."""
        try:
            heard = read_pdu(pdu)
        except WireError as error:
            self.counts[f"pdus_{error.reason.value}"] += 1
            return
        ours = self._config.entities
        if (heard.source, heard.destination) != (ours.source, ours.destination) or not (
            self._book.was_begun(heard.sequence)
        ):
            self.counts["pdus_foreign"] += 1
            return
        self.counts["pdus_heard"] += 1
        self._hear(heard, now_ns)

    def next_pdu(self, now_ns: int) -> bytes | None:
        """The next PDU to send now, or None."""
        if self._acks:
            return self._acks.popleft()
        self._open_more(now_ns)
        for sequence, item in list(self._open.items()):
            said = item.transaction.next_said(now_ns)
            self._look_at(sequence, item, now_ns)
            pdu = None if said is None else self._written(sequence, item, said, now_ns)
            if pdu is not None:
                self.counts["pdus_sent"] += 1
                return pdu
        return None

    def _hear(self, heard: Heard, now_ns: int) -> None:
        item = self._open.get(heard.sequence)
        if item is not None:
            item.transaction.hear(heard.reply, now_ns)
            self._look_at(heard.sequence, item, now_ns)
        if isinstance(heard.reply, Finished):
            # Booked before: the receiver may forget the transaction as soon as it reads this.
            ended = heard.sequence not in self._open
            status = TransactionStatus.TERMINATED if ended else TransactionStatus.ACTIVE
            condition = heard.reply.condition
            size = 0 if item is None else item.file.size
            if len(self._acks) < self._config.open_max:
                ack = self._writer.ack_of_finished(heard.sequence, condition, status, size)
                self._acks.append(ack)

    def _open_more(self, now_ns: int) -> None:
        while self._again and self._again[0][0] <= now_ns:
            self._waiting.append(self._again.popleft()[1])
        while self._begun and len(self._open) < self._config.open_max:
            sequence, file = self._begun.popleft()
            self._resume(sequence, file, now_ns)
        sending = any(item.transaction.step is Step.SENDING for item in self._open.values())
        while self._waiting and not sending and len(self._open) < self._config.open_max:
            sending = self._begin(self._waiting.popleft())

    def _begin(self, file: OutgoingFile) -> bool:
        checksum = self._checksum(file)
        if checksum is None:
            return False
        sequence = self._book.begin(file)
        self.counts["transactions_begun"] += 1
        self._enter(sequence, file, checksum, resumed=False)
        return True

    def _resume(self, sequence: int, file: OutgoingFile, now_ns: int) -> None:
        """The receiver is asked what it lacks; or told that there is no such file any more."""
        checksum = self._checksum(file)
        self.counts["transactions_resumed"] += 1
        self._told.append(Told("resumed", file, sequence))
        transaction = self._enter(sequence, file, checksum or 0, resumed=True)
        if checksum is None:
            transaction.withdraw(now_ns)

    def _enter(
        self, sequence: int, file: OutgoingFile, checksum: int, *, resumed: bool
    ) -> SendTransaction:
        config = self._config
        transaction = SendTransaction(
            file.size, config.segment_bytes, config.patience, resumed=resumed
        )
        self._open[sequence] = _Open(file, checksum, transaction, transaction.step)
        return transaction

    def _checksum(self, file: OutgoingFile) -> int | None:
        try:
            return self._reader.checksum(file, self._config.checksum)
        except OSError as error:
            self.counts["files_unreadable"] += 1
            self._told.append(Told("unreadable", file, None, error.strerror or str(error)))
            return None

    def _written(self, sequence: int, item: _Open, said: Said | Piece, now_ns: int) -> bytes | None:
        file = item.file
        if said is Said.METADATA:
            return self._writer.metadata(sequence, file.size, self._config.checksum, file.name)
        if said is Said.EOF:
            condition = item.transaction.condition
            return self._writer.eof(sequence, file.size, item.checksum, condition)
        try:
            data = self._reader.read(file, *said)
        except OSError as error:
            self.counts["files_unreadable"] += 1
            self._told.append(Told("unreadable", file, sequence, error.strerror or str(error)))
            item.transaction.withdraw(now_ns)
            return None
        self.counts["octets_sent"] += len(data)
        return self._writer.file_data(sequence, file.size, said[0], data)

    def _look_at(self, sequence: int, item: _Open, now_ns: int) -> None:
        """Tells a step that people want to know of, and closes what is over."""
        step, came_from = item.transaction.step, item.told
        item.told = step
        if step is Step.SUSPENDED and came_from is not step:
            self.counts["suspensions"] += 1
            self._told.append(Told("suspended", item.file, sequence, "the receiver is silent"))
        elif came_from is Step.SUSPENDED and step not in OVER and came_from is not step:
            self._told.append(Told("taken up again", item.file, sequence))
        if step in OVER:
            del self._open[sequence]
            self.counts["octets_repeated"] += item.transaction.octets_repeated
            self._book.end(sequence, good=step is Step.DONE)
            self._close(sequence, item, now_ns)

    def _close(self, sequence: int, item: _Open, now_ns: int) -> None:
        file, condition = item.file, item.transaction.condition
        if item.transaction.step is Step.DONE:
            self.counts["files_delivered"] += 1
            self._attempts.pop(file.product_id, None)
            self._told.append(Told("delivered", file, sequence))
            return
        self.counts["transactions_failed"] += 1
        why = condition.name.lower().replace("_", " ")
        self._told.append(Told("failed", file, sequence, why))
        self._attempts[file.product_id] += 1
        if (
            item.transaction.withdrawn
            or self._attempts[file.product_id] >= self._config.attempts_max
        ):
            self.counts["files_left_alone"] += 1
            self._told.append(Told("left alone", file, sequence, why))
        else:
            self._again.append((now_ns + self._config.again_ns, file))
