"""One end of the bench link: who the peer is, what may be sent when, and what was lost.

Pure: octets in, octets out, `now_ns` of this machine's monotonic clock given. It answers what
belongs to the link itself (hello, heartbeat, time, echo, bit test) and hands on the rest. Fed by
`receive`, driven by `poll`, drained by `pull`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.bench_link.bit_test import bit_errors
from hil.bench_link.clock_estimate import ClockEstimate
from hil.bench_link.codec import OPENING, Decoder, Message, encode
from hil.bench_link.frames import ahead
from hil.bench_link.layout import (
    CHANNEL_OF,
    HEARTBEAT_NS,
    HEARTBEATS_LOST,
    HELLO_RETRY_NS,
    LOCK_STEP_SILENCE_NS,
    OUTSIDE_SEQUENCES,
    PROTOCOL_VERSION,
    Channel,
    MessageType,
    Mode,
    Refusal,
    pack,
)
from hil.bench_link.messages import (
    FrameChunk,
    Heartbeat,
    Hello,
    Octets,
    Refuse,
    TimeReply,
    TimeRequest,
)
from hil.bench_link.outbox import Outbox
from hil.bench_link.session_values import LinkCounters, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.bench_link.messages import Payload

_SEQ_MODULO = 1 << 16
_U32 = (1 << 32) - 1
_NS_PER_MS = 1_000_000
_REFUSALS = {int(reason): reason for reason in Refusal}


class Session:
    """One end.

    Args:
        hello: what this end says of itself; `peer_session` is filled in here.
        draw: gives a random session number, never 0.
        now_ns: monotonic time at which the line was opened.

    Attributes:
        peer: what the other end said of itself, None before.
        refusal: why the two do not run together, None while they may.
        peer_heartbeat: its counters as last told, None before.
        late: samples that came too late; counted by whoever knows the period.
    """

    def __init__(self, hello: Hello, draw: Callable[[], int], now_ns: int) -> None:
        self._hello = hello
        self._draw = draw
        self._opened_ns = now_ns
        self._decoder = Decoder()
        self._outbox = Outbox()
        self._urgent: list[bytes] = [OPENING]
        self._session = draw()
        self._answered = False
        self._peer_session = 0
        self._heard_ns = now_ns
        self._hello_due_ns = now_ns
        self._heartbeat_due_ns = now_ns
        self._time_id = 0
        self._expected = [0] * len(Channel)
        self._next = [0] * len(Channel)
        self._frames_written = 0
        self._silence_ns = (
            LOCK_STEP_SILENCE_NS if hello.mode == Mode.LOCK_STEP else HEARTBEAT_NS * HEARTBEATS_LOST
        )
        self.clock = ClockEstimate()
        self.counters = LinkCounters()
        self.peer: Hello | None = None
        self.refusal: Refusal | None = None
        self.peer_heartbeat: Heartbeat | None = None
        self.late = 0
        self.frames_broken = 0

    @property
    def phase(self) -> Phase:
        """WAITING until each has answered the other."""
        if self.refusal is not None:
            return Phase.REFUSED
        return Phase.UP if self._answered and self._peer_session else Phase.WAITING

    @property
    def peer_session(self) -> int:
        """Changes when the peer starts anew; 0 while there is none."""
        return self._peer_session

    @property
    def rx_corrupt(self) -> int:
        """Pieces of the stream that were no message."""
        return self._decoder.corrupt

    @property
    def tx_dropped(self) -> int:
        """Samples that gave way, messages without room."""
        return self._outbox.dropped

    @property
    def waiting(self) -> bool:
        """Whether `pull` has something."""
        return bool(self._urgent) or (self.phase is Phase.UP and len(self._outbox) > 0)

    def send(self, kind: MessageType, value: Payload) -> bool:
        """Queues a message; False when the link is not up or has no room."""
        return self.phase is Phase.UP and self._outbox.put(kind, value)

    def receive(self, data: bytes, now_ns: int) -> list[Message]:
        """Takes octets as they came; gives what is not the link's own business, in order."""
        return [each for each in self._decoder.feed(data) if self._take(each, now_ns)]

    def poll(self, now_ns: int) -> int:
        """Does what is due; returns when it wants to be called next."""
        if self.phase is Phase.UP and now_ns - self._heard_ns > self._silence_ns:
            self.counters.times_down += 1
            self.line_lost(now_ns)
        if not self._answered:
            if now_ns >= self._hello_due_ns:
                self._hello_due_ns = now_ns + HELLO_RETRY_NS
                self._say(MessageType.HELLO, self._hello, now_ns)
            return self._hello_due_ns
        if now_ns >= self._heartbeat_due_ns:
            self._heartbeat_due_ns = now_ns + HEARTBEAT_NS
            if self.phase is Phase.UP:
                self._time_id = (self._time_id + 1) & _U32
                self.send(MessageType.TIME_REQUEST, TimeRequest(self._time_id))
                self.send(MessageType.HEARTBEAT, self.heartbeat(now_ns))
        return self._heartbeat_due_ns

    def pull(self, now_ns: int, bytes_enough: int) -> bytes:
        """Octets to write now: whole messages, until there are `bytes_enough` or no more."""
        out = bytearray().join(self._urgent)
        self._urgent.clear()
        while len(out) < bytes_enough and self.phase is Phase.UP:
            waiting = self._outbox.take()
            if waiting is None:
                break
            kind, value = waiting
            channel = CHANNEL_OF[kind]
            seq, self._next[channel] = self._next[channel], (self._next[channel] + 1) % _SEQ_MODULO
            if isinstance(value, FrameChunk):
                self._frames_written += value.offset + len(value.octets) == value.frame_bytes
            out += encode(kind, pack(kind, value), seq=seq, session=self._session, t_ns=now_ns)
            self.counters.tx_messages += 1
        return bytes(out)

    def line_lost(self, now_ns: int) -> None:
        """The line was cut or fell silent: both sides start at HELLO again."""
        self._session = self._draw()
        self._answered = False
        self._peer_session = 0
        self._outbox.clear()
        self._urgent = [OPENING]
        self._hello_due_ns = now_ns

    def heartbeat(self, now_ns: int) -> Heartbeat:
        """This end's counters, as the peer is told."""
        counters = self.counters
        told = (
            counters.rx_messages,
            self.rx_corrupt,
            counters.rx_lost,
            counters.rx_stale,
            counters.tx_messages,
            self.tx_dropped,
            len(self._outbox),
            self.frames_broken,
            self.late,
            self._frames_written,
        )
        return Heartbeat((now_ns - self._opened_ns) // _NS_PER_MS, *(each & _U32 for each in told))

    # What comes.

    def _take(self, message: Message, now_ns: int) -> bool:
        """Whether the message is for the owner."""
        if message.kind in OUTSIDE_SEQUENCES:
            self._take_hello(message, now_ns)
            return False
        if message.session != self._peer_session or not self._in_sequence(message):
            self.counters.rx_stale += 1
            return False
        self._heard_ns = now_ns
        self.counters.rx_messages += 1
        value = message.value
        if isinstance(value, TimeRequest):
            self.send(MessageType.TIME_REPLY, TimeReply(value.id, message.t_ns, now_ns))
        elif isinstance(value, TimeReply):
            if value.id == self._time_id:
                self.clock.add(value.request_t_ns, value.received_t_ns, message.t_ns, now_ns)
        elif message.kind is MessageType.ECHO:
            assert isinstance(value, Octets)
            self.send(MessageType.ECHO_REPLY, value)
        elif message.kind is MessageType.BIT_TEST:
            assert isinstance(value, Octets)
            self.counters.bits_tested += 8 * len(value.octets)
            self.counters.bit_errors += bit_errors(value.octets)
        else:
            if isinstance(value, Heartbeat):
                self.peer_heartbeat = value
            return True
        return False

    def _in_sequence(self, message: Message) -> bool:
        """Counts what is missing before it; False for one that came already."""
        channel = CHANNEL_OF[message.kind]
        missing = ahead(message.seq, self._expected[channel], _SEQ_MODULO)
        if missing < 0:
            return False
        self.counters.rx_lost += missing
        self._expected[channel] = (message.seq + 1) % _SEQ_MODULO
        return True

    def _take_hello(self, message: Message, now_ns: int) -> None:
        value = message.value
        if isinstance(value, Refuse):
            self.refusal = _REFUSALS.get(value.reason, Refusal.PROTOCOL)
            return
        mismatch = self._mismatch(message)
        if mismatch is not None:
            self.refusal = mismatch
            self._say(MessageType.REFUSE, Refuse(mismatch), now_ns)
            return
        assert isinstance(value, Hello)
        reply = message.kind is MessageType.HELLO_REPLY
        if reply and value.peer_session != self._session:
            self.counters.rx_stale += 1
            return
        self._heard_ns = now_ns
        self.refusal = None
        if message.session != self._peer_session:
            self._peer_started(message.session, value)
        if reply:
            self._answered = True
        else:
            answer = self._hello._replace(peer_session=message.session)
            self._say(MessageType.HELLO_REPLY, answer, now_ns)

    def _mismatch(self, message: Message) -> Refusal | None:
        value, own = message.value, self._hello
        if message.version != PROTOCOL_VERSION or not isinstance(value, Hello):
            return Refusal.PROTOCOL
        if value.abi_version != own.abi_version:
            return Refusal.ABI
        if value.schema_crc32c != own.schema_crc32c:
            return Refusal.SCHEMA
        if value.role == own.role:
            return Refusal.ROLE
        return Refusal.MODE if value.mode != own.mode else None

    def _peer_started(self, session: int, hello: Hello) -> None:
        self._peer_session, self.peer = session, hello
        self._expected = [0] * len(Channel)
        self._next = [0] * len(Channel)
        self._frames_written = 0
        self._outbox.clear()
        self.clock.restart()
        self.peer_heartbeat = None
        self.counters.peers_seen += 1

    def _say(self, kind: MessageType, value: Payload, now_ns: int) -> None:
        """At once, beside the sequences; the newest of its kind is enough."""
        octets = encode(kind, pack(kind, value), seq=0, session=self._session, t_ns=now_ns)
        self._urgent = [*self._urgent[-8:], octets]
        self.counters.tx_messages += 1
