"""A node's end of a terminal line, in Python and without a thread, for the conformance test.

Written over the bench link's own session, not over the C client, so that a terminal is judged by
the protocol and not by its usual partner.
"""

from __future__ import annotations

import os
import select
import time
from collections import deque
from struct import unpack
from typing import TYPE_CHECKING

from hal.native_library import lib
from hal.sample import HalErrorKind
from hil.bench_link.frames import FrameReceiver, FrameSender
from hil.bench_link.layout import SCHEMA_CRC32C, MessageType, Mode, Role
from hil.bench_link.messages import (
    Credit,
    FrameChunk,
    Hello,
    Payload,
    RegRead,
    RegValues,
    RegWrite,
)
from hil.bench_link.port_serial import SerialPort
from hil.bench_link.session import Session
from hil.bench_link.session_values import Phase

if TYPE_CHECKING:
    from hil.bench_link.codec import Message

FRAME_BYTES_MAX = 65542
ANSWER_S = 5.0
RETRY_S = 0.3
FRAMES_CREDIT = 16


def _draw() -> int:
    return int.from_bytes(os.urandom(4), "little") | 1


def hello(**changes: int) -> Hello:
    """What this node says of itself."""
    own = Hello(
        abi_version=lib.HAL_ABI_VERSION,
        schema_crc32c=SCHEMA_CRC32C,
        role=Role.NODE,
        mode=Mode.FREE_RUN,
        payload_bytes_max=4096,
        frame_bytes_max=FRAME_BYTES_MAX,
        frames_credit=FRAMES_CREDIT,
        period_us=0,
        boot_count=1,
        peer_session=0,
    )
    return own._replace(**changes)


class LineNode:
    """Opened on a serial port or pseudo-terminal; everything waits in `pump`."""

    def __init__(self, path: str, baud: int = 921_600, own: Hello | None = None) -> None:
        self._port = SerialPort(path, baud)
        self._fd = self._port.open()
        self.session = Session(own or hello(), _draw, time.monotonic_ns())
        self.received: deque[bytes] = deque()
        self.credit_told: Credit | None = None
        self._sender = FrameSender()
        self._receiver = FrameReceiver(FRAME_BYTES_MAX)
        self._taken = 0
        self._peers_seen = 0
        self._answers: dict[int, RegValues] = {}
        self._id = 0

    def close(self) -> None:
        self._port.close()

    def pump(self, seconds: float, until=lambda: False) -> bool:
        """Keeps the line alive for so long, or until something is so; whether it is."""
        end = time.monotonic() + seconds
        while not until():
            now_ns = time.monotonic_ns()
            self.session.poll(now_ns)
            self._write(self.session.pull(now_ns, 1 << 16))
            left = end - time.monotonic()
            if left <= 0:
                return until()
            if select.select([self._fd], [], [], min(left, 0.02))[0]:
                octets = os.read(self._fd, 1 << 16)
                for message in self.session.receive(octets, time.monotonic_ns()):
                    self._take(message)
        return True

    def connect(self) -> None:
        assert self.pump(ANSWER_S, lambda: self.session.phase is Phase.UP), "no session"
        self._follow()

    def restart(self) -> None:
        """As a node that was switched off and on."""
        self.session.line_lost(time.monotonic_ns())
        self.connect()

    def write_raw(self, octets: bytes) -> None:
        """Octets as they are, between two messages."""
        self._write(octets)

    def read_words(self, first: int, count: int) -> list[int] | HalErrorKind:
        answer = self.ask(MessageType.REG_READ, RegRead(self.next_id(), first, count))
        assert answer.first == first
        if answer.code < 0:
            assert answer.registers == 0
            return HalErrorKind(-answer.code)
        assert answer.registers == count
        return list(unpack(f"<{count}I", answer.octets))

    def write(self, register: int, value: int) -> HalErrorKind | None:
        word = value & 0xFFFFFFFF
        answer = self.ask(MessageType.REG_WRITE, RegWrite(self.next_id(), register, 0, word))
        return HalErrorKind(-answer.code) if answer.code < 0 else None

    def submit(self, frame: bytes) -> bool:
        """False without credit."""
        if self._sender.credit <= 0:
            return False
        for chunk in self._sender.cut(frame):
            self.send(MessageType.FRAME_CHUNK, chunk)
        return True

    def submit_damaged(self, frame: bytes) -> None:
        """Leaves out the first of its chunks."""
        for chunk in self._sender.cut(frame)[1:]:
            self.send(MessageType.FRAME_CHUNK, chunk)

    def submit_lost(self, frame: bytes) -> None:
        """As if the line had swallowed it: counted as sent, and never written."""
        self.pump(0.05)
        assert self.submit(frame)
        self.session.pull(time.monotonic_ns(), 1 << 20)

    def push_beyond_credit(self, frame: bytes) -> None:
        """What a node must not do."""
        self._sender.grant(self._sender.sent + 1)
        assert self.submit(frame)

    @property
    def credit(self) -> int:
        return self._sender.credit

    def next_id(self) -> int:
        self._id += 1
        return self._id

    def send(self, kind: MessageType, value: Payload) -> None:
        assert self.session.send(kind, value)

    def ask(self, kind: MessageType, value: RegRead | RegWrite) -> RegValues:
        """Asks under one id until it is answered: the line may lose octets."""
        self._answers.pop(value.id, None)
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            self.send(kind, value)
            if self.pump(RETRY_S, lambda: value.id in self._answers):
                return self._answers.pop(value.id)
        raise AssertionError(f"no answer to {value}")

    def _write(self, octets: bytes) -> None:
        while octets:
            select.select([], [self._fd], [])
            octets = octets[os.write(self._fd, octets) :]

    def _follow(self) -> None:
        """A session that began: credit counts from 0 again."""
        peer = self.session.peer
        if self.session.counters.peers_seen == self._peers_seen or peer is None:
            return
        self._peers_seen = self.session.counters.peers_seen
        self._sender.restart(peer.frames_credit)
        self._receiver.restart()
        self._taken = 0

    def _take(self, message: Message) -> None:
        self._follow()
        value = message.value
        if isinstance(value, RegValues):
            self._answers[value.id] = value
        elif isinstance(value, Credit):
            self.credit_told = value
            self._sender.grant(value.frames_granted)
        elif isinstance(value, FrameChunk):
            frame = self._receiver.take(value)
            if frame is not None:
                self.received.append(frame)
                self._taken += 1
                self.session.send(MessageType.CREDIT, Credit(FRAMES_CREDIT + self._taken))
