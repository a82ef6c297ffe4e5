"""Every laser terminal keeps one map and the same rules: simulated, fake, emulated, a lab's own.

For a terminal on a serial line set LUMENODE_TERMINAL to its device. The test points the terminal
and, with LUMENODE_TERMINAL_LASER=1, lights it: block the beam first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from line_node import hello
from terminal_subjects import CLIENTS, IN_PROCESS, LINES, MAY_BE_LIT, OnALine, Subject

from hal.sample import HalErrorKind, TermFlag
from hal.terminal_registers import (
    FAULTS_OF_ITS_OWN,
    TERM_ABSENT,
    TERM_MAGIC,
    TERM_MAP_VERSION,
    TERM_REG_COUNT,
    TERM_RESET_KEY,
    TERM_SILENCE_NS,
    WRITABLE,
    TermFault,
    TermRegister,
    from_word,
    to_word,
)
from hil.bench_link.layout import MessageType, Refusal
from hil.bench_link.messages import Octets, RegRead, RegWrite
from hil.bench_link.session_values import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

R = TermRegister
DARK_COMMANDS = [register for register in WRITABLE if register not in {R.RESET, R.LASER_ENABLE}]
SILENCE_S = TERM_SILENCE_NS / 1e9 + 0.3
NEVER_ABSENT = (
    *(R.MAGIC, R.MAP_VERSION, R.VENDOR, R.SERIAL, R.FRAME_BYTES_MAX, R.TX_FIFO_FRAMES),
    *(R.RX_FIFO_FRAMES, *WRITABLE, R.FLAGS, R.FAULT, R.TX_CREDIT, R.TX_FRAMES, R.TX_REJECTED),
    R.RX_PENDING,
)
needs_light = pytest.mark.skipif(not MAY_BE_LIT, reason="LUMENODE_TERMINAL_LASER=1 allows light")


def params(subjects: dict[str, object]) -> list[object]:
    slow = () if subjects is IN_PROCESS else (pytest.mark.slow,)
    return [pytest.param(make, id=name, marks=slow) for name, make in subjects.items()]


@pytest.fixture(params=[*params(IN_PROCESS), *params(CLIENTS), *params(LINES)], scope="module")
def opened(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with request.param() as subject:
        yield subject


@pytest.fixture
def terminal(opened: Subject) -> Subject:
    assert opened.write(R.RESET, TERM_RESET_KEY) is None
    return opened


@pytest.fixture(params=params(LINES), scope="module")
def opened_line(request: pytest.FixtureRequest) -> Iterator[OnALine]:
    with request.param() as subject:
        yield subject


@pytest.fixture
def line(opened_line: OnALine) -> OnALine:
    """A terminal on a line, after a reset and in a session of its own."""
    opened_line.restart()
    assert opened_line.write(R.RESET, TERM_RESET_KEY) is None
    opened_line.received.clear()
    return opened_line


def words(terminal: Subject, first: int = 0, count: int = TERM_REG_COUNT) -> list[int]:
    found = terminal.read_words(first, count)
    assert isinstance(found, list)
    return found


def reg(terminal: Subject, register: TermRegister) -> int:
    value = from_word(register, words(terminal, register, 1)[0])
    assert value is not None, f"{register.name} is absent"
    return value


def commands(terminal: Subject) -> list[int]:
    """What the node told it: the block of registers that only a write or a dark rule changes."""
    return words(terminal, R.TARGET_ID, R.RESET - R.TARGET_ID + 1)


# Identity and shape.


def test_it_says_what_it_is(terminal: Subject) -> None:
    assert reg(terminal, R.MAGIC) == TERM_MAGIC
    assert reg(terminal, R.MAP_VERSION) == TERM_MAP_VERSION
    vendor = reg(terminal, R.VENDOR).to_bytes(4, "big")
    assert vendor.isascii()
    assert vendor.decode().isprintable()
    assert reg(terminal, R.FRAME_BYTES_MAX) >= 1
    assert reg(terminal, R.TX_FIFO_FRAMES) >= 1
    assert reg(terminal, R.RX_FIFO_FRAMES) >= 1


def test_what_every_terminal_has_is_not_absent(terminal: Subject) -> None:
    found = words(terminal)
    assert [register.name for register in NEVER_ABSENT if found[register] == TERM_ABSENT] == []


def test_what_is_measured_is_possible(terminal: Subject) -> None:
    found = words(terminal)
    for register in (R.LASER_MDEGC, R.DETECTOR_MDEGC, R.MOUNT_MDEGC, R.ELECTRONICS_MDEGC):
        celsius = from_word(register, found[register])
        assert celsius is None or -150_000 <= celsius <= 250_000
    assert found[R.FLAGS] & ~sum(TermFlag) == 0
    assert found[R.FAULT] & ~sum(TermFault) == 0
    assert bool(found[R.FLAGS] & TermFlag.FAULT) == bool(found[R.FAULT] & FAULTS_OF_ITS_OWN)
    azimuth = from_word(R.AZIMUTH_NOW_UDEG, found[R.AZIMUTH_NOW_UDEG])
    assert azimuth is None or abs(azimuth) <= 360_000_000


@pytest.mark.parametrize(
    ("first", "count"), [(0, 0), (0, TERM_REG_COUNT + 1), (TERM_REG_COUNT, 1), (65535, 1)]
)
def test_nothing_outside_the_map_is_read(terminal: Subject, first: int, count: int) -> None:
    assert terminal.read_words(first, count) is HalErrorKind.RANGE


def test_reading_changes_nothing_that_was_commanded(terminal: Subject) -> None:
    before = commands(terminal)
    for register in range(TERM_REG_COUNT):
        words(terminal, register, 1)
    assert commands(terminal) == before


# Writing.


@pytest.mark.parametrize("register", DARK_COMMANDS)
def test_both_ends_of_a_range_are_taken_and_read_back(
    terminal: Subject, register: TermRegister
) -> None:
    for value in (WRITABLE[register].most, WRITABLE[register].least):
        assert terminal.write(register, value) is None
        assert words(terminal, register, 1) == [to_word(value)]


@pytest.mark.parametrize("register", WRITABLE)
def test_a_value_out_of_range_is_refused_and_changes_nothing(
    terminal: Subject, register: TermRegister
) -> None:
    before = commands(terminal)
    row = WRITABLE[register]
    for value in (row.least - 1, row.most + 1, TERM_ABSENT):
        assert terminal.write(register, value) is HalErrorKind.RANGE
    assert commands(terminal) == before


def test_a_register_that_is_only_read_is_not_written(terminal: Subject) -> None:
    before = commands(terminal)
    for register in set(R) - set(WRITABLE):
        assert terminal.write(register, 0) is HalErrorKind.PERM
    assert commands(terminal) == before


@pytest.mark.parametrize("number", [TERM_REG_COUNT, 255, 65535])
def test_no_register_outside_the_map_is_written(terminal: Subject, number: int) -> None:
    assert terminal.write(number, 0) is HalErrorKind.RANGE


# Safety.


def test_after_a_reset_it_is_dark_stowed_and_as_fresh(terminal: Subject) -> None:
    fresh = commands(terminal)
    for register in DARK_COMMANDS:
        assert terminal.write(register, 1) is None
    assert terminal.write(R.RESET, TERM_RESET_KEY) is None
    assert commands(terminal) == fresh
    assert reg(terminal, R.LASER_ENABLE) == reg(terminal, R.TARGET_ID) == 0
    assert reg(terminal, R.INHIBIT) == reg(terminal, R.RESET) == 0


def test_an_inhibited_terminal_cannot_be_lit(terminal: Subject) -> None:
    assert terminal.write(R.INHIBIT, 1) is None
    assert terminal.write(R.LASER_ENABLE, 1) is None
    assert reg(terminal, R.LASER_ENABLE) == 0
    assert terminal.write(R.INHIBIT, 0) is None
    assert reg(terminal, R.LASER_ENABLE) == 0, "it never lights by itself"


@needs_light
def test_a_lit_terminal_is_dark_when_inhibited_and_stays_so(terminal: Subject) -> None:
    assert terminal.write(R.LASER_ENABLE, 1) is None
    assert reg(terminal, R.LASER_ENABLE) == 1
    assert terminal.write(R.INHIBIT, 1) is None
    assert reg(terminal, R.LASER_ENABLE) == 0
    assert terminal.write(R.INHIBIT, 0) is None
    assert reg(terminal, R.LASER_ENABLE) == 0
    assert terminal.write(R.LASER_ENABLE, 1) is None
    assert terminal.write(R.LASER_ENABLE, 0) is None
    assert reg(terminal, R.LASER_ENABLE) == 0


@needs_light
def test_a_lit_terminal_is_dark_after_a_reset(terminal: Subject) -> None:
    assert terminal.write(R.LASER_ENABLE, 1) is None
    assert terminal.write(R.RESET, TERM_RESET_KEY) is None
    assert reg(terminal, R.LASER_ENABLE) == 0


# Frames.


def test_one_frame_a_credit_and_none_beyond(terminal: Subject) -> None:
    terminal.settle()
    room = reg(terminal, R.TX_FIFO_FRAMES)
    assert reg(terminal, R.TX_CREDIT) == room
    for _ in range(room):
        assert terminal.submit(b"stays: the terminal is dark")
    terminal.settle()
    assert reg(terminal, R.TX_CREDIT) == 0
    assert not terminal.submit(b"one too many")
    assert reg(terminal, R.TX_FRAMES) == 0


def test_a_reset_empties_the_fifo_and_gives_the_credit_back(terminal: Subject) -> None:
    terminal.settle()
    assert terminal.submit(b"lost")
    terminal.settle()
    assert terminal.write(R.RESET, TERM_RESET_KEY) is None
    assert reg(terminal, R.TX_CREDIT) == reg(terminal, R.TX_FIFO_FRAMES)
    terminal.settle()
    for _ in range(reg(terminal, R.TX_FIFO_FRAMES)):
        assert terminal.submit(b"room again")


# On a line.


def test_a_longest_frame_comes_whole_through_its_chunks(line: OnALine) -> None:
    assert line.submit(bytes(reg(line, R.FRAME_BYTES_MAX)))
    line.pump(1.0)
    assert reg(line, R.TX_CREDIT) == reg(line, R.TX_FIFO_FRAMES) - 1
    assert reg(line, R.TX_REJECTED) == 0


def test_a_frame_that_lost_a_chunk_is_rejected_and_its_credit_comes_back(line: OnALine) -> None:
    room = reg(line, R.TX_FIFO_FRAMES)
    line.submit_damaged(bytes(min(10_000, reg(line, R.FRAME_BYTES_MAX))))
    assert line.credit == room - 1
    line.pump(2.0, lambda: line.credit == room)
    assert line.credit == room
    assert reg(line, R.TX_REJECTED) == 1


def test_a_frame_that_is_lost_altogether_gives_its_credit_back(line: OnALine) -> None:
    room = reg(line, R.TX_FIFO_FRAMES)
    line.submit_lost(b"nothing of it arrives; the next heartbeat says that it was sent")
    assert line.credit == room - 1
    line.pump(2.0, lambda: line.credit == room)
    assert line.credit == room
    assert reg(line, R.TX_REJECTED) == 1


def test_frames_sent_without_credit_are_refused_and_counted(line: OnALine) -> None:
    for _ in range(reg(line, R.TX_FIFO_FRAMES)):
        assert line.submit(b"fills")
    line.push_beyond_credit(b"too many")
    line.pump(0.5)
    assert reg(line, R.TX_REJECTED) == 1
    assert reg(line, R.TX_CREDIT) == 0


@needs_light
def test_heartbeats_alone_keep_it_lit(line: OnALine) -> None:
    assert line.write(R.LASER_ENABLE, 1) is None
    line.pump(2.5)
    assert reg(line, R.LASER_ENABLE) == 1


@needs_light
def test_a_silent_node_finds_it_dark_and_it_stays_dark(line: OnALine) -> None:
    assert line.write(R.TARGET_ID, 2) is None
    assert line.write(R.LASER_ENABLE, 1) is None
    time.sleep(SILENCE_S)
    assert reg(line, R.LASER_ENABLE) == 0
    line.pump(1.5)
    assert reg(line, R.LASER_ENABLE) == 0
    assert line.write(R.LASER_ENABLE, 1) is None
    assert reg(line, R.LASER_ENABLE) == 1


@needs_light
def test_a_node_that_started_anew_finds_it_dark_and_its_fifo_empty(line: OnALine) -> None:
    assert line.submit(b"of the old session")
    line.pump(0.3)
    assert line.write(R.LASER_ENABLE, 1) is None
    line.restart()
    assert reg(line, R.LASER_ENABLE) == 0
    assert line.credit == reg(line, R.TX_CREDIT) == reg(line, R.TX_FIFO_FRAMES)


def test_a_write_repeated_under_its_id_is_answered_and_not_done_again(line: OnALine) -> None:
    first = RegWrite(line.next_id(), R.SCAN_URAD, 0, 11)
    answers = [line.ask(MessageType.REG_WRITE, first) for _ in range(3)]
    changed = first._replace(value=22)
    answers.append(line.ask(MessageType.REG_WRITE, changed))
    assert len(set(answers)) == 1
    assert reg(line, R.SCAN_URAD) == 11


def test_an_answer_names_what_was_asked(line: OnALine) -> None:
    asked = [RegRead(line.next_id(), register, 1) for register in (R.MAGIC, R.VENDOR, R.SERIAL)]
    for each in asked:
        answer = line.ask(MessageType.REG_READ, each)
        assert (answer.id, answer.first, answer.registers) == (each.id, each.first, 1)


@pytest.mark.parametrize(
    "garbage",
    [b"\0", b"garbage\0", b"\xff" * 300 + b"\0", b"\x01\x02\x03" * 5000 + b"\0", bytes(64)],
)
def test_after_garbage_the_next_message_is_understood(line: OnALine, garbage: bytes) -> None:
    line.write_raw(garbage)
    assert reg(line, R.MAGIC) == TERM_MAGIC
    assert line.session.phase is Phase.UP


def test_what_is_not_for_a_terminal_is_passed_over(line: OnALine) -> None:
    line.send(MessageType.TELL, Octets(b"a record"))
    line.send(MessageType.BIT_TEST, Octets(bytes(100)))
    assert reg(line, R.MAGIC) == TERM_MAGIC


def test_an_echo_comes_back(line: OnALine) -> None:
    before = line.session.counters.rx_messages
    line.send(MessageType.ECHO, Octets(b"ping"))
    assert line.pump(2.0, lambda: line.session.counters.rx_messages > before)


def test_it_tells_that_it_lives(line: OnALine) -> None:
    line.session.peer_heartbeat = None
    assert line.pump(1.5, lambda: line.session.peer_heartbeat is not None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"abi_version": 999}, Refusal.ABI),
        ({"schema_crc32c": 1}, Refusal.SCHEMA),
        ({"role": 3}, Refusal.ROLE),
        ({"mode": 1}, Refusal.MODE),
    ],
)
def test_a_node_that_does_not_fit_is_refused_with_the_reason(
    line: OnALine, change: dict[str, int], reason: Refusal
) -> None:
    own = line.session._hello
    try:
        line.session._hello = hello(**change)
        line.session.line_lost(time.monotonic_ns())
        line.pump(2.0, lambda: line.session.refusal is not None)
        assert line.session.refusal is reason
    finally:
        line.session._hello = own
        line.session.refusal = None
        line.session.line_lost(time.monotonic_ns())
        line.connect()
