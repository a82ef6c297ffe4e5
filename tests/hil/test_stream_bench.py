"""The bench's end of a node on a line: the same verbs, the same answers, every loss counted."""

from __future__ import annotations

from itertools import count
from struct import unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.sample import (
    SENSOR_FIELDS,
    FailingCall,
    HalError,
    HalErrorKind,
    ResetCause,
    SensorBit,
    Stuck,
    TermFlag,
)
from hal.terminal_registers import (
    TERM_ABSENT,
    TERM_MAGIC,
    TERM_REG_COUNT,
    TERM_RESET_KEY,
    TermFault,
    TermRegister,
    from_word,
)
from hil.bench_link.layout import SCHEMA_CRC32C, MessageType, Mode, Role
from hil.bench_link.messages import (
    ActuatorState,
    Credit,
    Done,
    FrameChunk,
    Heartbeat,
    Hello,
    Octets,
    RegRead,
    RegWrite,
)
from hil.bench_link.session import Session
from hil.stream_bench import StreamBench

FIFO = 3


class Line:
    """A bench and a bare session in the node's role."""

    def __init__(self):
        self.draw = count(50).__next__
        self.session = Session(self.hello(Role.BENCH), self.draw, 0)
        self.bench = StreamBench(self.session, FIFO)
        self.told = []
        self.bench.on_told = self.told.append
        self.start()

    def hello(self, role):
        return Hello(3, SCHEMA_CRC32C, role, Mode.LOCK_STEP, 4096, 65542, 2, 10**6, 0, 0)

    def start(self):
        self.node = Session(self.hello(Role.NODE), self.draw, 0)
        self.move()
        self.bench.follow_session()

    def move(self):
        got = []
        for _ in range(4):
            for sender, receiver in ((self.node, self.session), (self.session, self.node)):
                sender.poll(0)
                for message in receiver.receive(sender.pull(0, 1 << 20), 0):
                    if receiver is self.session:
                        self.bench.take(message)
                    else:
                        got.append(message)
        return got

    def say(self, kind, value):
        self.node.send(kind, value)
        return self.move()

    def set(self, number, **values):
        wanted = ActuatorState(number, 0, 0, 0, 0, 0, 0, 0)._replace(**values)
        return self.say(MessageType.ACTUATORS, wanted)

    def shown(self, tick=1):
        self.bench.show(tick, 5, 6)
        return {m.kind: m.value for m in self.move()}


@pytest.fixture
def line():
    return Line()


def kind_of(call):
    with pytest.raises(HalError) as caught:
        call()
    return caught.value.kind


SIGNED, UNSIGNED = st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1)
_WIDE = dict.fromkeys(("valid", "stuck", "term_flags", "reset_cause", "boot_count"), UNSIGNED)


@settings(deadline=None, max_examples=40)
@given(
    fields=st.fixed_dictionaries(
        {},
        optional={n: _WIDE.get(n, SIGNED) for n in SENSOR_FIELDS if n not in ("t_ns", "utc_ns")},
    )
)
def test_what_the_bench_writes_is_shown_value_for_value_with_the_ticks_own_time(fields):
    line = Line()
    before = line.shown()[MessageType.SENSORS]
    line.bench.write_sensors(**fields)
    after = line.shown(2)[MessageType.SENSORS]
    assert (after.tick, after.t_ns, after.utc_ns) == (2, 5, 6)
    for name in SENSOR_FIELDS[2:]:
        assert getattr(after, name) == fields.get(name, getattr(before, name))


@pytest.mark.parametrize(
    "wrong", [{"no_such": 1}, {"battery_ma": 2**31}, {"valid": -1}, {"t_ns": -1}]
)
def test_a_sensor_value_that_cannot_be_is_refused(line, wrong):
    assert kind_of(lambda: line.bench.write_sensors(**wrong)) is HalErrorKind.RANGE


def test_the_newest_actuators_count_and_are_read_back_to_the_node(line):
    (back,) = line.set(1, payload_level=4, laser_on=1)
    assert back.kind is MessageType.ACTUATED
    assert back.value[:3] == (1, 4, 1)
    line.set(2, payload_level=1, watchdog_kicks=9, payload_busy_permille=300)
    line.set(1, payload_level=4)
    assert line.bench.read_actuators() == (1, 0, 0, 0, 9)
    assert line.bench.payload_busy_permille == 300
    assert line.bench.counters.actuators_taken == 2


def test_a_jammed_actuator_keeps_what_it_had_and_says_so(line):
    line.set(1, target_id=7, heater_on=1)
    line.bench.write_sensors(stuck=int(Stuck.TARGET))
    (back,) = line.set(2, target_id=9, heater_on=0)
    assert (back.value.number, back.value.target_id, back.value.heater_on) == (2, 7, 0)


def test_a_tick_is_done_when_the_actuators_it_names_are_here_too(line):
    line.say(MessageType.DONE, Done(4, 2, 0))
    assert not line.bench.done(4), "ACTUATORS 2 has not come"
    line.set(2, payload_level=1)
    assert line.bench.done(4)
    assert not line.bench.done(5)


def test_frames_wait_in_the_fifo_and_drained_or_lost_ones_give_their_credit_back(line):
    for number in range(3):
        line.say(MessageType.FRAME_CHUNK, FrameChunk(number, 2, 0, b"f%d" % number))
    assert MessageType.CREDIT not in line.shown()
    assert line.bench.drain_tx(2) == [b"f0", b"f1"]
    assert line.shown(2)[MessageType.CREDIT] == Credit(FIFO + 2, 2, 0, 0)
    line.say(MessageType.DONE, Done(1, 0, 5))
    credit = line.shown(3)[MessageType.CREDIT]
    assert credit.frames_granted == FIFO + 4, "two drained, two that never came"
    assert line.bench.drain_tx(9) == [b"f2"]


def test_a_heartbeat_finds_lost_frames_where_there_are_no_ticks(line):
    line.say(MessageType.HEARTBEAT, Heartbeat(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2))
    assert line.shown()[MessageType.CREDIT].frames_granted == FIFO + 2
    assert line.session.frames_broken == 2


def test_a_frame_beyond_the_credit_is_thrown_away_and_counted(line):
    for number in range(5):
        line.say(MessageType.FRAME_CHUNK, FrameChunk(number, 1, 0, b"x"))
    assert line.bench.counters.frames_without_credit == 2
    assert len(line.bench.drain_tx(9)) == FIFO


def test_frames_go_down_one_a_credit_and_beyond_it_are_lost_and_told(line):
    assert [line.bench.push_rx(b"d%d" % k) for k in range(4)] == [True, True, False, False]
    got = [m.value.octets for m in line.move() if m.kind is MessageType.FRAME_CHUNK]
    assert got == [b"d0", b"d1"]
    assert line.shown()[MessageType.CREDIT].frames_overflowed == 2
    line.say(MessageType.CREDIT, Credit(3))
    assert line.bench.push_rx(b"d4")
    assert kind_of(lambda: line.bench.push_rx(b"")) is HalErrorKind.RANGE


def test_a_reset_leaves_the_hardware_off_and_counts_a_start(line):
    line.set(1, payload_level=3, laser_on=1)
    line.say(MessageType.FRAME_CHUNK, FrameChunk(0, 1, 0, b"x"))
    line.bench.reset(int(ResetCause.WATCHDOG))
    assert line.bench.read_actuators()[:4] == (0, 0, 0, 0)
    assert line.bench.drain_tx(9) == []
    shown = line.shown()
    sensors = shown[MessageType.SENSORS]
    assert (sensors.boot_count, sensors.reset_cause) == (2, ResetCause.WATCHDOG)
    assert shown[MessageType.CREDIT].frames_flushed == 1


def test_a_node_that_starts_anew_begins_at_nothing(line):
    line.set(5, payload_level=3)
    line.say(MessageType.FRAME_CHUNK, FrameChunk(0, 1, 0, b"x"))
    line.say(MessageType.DONE, Done(8, 5, 1))
    line.start()
    assert line.bench.sessions == 2
    assert line.bench.read_actuators()[:4] == (0, 0, 0, 0)
    assert not line.bench.done(8)
    line.set(1, payload_level=2)
    assert line.bench.read_actuators().payload_level == 2
    line.say(MessageType.FRAME_CHUNK, FrameChunk(0, 1, 0, b"y"))
    assert line.bench.drain_tx(9) == [b"y"]


def test_what_the_node_tells_is_handed_on_unread(line):
    line.say(MessageType.TELL, Octets(b"record"))
    assert line.told == [b"record"]


def words(answer):
    assert answer.kind is MessageType.REG_VALUES
    assert len(answer.value.octets) == 4 * answer.value.registers
    return list(unpack(f"<{answer.value.registers}I", answer.value.octets))


def test_the_terminal_answers_for_every_register_of_the_map(line):
    line.bench.write_sensors(rx_power_mdbm=-31_500, valid=sum(SensorBit), term_flags=TermFlag.FAULT)
    line.set(1, target_id=7, laser_on=1)
    (answer,) = line.say(MessageType.REG_READ, RegRead(9, 0, TERM_REG_COUNT))
    assert answer.value[:4] == (9, 0, TERM_REG_COUNT, 0)
    shown = dict(zip(TermRegister, words(answer), strict=True))
    assert shown[TermRegister.MAGIC] == TERM_MAGIC
    assert from_word(TermRegister.RX_POWER_MDBM, shown[TermRegister.RX_POWER_MDBM]) == -31_500
    assert (shown[TermRegister.TARGET_ID], shown[TermRegister.LASER_ENABLE]) == (7, 1)
    assert shown[TermRegister.FAULT] == TermFault.INTERNAL
    assert shown[TermRegister.TX_CREDIT] == FIFO
    assert shown[TermRegister.TX_REJECTED] == TERM_ABSENT, "only the node can know"


@pytest.mark.parametrize(("first", "count"), [(0, TERM_REG_COUNT + 1), (TERM_REG_COUNT, 1), (0, 0)])
def test_beyond_the_map_nothing_is_read(line, first, count):
    (answer,) = line.say(MessageType.REG_READ, RegRead(9, first, count))
    assert answer.value == (9, first, 0, -HalErrorKind.RANGE, b"")


def test_a_register_that_is_written_is_read_back(line):
    (answer,) = line.say(MessageType.REG_WRITE, RegWrite(3, TermRegister.SCAN_URAD, 0, 900))
    assert (answer.value[:4], words(answer)) == ((3, TermRegister.SCAN_URAD, 1, 0), [900])
    line.start()
    (answer,) = line.say(MessageType.REG_READ, RegRead(1, TermRegister.SCAN_URAD, 1))
    assert words(answer) == [500], "another node finds the terminal as after power-up"


@pytest.mark.parametrize(
    ("register", "value", "kind"),
    [
        (TermRegister.MAGIC, 1, HalErrorKind.PERM),
        (TermRegister.SCAN_URAD, 20_001, HalErrorKind.RANGE),
        (99, 0, HalErrorKind.RANGE),
        (TermRegister.LASER_ENABLE, 1, HalErrorKind.PERM),
    ],
)
def test_a_write_that_cannot_be_is_refused_by_its_kind(line, register, value, kind):
    (answer,) = line.say(MessageType.REG_WRITE, RegWrite(4, register, 0, value))
    assert answer.value == (4, register, 0, -kind, b"")


def test_an_inhibited_terminal_keeps_its_laser_dark(line):
    line.set(1, laser_on=1)
    line.say(MessageType.REG_WRITE, RegWrite(1, TermRegister.INHIBIT, 0, 1))
    assert line.bench.read_actuators().laser_on == 0
    (back,) = line.set(2, laser_on=1)
    assert back.value.laser_on == 0
    line.say(MessageType.REG_WRITE, RegWrite(2, TermRegister.INHIBIT, 0, 0))
    (back,) = line.set(3, laser_on=1)
    assert back.value.laser_on == 1


def test_a_terminal_that_is_reset_is_dark_stowed_and_counts_from_nothing(line):
    line.set(1, laser_on=1, target_id=7)
    for number in range(2):
        line.say(MessageType.FRAME_CHUNK, FrameChunk(number, 1, 0, b"x"))
    line.bench.drain_tx(1)
    line.say(MessageType.REG_WRITE, RegWrite(1, TermRegister.RESET, 0, TERM_RESET_KEY))
    assert line.bench.read_actuators()[1:3] == (0, 0)
    assert line.bench.drain_tx(9) == []
    line.bench.push_rx(b"d")
    line.move()
    (sent,) = line.say(MessageType.REG_READ, RegRead(2, TermRegister.TX_FRAMES, 1))
    (heard,) = line.say(MessageType.REG_READ, RegRead(3, TermRegister.RX_FRAMES, 1))
    assert (words(sent), words(heard)) == ([0], [1])


def test_a_nodes_calls_cannot_be_made_to_fail_across_a_wire(line):
    line.bench.fail(0)
    assert kind_of(lambda: line.bench.fail(FailingCall.SUBMIT)) is HalErrorKind.UNSUPPORTED
