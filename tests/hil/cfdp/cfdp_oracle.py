"""The far end: receivers of cfdp-py, one a transaction, in virtual time; and the way between.

Of cfdp-py 0.7.0 and spacepackets 0.32.0 three things are put right here: every receiver has its own
list of lost segments, not one for all; the condition of an EOF is read from its own four bits; an
EOF of a transaction that is over is acknowledged, as the library leaves to its user.
"""

import contextlib
import random
from pathlib import Path

from cfdppy.defs import CfdpState
from cfdppy.exceptions import PduIgnoredForDest
from cfdppy.handler import dest
from cfdppy.handler.dest import DestHandler, LostSegmentTracker, acknowledge_inactive_eof_pdu
from cfdppy.mib import (
    CheckTimerProvider,
    DefaultFaultHandlerBase,
    IndicationConfig,
    LocalEntityConfig,
    RemoteEntityConfig,
    RemoteEntityConfigTable,
)
from cfdppy.restricted_filestore import RestrictedFilestore
from cfdppy.user import CfdpUserBase
from spacepackets import countdown
from spacepackets.cfdp import ChecksumType, ConditionCode, TransmissionMode
from spacepackets.cfdp.pdu import EofPdu, PduFactory
from spacepackets.cfdp.pdu.ack import TransactionStatus
from spacepackets.util import UnsignedByteField

SENDER, GROUND = 2, 1


class Clock:
    """Virtual time of both ends; the library reads its own clock, so that is put in its place."""

    def __init__(self, monkeypatch):
        self.now_ns = 1_000_000_000
        monkeypatch.setattr(countdown, "time_ms", lambda: self.now_ns // 1_000_000)
        monkeypatch.setattr(dest, "_AckedModeParams", OwnLostSegments)


class OwnLostSegments(dest._AckedModeParams):
    def __init__(self):
        super().__init__(lost_seg_tracker=LostSegmentTracker())


class Faults(DefaultFaultHandlerBase):
    def __init__(self):
        super().__init__()
        self.seen = []

    def _note(self, _transaction, condition, _progress):
        self.seen.append(condition)

    notice_of_suspension_cb = notice_of_cancellation_cb = abandoned_cb = ignore_cb = _note


class User(CfdpUserBase):
    def __init__(self, folder):
        super().__init__(RestrictedFilestore(folder))
        self.finished = []
        self.names = []

    def transaction_finished_indication(self, params):
        self.finished.append(params.finished_params)

    def metadata_recv_indication(self, params):
        self.names.append((params.source_file_name, params.dest_file_name))

    def transaction_indication(self, params): ...
    def eof_sent_indication(self, transaction_id): ...
    def file_segment_recv_indication(self, params): ...
    def report_indication(self, transaction_id, status_report): ...
    def suspended_indication(self, transaction_id, cond_code): ...
    def resumed_indication(self, transaction_id, progress): ...
    def fault_indication(self, transaction_id, cond_code, progress): ...
    def abandoned_indication(self, transaction_id, cond_code, progress): ...
    def eof_recv_indication(self, transaction_id): ...


class NoCheckTimer(CheckTimerProvider):
    def provide_check_timer(self, local_entity_id, remote_entity_id, entity_type):
        raise AssertionError("of class 1 alone")


class GroundSystem:
    """Keeps files by CFDP, as cfdp-py does it; what it says comes from `say`."""

    def __init__(self, folder, *, immediate_nak=True):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.user, self.faults = User(self.folder), Faults()
        self._local = LocalEntityConfig(
            UnsignedByteField(GROUND, 2), IndicationConfig(), self.faults
        )
        self._remote = RemoteEntityConfig(
            UnsignedByteField(SENDER, 2), None, 1_400, False, False,
            TransmissionMode.ACKNOWLEDGED, ChecksumType.MODULAR,
            positive_ack_timer_interval_seconds=5.0, positive_ack_timer_expiration_limit=100,
            immediate_nak_mode=immediate_nak, nak_timer_interval_seconds=5.0,
            nak_timer_expiration_limit=100,
        )  # fmt: skip
        self._handlers, self._over = {}, set()
        self._out = []
        self.file_octets = 0

    def hear(self, octets):
        pdu = PduFactory.from_raw(octets)
        assert pdu is not None, octets.hex()
        number = pdu.transaction_seq_num.value
        if isinstance(pdu, EofPdu):
            pdu.condition_code = ConditionCode(pdu.condition_code >> 4)
        if number in self._over:
            if isinstance(pdu, EofPdu):
                ack = acknowledge_inactive_eof_pdu(pdu, TransactionStatus.TERMINATED)
                self._out.append(bytes(ack.pack()))
            return
        if number not in self._handlers:
            table = RemoteEntityConfigTable([self._remote])
            self._handlers[number] = DestHandler(self._local, self.user, table, NoCheckTimer())
        if hasattr(pdu, "file_data"):
            self.file_octets += len(pdu.file_data)
        with contextlib.suppress(PduIgnoredForDest):
            self._handlers[number].state_machine(pdu)
        self._drain(number)

    def say(self):
        for number, handler in list(self._handlers.items()):
            handler.state_machine()
            self._drain(number)
        out, self._out = self._out, []
        return out

    def restart(self):
        """Forgets every transaction; files stay."""
        self._handlers, self._over = {}, set()

    def has(self, name):
        return (self.folder / name).read_bytes()

    def _drain(self, number):
        handler = self._handlers[number]
        while (holder := handler.get_next_packet()) is not None:
            self._out.append(bytes(holder.pdu.pack()))
        if handler.state is CfdpState.IDLE:
            del self._handlers[number]
            self._over.add(number)


class Way:
    """A way that loses, doubles and reorders, from a seed; each with the given chance."""

    def __init__(self, seed, *, lost=0.0, doubled=0.0, late=0.0):
        self._luck = random.Random(seed)
        self._lost, self._doubled, self._late = lost, doubled, late
        self._held = []

    def carry(self, pdus):
        out = []
        for pdu in pdus:
            draw = self._luck.random()
            if draw < self._lost:
                continue
            copies = 2 if self._luck.random() < self._doubled else 1
            for _ in range(copies):
                (self._held if self._luck.random() < self._late else out).append(pdu)
        if self._held and self._luck.random() < 0.5:
            at = self._luck.randrange(len(self._held))
            out.insert(self._luck.randrange(len(out) + 1), self._held.pop(at))
        return out
