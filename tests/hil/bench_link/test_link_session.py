"""Two ends find each other, count what is lost, notice a restart, and never guess."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.wire.crc import crc32c
from hil.bench_link.bit_test import prbs15
from hil.bench_link.codec import cobs_decode, cobs_encode, encode
from hil.bench_link.layout import (
    HEARTBEAT_NS,
    LOCK_STEP_SILENCE_NS,
    SCHEMA_CRC32C,
    Channel,
    MessageType,
    Mode,
    Refusal,
    Role,
)
from hil.bench_link.messages import Credit, FrameChunk, Grant, Hello, NodeReset, Octets, Sensors
from hil.bench_link.outbox import CAPACITY, Outbox
from hil.bench_link.session import Phase, Session

MS = 1_000_000
SECOND = 1000 * MS
SENSORS = Sensors(*range(23))


def hello(role: Role, mode: Mode = Mode.FREE_RUN, **other: int) -> Hello:
    said = {
        "abi_version": 2,
        "schema_crc32c": SCHEMA_CRC32C,
        "role": role,
        "mode": mode,
        "payload_bytes_max": 4096,
        "frame_bytes_max": 65542,
        "frames_credit": 8,
        "period_us": 1_000_000,
        "boot_count": 1,
        "peer_session": 0,
    }
    return Hello(**{**said, **other})


class Pair:
    """A node and a bench on a line that can lose, repeat and hold octets back."""

    def __init__(self, mode: Mode = Mode.FREE_RUN, **node: int) -> None:
        self.numbers = count(101)
        self.now_ns = 10 * SECOND
        self.mode = mode
        self.bench = Session(hello(Role.BENCH, mode), self.draw, self.now_ns)
        self.node = Session(hello(Role.NODE, mode, **node), self.draw, self.now_ns)

    def draw(self) -> int:
        return next(self.numbers)

    def move(self, ns: int = MS) -> tuple[list, list]:
        """Time passes, both ends talk; gives what each handed on."""
        self.now_ns += ns
        to_bench, to_node = [], []
        for _ in range(6):
            for sender, receiver, got in (
                (self.node, self.bench, to_bench),
                (self.bench, self.node, to_node),
            ):
                sender.poll(self.now_ns)
                octets = sender.pull(self.now_ns, 1 << 20)
                got.extend(receiver.receive(octets, self.now_ns))
        return to_bench, to_node

    def restart_node(self) -> None:
        self.node = Session(hello(Role.NODE, self.mode), self.draw, self.now_ns)


def kinds(messages: list) -> list[MessageType]:
    return [m.kind for m in messages if m.kind is not MessageType.HEARTBEAT]


@pytest.fixture
def pair() -> Pair:
    made = Pair()
    made.move()
    return made


def test_two_ends_are_up_once_each_has_answered_the_other(pair: Pair) -> None:
    assert pair.bench.phase is pair.node.phase is Phase.UP
    assert pair.bench.peer is not None
    assert pair.bench.peer.role == Role.NODE
    assert pair.node.peer.role == Role.BENCH


def test_before_the_peer_answers_nothing_but_hello_leaves() -> None:
    alone = Session(hello(Role.BENCH), count(7).__next__, 0)
    assert not alone.send(MessageType.SENSORS, SENSORS)
    alone.poll(0)
    first = alone.pull(0, 1000)
    assert first.startswith(b"\0\0")
    alone.poll(249 * MS)
    assert alone.pull(249 * MS, 1000) == b""
    alone.poll(250 * MS)
    assert alone.pull(250 * MS, 1000) != b""


def test_messages_arrive_with_their_values(pair: Pair) -> None:
    assert pair.bench.send(MessageType.SENSORS, SENSORS)
    assert pair.node.send(MessageType.TELL, Octets(b"telemetry"))
    to_bench, to_node = pair.move()
    assert [m.value for m in to_bench if m.kind is MessageType.TELL] == [Octets(b"telemetry")]
    assert [m.value for m in to_node if m.kind is MessageType.SENSORS] == [SENSORS]


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ({"abi_version": 3}, Refusal.ABI),
        ({"schema_crc32c": 1}, Refusal.SCHEMA),
        ({"role": Role.BENCH}, Refusal.ROLE),
        ({"mode": Mode.LOCK_STEP}, Refusal.MODE),
    ],
)
def test_ends_that_differ_refuse_each_other_and_say_why(node: dict, reason: Refusal) -> None:
    pair = Pair()
    pair.node = Session(hello(Role.NODE)._replace(**node), pair.draw, pair.now_ns)
    pair.move()
    assert pair.bench.refusal is pair.node.refusal is reason
    assert pair.bench.phase is Phase.REFUSED
    assert not pair.bench.send(MessageType.SENSORS, SENSORS)


def test_another_protocol_version_is_refused_without_reading_it(pair: Pair) -> None:
    wire = encode(MessageType.HELLO, bytes(32), seq=0, session=5, t_ns=1)
    raw = bytearray(cobs_decode(wire[:-1])[:-4])
    raw[0] = 2
    pair.bench.receive(
        cobs_encode(bytes(raw) + crc32c(raw).to_bytes(4, "little")) + b"\0", pair.now_ns
    )
    assert pair.bench.refusal is Refusal.PROTOCOL


def test_a_peer_that_starts_anew_is_noticed_and_everything_outstanding_is_void(pair: Pair) -> None:
    before = pair.bench.peer_session
    pair.bench.send(MessageType.SENSORS, SENSORS)
    pair.bench.pull(pair.now_ns, 0)
    pair.bench.send(MessageType.TELL, Octets(b"for the one before"))
    pair.restart_node()
    _, to_node = pair.move()
    assert pair.bench.peer_session != before
    assert pair.bench.counters.peers_seen == 2
    assert kinds(to_node) == []
    pair.bench.send(MessageType.SENSORS, SENSORS)
    _, to_node = pair.move()
    assert kinds(to_node) == [MessageType.SENSORS]
    assert pair.node.counters.rx_lost == pair.bench.counters.rx_lost == 0


def test_a_repeated_hello_of_a_known_session_voids_nothing(pair: Pair) -> None:
    pair.node._say(MessageType.HELLO, hello(Role.NODE), pair.now_ns)
    pair.bench.send(MessageType.SENSORS, SENSORS)
    pair.bench.receive(pair.node.pull(pair.now_ns, 1000), pair.now_ns)
    assert kinds(pair.move()[1]) == [MessageType.SENSORS]
    assert pair.bench.counters.peers_seen == 1


def test_a_late_reply_to_an_earlier_start_misleads_nobody() -> None:
    pair = Pair()
    pair.bench.poll(pair.now_ns)
    pair.node.receive(pair.bench.pull(pair.now_ns, 1000), pair.now_ns)
    late = pair.node.pull(pair.now_ns, 1000)
    pair.bench.line_lost(pair.now_ns)
    pair.bench.receive(late, pair.now_ns)
    assert pair.bench.phase is Phase.WAITING
    pair.move(260 * MS)
    assert pair.bench.phase is Phase.UP


def test_what_is_lost_and_what_comes_twice_is_counted(pair: Pair) -> None:
    octets = []
    for _ in range(4):
        pair.bench.send(MessageType.ECHO_REPLY, Octets(b"x"))
        octets.append(pair.bench.pull(pair.now_ns, 1000))
    got = [len(pair.node.receive(octets[i], pair.now_ns)) for i in (0, 3, 3, 1)]
    assert got == [1, 1, 0, 0]
    assert (pair.node.counters.rx_lost, pair.node.counters.rx_stale) == (2, 2)


def test_silence_takes_a_free_running_link_down_and_it_comes_up_again(pair: Pair) -> None:
    first = pair.bench.peer_session
    pair.bench.poll(pair.now_ns + 3 * HEARTBEAT_NS)
    assert pair.bench.phase is Phase.UP
    pair.bench.poll(pair.now_ns + 3 * HEARTBEAT_NS + MS)
    assert pair.bench.phase is Phase.WAITING
    assert pair.bench.counters.times_down == 1
    pair.move(1501 * MS)
    assert pair.bench.phase is pair.node.phase is Phase.UP
    assert pair.bench.peer_session != first, "the node heard nothing either and started anew"


def test_lock_step_bears_half_a_minute_of_silence() -> None:
    pair = Pair(Mode.LOCK_STEP)
    pair.move()
    pair.bench.poll(pair.now_ns + LOCK_STEP_SILENCE_NS)
    assert pair.bench.phase is Phase.UP
    pair.bench.poll(pair.now_ns + LOCK_STEP_SILENCE_NS + MS)
    assert pair.bench.phase is Phase.WAITING


def test_heartbeats_carry_the_counters_and_time_is_exchanged(pair: Pair) -> None:
    pair.node.receive(b"garbage\0", pair.now_ns)
    pair.move(HEARTBEAT_NS)
    told = pair.bench.peer_heartbeat
    assert told is not None
    assert told.rx_corrupt == 1
    best = pair.bench.clock.best
    assert best is not None
    assert (best.offset_ns, best.delay_ns) == (0, 0), "one clock, no delay"


def test_offset_and_delay_of_a_peer_with_another_clock_are_found() -> None:
    ours, theirs = 50 * SECOND, 7 * SECOND  # their clock is 43 s behind
    bench = Session(hello(Role.BENCH), count(1).__next__, ours)
    node = Session(hello(Role.NODE), count(9).__next__, theirs)
    for _ in range(1200):
        ours += MS
        theirs += MS
        bench.poll(ours)
        node.poll(theirs)
        node.receive(bench.pull(ours, 1 << 16), theirs + 2 * MS)
        bench.receive(node.pull(theirs + 2 * MS, 1 << 16), ours + 4 * MS)
        if bench.clock.exchanges:
            break
    best = bench.clock.best
    assert best is not None
    assert best.delay_ns == 4 * MS
    assert best.offset_ns == -43 * SECOND


def test_the_heartbeat_tells_how_many_frames_left_before_it(pair: Pair) -> None:
    pair.bench.send(MessageType.FRAME_CHUNK, FrameChunk(0, 4, 0, b"ab"))
    pair.bench.send(MessageType.FRAME_CHUNK, FrameChunk(0, 4, 2, b"cd"))
    assert pair.bench.heartbeat(pair.now_ns).frames_sent == 0
    pair.move()
    assert pair.bench.heartbeat(pair.now_ns).frames_sent == 1


def test_an_echo_is_answered_and_a_bit_test_judged_by_the_link_itself(pair: Pair) -> None:
    pair.bench.send(MessageType.ECHO, Octets(b"ping"))
    pair.bench.send(MessageType.BIT_TEST, Octets(b"\xff\xfe\x00\x05"))
    pair.bench.send(MessageType.BIT_TEST, Octets(prbs15(64)))
    to_bench, to_node = pair.move()
    assert kinds(to_bench) == [MessageType.ECHO_REPLY]
    assert kinds(to_node) == []
    assert (pair.node.counters.bits_tested, pair.node.counters.bit_errors) == (8 * 68, 1)


def test_a_reset_reaches_the_node(pair: Pair) -> None:
    pair.bench.send(MessageType.NODE_RESET, NodeReset(4))
    assert [m.value for m in pair.move()[1]] == [NodeReset(4)]


# The outbox.


def test_a_lower_channel_goes_first_and_what_closes_a_tick_last() -> None:
    box = Outbox()
    chunk, tell = FrameChunk(0, 1, 0, b"a"), Octets(b"t")
    box.put(MessageType.GRANT, Grant(1, 2, 3))
    box.put(MessageType.FRAME_CHUNK, chunk)
    box.put(MessageType.TELL, tell)
    box.put(MessageType.SENSORS, SENSORS)
    box.put(MessageType.NODE_RESET, NodeReset(1))
    order = [waiting.kind for waiting in iter(box.take, None)]
    assert order == [
        MessageType.NODE_RESET,
        MessageType.SENSORS,
        MessageType.FRAME_CHUNK,
        MessageType.TELL,
        MessageType.GRANT,
    ]


def test_a_sample_that_waits_gives_way_to_the_newer_and_counts() -> None:
    box = Outbox()
    for frames in (1, 2, 3):
        assert box.put(MessageType.CREDIT, Credit(frames))
        assert box.put(MessageType.SENSORS, SENSORS._replace(tick=frames))
    assert len(box) == 2
    assert box.dropped == 4
    assert [w.value[0] for w in iter(box.take, None)] == [3, 3]


def test_a_full_channel_refuses_and_counts_and_the_others_go_on() -> None:
    box = Outbox()
    room = CAPACITY[Channel.TEST]
    taken = [box.put(MessageType.ECHO, Octets(b"x")) for _ in range(room + 2)]
    assert taken.count(True) == room
    assert box.dropped == 2
    assert box.put(MessageType.NODE_RESET, NodeReset(0))


# Whatever happens on the line.

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["node", "bench"]),
        st.sampled_from(["whole", "lost", "twice", "damaged", "garbage"]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=80)
@given(events=EVENTS, restart_at=st.integers(0, 60))
def test_after_any_disturbance_both_ends_are_up_again_and_every_echo_is_true(
    events: list[tuple[str, str]], restart_at: int
) -> None:
    pair = Pair()
    for step, (who, fate) in enumerate(events):
        if step == restart_at:
            pair.restart_node()
        pair.now_ns += 130 * MS
        sender, receiver = (pair.node, pair.bench) if who == "node" else (pair.bench, pair.node)
        sender.poll(pair.now_ns)
        sender.send(MessageType.TELL, Octets(b"tell %d" % step))
        octets = sender.pull(pair.now_ns, 1 << 16)
        for piece in disturbed(octets, fate):
            for message in receiver.receive(piece, pair.now_ns):
                if message.kind is MessageType.TELL:
                    assert message.value.octets.startswith(b"tell ")
    for _ in range(8):
        pair.move(300 * MS)
    assert pair.bench.phase is pair.node.phase is Phase.UP
    pair.bench.send(MessageType.SENSORS, SENSORS)
    assert MessageType.SENSORS in kinds(pair.move()[1])


def disturbed(octets: bytes, fate: str) -> list[bytes]:
    if fate == "lost":
        return []
    if fate == "twice":
        return [octets, octets]
    if fate == "garbage":
        return [b"\x05\x07\0" + octets[3:], octets]
    if fate == "damaged" and octets:
        half = len(octets) // 2
        return [octets[:half] + bytes([octets[half] ^ 0x55]) + octets[half + 1 :]]
    return [octets]
