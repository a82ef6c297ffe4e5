"""A terminal's end of the line against a node's session, octets carried from hand to hand."""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING, Any

import pytest

from hal.native_library import lib
from hal.sample import HalErrorKind
from hal.terminal_registers import TERM_MAGIC, TERM_RESET_KEY, TERM_SILENCE_NS, TermRegister
from hil.bench_link.frames import FrameReceiver, FrameSender
from hil.bench_link.layout import SCHEMA_CRC32C, MessageType, Mode, Role
from hil.bench_link.messages import Credit, FrameChunk, Hello, RegRead, RegValues, RegWrite
from hil.bench_link.session import Session
from hil.bench_link.session_values import Phase
from hil.terminal.terminal_core import Identity, Sight, TerminalCore, Told
from hil.terminal.terminal_peer import TerminalPeer, TerminalSession, own_hello

if TYPE_CHECKING:
    from collections.abc import Callable

R = TermRegister
MS = 1_000_000
IDENTITY = Identity(frame_bytes_max=10_000, tx_fifo_frames=4, rx_fifo_frames=3)


class QuietHead:
    """Takes a frame when told to, shows what it is given."""

    def __init__(self) -> None:
        self.identity = IDENTITY
        self.takes = 0
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    def step(self, told: Told, take: Callable[[], bytes | None], now_ns: int) -> Sight:
        del told, now_ns
        while self.takes and (frame := take()) is not None:
            self.takes -= 1
            self.sent.append(frame)
        received, self.received = self.received, []
        return Sight(received=received)

    def reset(self, now_ns: int) -> None:
        del now_ns


class Wire:
    """A node's session and a terminal, stepped every 10 ms; `cut` loses octets of the node."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._numbers = iter(range(1, 1000))
        hello = Hello(
            lib.HAL_ABI_VERSION, SCHEMA_CRC32C, Role.NODE, Mode.FREE_RUN, 4096, 10_000, 2, 0, 1, 0
        )
        self.node = Session(hello, lambda: next(self._numbers), 0)
        self.head = QuietHead()
        self.core = TerminalCore(self.head, 0)
        self.terminal = TerminalSession(
            own_hello(IDENTITY, 1), lambda: 1000 + next(self._numbers), 0
        )
        self.peer = TerminalPeer(self.core, self.terminal)
        self.sender, self.receiver = FrameSender(), FrameReceiver(10_000)
        self.heard: list[Any] = []
        self.lose: set[MessageType] = set()
        self._id = 0
        self.run(50)
        assert self.node.phase is Phase.UP
        self.sender.restart(self.node.peer.frames_credit)  # type: ignore[union-attr]

    def run(self, ms: int) -> None:
        for _ in range(ms // 10):
            self.now_ns += 10 * MS
            self.node.poll(self.now_ns)
            up = self.node.pull(self.now_ns, 1 << 20)
            for message in self.terminal.receive(up, self.now_ns):
                self.peer.take(message, self.now_ns)
            self.terminal.poll(self.now_ns)
            self.peer.step(self.now_ns)
            down = self.terminal.pull(self.now_ns, 1 << 20) if self.terminal.waiting else b""
            for message in self.node.receive(down, self.now_ns):
                self._take(message)

    def _take(self, message: Any) -> None:
        if message.kind in self.lose:
            return
        self.heard.append(message.value)
        if isinstance(message.value, Credit):
            self.sender.grant(message.value.frames_granted)

    def send(self, frame: bytes, *, drop_chunk: int | None = None) -> None:
        for number, chunk in enumerate(self.sender.cut(frame)):
            if number != drop_chunk:
                self.node.send(MessageType.FRAME_CHUNK, chunk)

    def ask(self, kind: MessageType, value: Any) -> RegValues:
        assert self.node.send(kind, value)
        self.heard.clear()
        self.run(20)
        (answer,) = (each for each in self.heard if isinstance(each, RegValues))
        assert answer.id == value.id
        return answer

    def read(self, first: int, count: int = 1) -> tuple[int, ...]:
        self._id += 1
        answer = self.ask(MessageType.REG_READ, RegRead(self._id, first, count))
        assert (answer.first, answer.registers, answer.code) == (first, count, 0)
        return unpack(f"<{count}I", answer.octets)

    def write(self, register: int, value: int) -> RegValues:
        self._id += 1
        return self.ask(MessageType.REG_WRITE, RegWrite(self._id, register, 0, value))


def test_registers_are_read_and_written_by_messages() -> None:
    wire = Wire()
    assert wire.read(R.MAGIC) == (TERM_MAGIC,)
    answer = wire.write(R.SCAN_URAD, 77)
    assert (answer.code, unpack("<I", answer.octets)) == (0, (77,))
    assert wire.read(R.SCAN_URAD, 2) == (77, 1000)


@pytest.mark.parametrize(
    ("register", "value", "kind"),
    [
        (R.MAGIC, 1, HalErrorKind.PERM),
        (R.SCAN_URAD, 20_001, HalErrorKind.RANGE),
        (37, 0, HalErrorKind.RANGE),
    ],
)
def test_a_refused_write_is_answered_with_its_reason(
    register: int, value: int, kind: HalErrorKind
) -> None:
    answer = Wire().write(register, value)
    assert (answer.code, answer.registers, answer.octets) == (-kind, 0, b"")


def test_a_read_outside_the_map_is_answered_with_its_reason() -> None:
    answer = Wire().ask(MessageType.REG_READ, RegRead(9, 30, 8))
    assert (answer.code, answer.registers) == (-HalErrorKind.RANGE, 0)


def test_a_write_repeated_under_its_id_is_answered_again_and_not_done_again() -> None:
    wire = Wire()
    first = wire.ask(MessageType.REG_WRITE, RegWrite(5, R.RESET, 0, TERM_RESET_KEY))
    wire.write(R.TARGET_ID, 3)
    repeated = RegWrite(6, R.RESET, 0, TERM_RESET_KEY)
    answers = [wire.ask(MessageType.REG_WRITE, repeated) for _ in range(3)]
    assert answers == [first._replace(id=6)] * 3
    assert wire.core.counters.resets == 2


def test_the_laser_reads_back_what_is() -> None:
    wire = Wire()
    wire.write(R.INHIBIT, 1)
    assert unpack("<I", wire.write(R.LASER_ENABLE, 1).octets) == (0,)


def test_heartbeats_alone_keep_the_laser_on_and_silence_puts_it_out() -> None:
    wire = Wire()
    wire.write(R.LASER_ENABLE, 1)
    wire.run(5000)
    assert wire.read(R.LASER_ENABLE) == (1,)
    end_ns = wire.now_ns + TERM_SILENCE_NS
    while wire.now_ns < end_ns + 20 * MS:
        wire.now_ns += 10 * MS
        wire.peer.step(wire.now_ns)
    assert wire.core.read(R.LASER_ENABLE, 1, wire.now_ns) == [0]
    assert wire.core.counters.silences == 1


def test_a_node_that_starts_anew_finds_a_dark_terminal_with_its_whole_credit() -> None:
    wire = Wire()
    wire.write(R.LASER_ENABLE, 1)
    wire.send(b"old")
    wire.run(50)
    wire.node.line_lost(wire.now_ns)
    wire.run(100)
    assert wire.node.phase is Phase.UP
    assert wire.read(R.LASER_ENABLE) == (0,)
    assert wire.read(R.TX_CREDIT) == (4,)
    assert wire.node.peer is not None
    assert wire.node.peer.frames_credit == 4


def test_frames_flow_one_a_credit_and_light_gives_it_back() -> None:
    wire = Wire()
    frames = [bytes([index]) * 5000 for index in range(4)]
    for frame in frames:
        wire.send(frame)
    wire.run(50)
    assert wire.sender.credit == 0
    assert wire.read(R.TX_CREDIT) == (0,)
    wire.head.takes = 2
    wire.run(50)
    assert wire.head.sent == frames[:2]
    assert wire.sender.credit == 2
    (credit,) = {each for each in wire.heard if isinstance(each, Credit)}
    assert credit == Credit(6, 2, 0, 0)


def test_a_frame_with_a_chunk_missing_is_refused_whole_and_its_credit_comes_back() -> None:
    wire = Wire()
    wire.send(bytes(9000), drop_chunk=1)
    wire.send(b"good")
    wire.run(600)
    assert wire.read(R.TX_REJECTED, 1) == (1,)
    assert wire.read(R.TX_CREDIT) == (3,)
    assert wire.sender.credit == 3


def test_a_credit_lost_on_the_way_is_told_again_with_the_next_heartbeat() -> None:
    wire = Wire()
    for _ in range(4):
        wire.send(b"x")
    wire.run(20)
    wire.lose = {MessageType.CREDIT}
    wire.head.takes = 4
    wire.run(50)
    wire.lose = set()
    assert wire.sender.credit == 0
    wire.run(600)
    assert wire.sender.credit == 4


def test_frames_from_light_wait_for_the_credit_of_the_node_and_the_rest_is_counted() -> None:
    wire = Wire()
    wire.head.received = [bytes([index]) * 6000 for index in range(7)]
    wire.run(50)
    chunks = [each for each in wire.heard if isinstance(each, FrameChunk)]
    whole = [frame for chunk in chunks if (frame := wire.receiver.take(chunk)) is not None]
    assert whole == [bytes([0]) * 6000, bytes([1]) * 6000]
    assert wire.read(R.RX_PENDING) == (1,)
    assert wire.read(R.RX_OVERFLOW) == (4,)
    assert wire.node.send(MessageType.CREDIT, Credit(3))
    wire.run(20)
    assert wire.read(R.RX_PENDING) == (0,)


def test_a_mute_terminal_neither_hears_nor_answers() -> None:
    wire = Wire()
    wire.terminal.mute = True
    assert wire.node.send(MessageType.REG_READ, RegRead(1, 0, 1))
    wire.heard.clear()
    wire.run(1000)
    assert wire.heard == []
    assert wire.terminal.poll(wire.now_ns) > wire.now_ns
