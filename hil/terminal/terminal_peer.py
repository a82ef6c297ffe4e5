"""A terminal's end of the line: registers, frames and credit over a session of the bench link.

Pure. A node reads and writes registers, hands frames over one a credit and takes those that came by
light; native/include/bench_link.h is the protocol, docs/terminal.md tells its use.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from hal.native_library import lib
from hal.sample import HalErrorKind
from hil.bench_link.frames import FrameReceiver, FrameSender
from hil.bench_link.layout import (
    HEARTBEAT_NS,
    PAYLOAD_BYTES_MAX,
    SCHEMA_CRC32C,
    MessageType,
    Mode,
    Role,
)
from hil.bench_link.messages import (
    Credit,
    FrameChunk,
    Heartbeat,
    Hello,
    RegRead,
    RegValues,
    RegWrite,
)
from hil.bench_link.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.bench_link.codec import Message
    from hil.terminal.terminal_core import Identity, TerminalCore

MUTE_LOOK_NS = 100_000_000


def own_hello(identity: Identity, boot_count: int) -> Hello:
    """What a terminal says of itself when a session begins: its whole FIFO is free then."""
    return Hello(
        abi_version=lib.HAL_ABI_VERSION,
        schema_crc32c=SCHEMA_CRC32C,
        role=Role.TERMINAL,
        mode=Mode.FREE_RUN,
        payload_bytes_max=PAYLOAD_BYTES_MAX,
        frame_bytes_max=identity.frame_bytes_max,
        frames_credit=identity.tx_fifo_frames,
        period_us=0,
        boot_count=boot_count,
        peer_session=0,
    )


class TerminalSession(Session):
    """A session that can be made deaf and dumb, as a terminal that hangs is.

    Attributes:
        mute: nothing is heard and nothing is said.
    """

    def __init__(self, hello: Hello, draw: Callable[[], int], now_ns: int) -> None:
        super().__init__(hello, draw, now_ns)
        self.mute = False

    @property
    def waiting(self) -> bool:
        """See `Session`."""
        return not self.mute and super().waiting

    def receive(self, data: bytes, now_ns: int) -> list[Message]:
        """See `Session`."""
        return [] if self.mute else super().receive(data, now_ns)

    def poll(self, now_ns: int) -> int:
        """See `Session`."""
        return now_ns + MUTE_LOOK_NS if self.mute else super().poll(now_ns)


class TerminalPeer:
    """One terminal served over one session; whoever owns both hands over messages and time."""

    def __init__(self, core: TerminalCore, session: Session) -> None:
        self._core = core
        self._session = session
        self._down = FrameReceiver(core.identity.frame_bytes_max)
        self._up = FrameSender()
        self._peers_seen = 0
        self._credit_told = Credit(0)
        self._credit_due_ns = 0
        self._by_light = self._flushed = self._overflowed = 0
        self._answered: RegValues | None = None

    def take(self, message: Message, now_ns: int) -> None:
        """One message of the node's."""
        self._follow_session()
        self._core.heard(now_ns)
        value = message.value
        if isinstance(value, RegRead):
            self._read(value, now_ns)
        elif isinstance(value, RegWrite):
            self._write(value, now_ns)
        elif isinstance(value, FrameChunk):
            frame = self._down.take(value)
            if frame is not None:
                self._core.submit(frame)
        elif isinstance(value, Heartbeat):
            self._down.reconcile(value.frames_sent)
        elif isinstance(value, Credit):
            self._up.grant(value.frames_granted)
        lost = self._down.broken - self._session.frames_broken
        if lost:
            self._core.reject(lost)
            self._session.frames_broken = self._down.broken

    def step(self, now_ns: int) -> None:
        """The terminal's own life, then what it has to tell."""
        self._follow_session()
        self._core.step(now_ns)
        while self._core.received and self._up.credit > 0:
            for chunk in self._up.cut(self._core.received.popleft()):
                self._session.send(MessageType.FRAME_CHUNK, chunk)
        self._tell_credit(now_ns)

    def _follow_session(self) -> None:
        """A node that started anew: dark, frames and credits begin at nothing."""
        session = self._session
        if session.counters.peers_seen == self._peers_seen or session.peer is None:
            return
        self._peers_seen = session.counters.peers_seen
        self._core.node_restarted()
        self._down.restart()
        self._up.restart(session.peer.frames_credit)
        counters = self._core.counters
        self._by_light, self._flushed = counters.tx_frames, counters.tx_flushed
        self._overflowed = counters.rx_overflow
        self._credit_told = Credit(self._core.identity.tx_fifo_frames)
        self._answered = None

    def _read(self, asked: RegRead, now_ns: int) -> None:
        words = self._core.read(asked.first, asked.registers, now_ns)
        if isinstance(words, HalErrorKind):
            answer = RegValues(asked.id, asked.first, 0, -words, b"")
        else:
            octets = Struct(f"<{len(words)}I").pack(*words)
            answer = RegValues(asked.id, asked.first, len(words), 0, octets)
        self._session.send(MessageType.REG_VALUES, answer)

    def _write(self, asked: RegWrite, now_ns: int) -> None:
        """A write repeated under its id is answered again and not done again."""
        if self._answered is None or self._answered.id != asked.id:
            refused = self._core.write(asked.reg, asked.value, now_ns)
            if refused is not None:
                self._answered = RegValues(asked.id, asked.reg, 0, -refused, b"")
            else:
                self._core.step(now_ns)
                words = self._core.read(asked.reg, 1, now_ns)
                assert isinstance(words, list), "a register that was written can be read"
                octets = words[0].to_bytes(4, "little")
                self._answered = RegValues(asked.id, asked.reg, 1, 0, octets)
        self._session.send(MessageType.REG_VALUES, self._answered)

    def _tell_credit(self, now_ns: int) -> None:
        """When it changed, and with every heartbeat: the one that was lost on the way is told."""
        counters = self._core.counters
        by_light = counters.tx_frames - self._by_light
        flushed = counters.tx_flushed - self._flushed
        credit = Credit(
            self._core.tx_free + self._down.taken + self._down.lost,
            by_light,
            counters.rx_overflow - self._overflowed,
            flushed,
        )
        if credit == self._credit_told and now_ns < self._credit_due_ns:
            return
        if self._session.send(MessageType.CREDIT, credit):
            self._credit_told = credit
            self._credit_due_ns = now_ns + HEARTBEAT_NS
