"""The rules of a terminal, over a head that does what the test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.sample import HalErrorKind, TermFlag
from hal.terminal_registers import (
    TERM_ABSENT,
    TERM_REG_COUNT,
    TERM_RESET_KEY,
    TERM_SILENCE_NS,
    WRITABLE,
    TermFault,
    TermRegister,
    judge_write,
    to_word,
)
from hil.terminal.terminal_core import Identity, Sight, TerminalCore, Told

if TYPE_CHECKING:
    from collections.abc import Callable

R = TermRegister
MS = 1_000_000


class ScriptedHead:
    """Shows what it was given, keeps what it was told, sends when `sends` is true."""

    def __init__(self, identity: Identity | None = None) -> None:
        self.identity = identity or Identity(
            frame_bytes_max=100, tx_fifo_frames=3, rx_fifo_frames=2
        )
        self.sight = Sight()
        self.told: list[Told] = []
        self.sends = False
        self.sent: list[bytes] = []
        self.resets = 0
        self.broken = False

    def step(self, told: Told, take: Callable[[], bytes | None], now_ns: int) -> Sight:
        del now_ns
        self.told.append(told)
        if self.broken:
            raise RuntimeError("the mount's controller does not answer")
        while self.sends and (frame := take()) is not None:
            self.sent.append(frame)
        return self.sight

    def reset(self, now_ns: int) -> None:
        del now_ns
        self.resets += 1


def lit() -> tuple[TerminalCore, ScriptedHead]:
    head = ScriptedHead()
    core = TerminalCore(head, 0)
    assert core.write(R.LASER_ENABLE, 1, 0) is None
    core.step(0)
    assert head.told[-1].laser_on
    return core, head


def reg(core: TerminalCore, register: TermRegister, now_ns: int = 0) -> int:
    words = core.read(register, 1, now_ns)
    assert isinstance(words, list)
    return words[0]


def test_a_fresh_terminal_is_dark_and_stowed() -> None:
    core = TerminalCore(ScriptedHead(), 0)
    assert reg(core, R.LASER_ENABLE) == reg(core, R.TARGET_ID) == reg(core, R.FAULT) == 0
    assert reg(core, R.VENDOR) == int.from_bytes(b"EMUL", "big")
    assert reg(core, R.DETECTOR_MDEGC) == TERM_ABSENT
    assert core.read(0, TERM_REG_COUNT + 1, 0) is HalErrorKind.RANGE
    assert core.read(-1, 1, 0) is HalErrorKind.RANGE
    assert core.read(3, 0, 0) is HalErrorKind.RANGE


def test_a_second_of_silence_makes_it_dark_and_a_message_does_not_light_it_again() -> None:
    core, head = lit()
    core.heard(5 * MS)
    core.step(5 * MS + TERM_SILENCE_NS - 1)
    assert head.told[-1].laser_on
    core.step(5 * MS + TERM_SILENCE_NS)
    assert not head.told[-1].laser_on
    assert reg(core, R.FAULT) == TermFault.NODE_SILENT
    assert not reg(core, R.FLAGS) & TermFlag.FAULT, "a node that is back must be let through"
    core.heard(2 * TERM_SILENCE_NS)
    core.step(2 * TERM_SILENCE_NS)
    assert not head.told[-1].laser_on
    assert reg(core, R.FAULT) == 0
    assert core.counters.silences == 1
    assert core.write(R.LASER_ENABLE, 1, 0) is None
    assert reg(core, R.LASER_ENABLE) == 1


def test_an_inhibited_laser_cannot_be_lit() -> None:
    core, head = lit()
    assert core.write(R.INHIBIT, 1, 0) is None
    core.step(1)
    assert not head.told[-1].laser_on
    assert core.write(R.LASER_ENABLE, 1, 0) is None
    assert reg(core, R.LASER_ENABLE) == 0
    assert core.write(R.INHIBIT, 0, 0) is None
    assert reg(core, R.LASER_ENABLE) == 0


@pytest.mark.parametrize("fault", [TermFault.LASER, TermFault.OVERHEAT])
def test_a_fault_that_says_dark_is_dark_and_stays_dark_after_it(fault: TermFault) -> None:
    core, head = lit()
    head.sight = Sight(faults=fault)
    core.step(1)
    assert reg(core, R.LASER_ENABLE) == 0
    assert reg(core, R.FLAGS) & TermFlag.FAULT
    assert core.write(R.LASER_ENABLE, 1, 0) is None
    assert reg(core, R.LASER_ENABLE) == 0
    head.sight = Sight()
    core.step(2)
    assert reg(core, R.LASER_ENABLE) == reg(core, R.FLAGS) == 0


def test_a_head_that_fails_is_told_to_be_dark_at_every_step_until_it_works_again() -> None:
    core, head = lit()
    core.step(5 * MS)
    head.broken = True
    core.step(10 * MS)
    assert reg(core, R.LASER_ENABLE) == 0
    assert reg(core, R.FAULT) == TermFault.INTERNAL
    assert reg(core, R.FLAGS) & TermFlag.FAULT
    core.step(15 * MS)
    assert not head.told[-1].laser_on
    assert core.counters.head_failures == 2
    assert core.head_failure == "RuntimeError: the mount's controller does not answer"
    head.broken = False
    core.step(20 * MS)
    assert reg(core, R.FAULT) == 0
    assert not head.told[-1].laser_on
    assert core.write(R.LASER_ENABLE, 1, 25 * MS) is None
    core.step(25 * MS)
    assert head.told[-1].laser_on


def test_a_fault_of_mount_or_detector_is_told_and_leaves_the_laser_to_the_node() -> None:
    core, head = lit()
    head.sight = Sight(faults=TermFault.MOUNT | TermFault.DETECTOR)
    core.step(1)
    assert reg(core, R.LASER_ENABLE) == 1
    assert reg(core, R.FAULT) == TermFault.MOUNT | TermFault.DETECTOR
    assert reg(core, R.FLAGS) & TermFlag.FAULT


def test_a_node_that_started_again_finds_it_dark_and_its_transmit_fifo_empty() -> None:
    core, _ = lit()
    assert core.submit(b"old")
    core.node_restarted()
    assert reg(core, R.LASER_ENABLE) == 0
    assert (core.tx_free, core.counters.tx_flushed) == (3, 1)


def test_a_reset_is_as_after_power_up() -> None:
    core, head = lit()
    fresh = TerminalCore(ScriptedHead(), 0).read(0, TERM_REG_COUNT, 0)
    head.sight = Sight(received=[b"a", b"b", b"c"])
    for register in (R.TARGET_ID, R.AZIMUTH_UDEG, R.SCAN_URAD):
        core.write(register, 7, 0)
    core.submit(b"x")
    core.submit(bytes(101))
    core.step(1)
    assert reg(core, R.RX_OVERFLOW) == reg(core, R.TX_REJECTED) == 1
    assert core.write(R.RESET, TERM_RESET_KEY, 5_000 * MS) is None
    assert core.read(0, TERM_REG_COUNT, 5_000 * MS) == fresh
    assert reg(core, R.UPTIME_S, 7_000 * MS) == 2
    assert (core.counters.tx_flushed, core.counters.rx_flushed, head.resets) == (1, 2, 1)


def test_one_frame_a_credit_and_what_leaves_by_light_gives_it_back() -> None:
    core, head = lit()
    frames = [b"1", b"22", b"333"]
    assert [core.submit(frame) for frame in frames] == [True] * 3
    assert not core.submit(b"no room")
    assert (reg(core, R.TX_CREDIT), reg(core, R.TX_REJECTED)) == (0, 1)
    head.sends = True
    core.step(1)
    assert head.sent == frames
    assert (reg(core, R.TX_CREDIT), reg(core, R.TX_FRAMES)) == (3, 3)


@pytest.mark.parametrize("frame", [b"", bytes(101)])
def test_a_frame_that_cannot_be_sent_is_refused_and_counted(frame: bytes) -> None:
    core, _ = lit()
    assert not core.submit(frame)
    core.reject(2)
    assert reg(core, R.TX_REJECTED) == 3


def test_signed_readings_stand_as_twos_complement() -> None:
    core, head = lit()
    head.sight = Sight({R.RX_POWER_MDBM: -43_000, R.FLAGS: TermFlag.TX})
    core.write(R.ELEVATION_UDEG, -5, 0)
    core.step(1)
    assert reg(core, R.RX_POWER_MDBM) == to_word(-43_000)
    assert reg(core, R.FLAGS) == TermFlag.TX
    core.step(2)
    assert head.told[-1].elevation_udeg == -5


@given(register=st.integers(-1, TERM_REG_COUNT), value=st.integers(-(2**31) - 1, 2**32))
def test_a_write_is_refused_as_the_map_says_and_then_changes_nothing(
    register: int, value: int
) -> None:
    core = TerminalCore(ScriptedHead(), 0)
    before = core.read(0, TERM_REG_COUNT, 0)
    refused = core.write(register, value, 0)
    assert refused is judge_write(register, value)
    if refused is not None:
        assert core.read(0, TERM_REG_COUNT, 0) == before
    elif register != R.RESET:
        assert reg(core, TermRegister(register)) == to_word(value)


def test_every_writable_register_is_held_by_the_core() -> None:
    core = TerminalCore(ScriptedHead(), 0)
    assert all(reg(core, register) != TERM_ABSENT for register in WRITABLE)
