"""The laser terminal behind every implementation of the node's hardware keeps one register map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hal_contract import CONFIG, SIMULATED, Pair, fake_pair, kind_of, native_pair

from hal.sample import (
    SENSOR_ALL,
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
    TERM_MAP_VERSION,
    TERM_REG_COUNT,
    TERM_RESET_KEY,
    WRITABLE,
    TermFault,
    TermRegister,
    from_word,
)

if TYPE_CHECKING:
    from hal.protocols import NodeDevices

R = TermRegister


@pytest.fixture(params=SIMULATED)
def pair(request: pytest.FixtureRequest) -> Pair:
    return request.param()


def reg(node: NodeDevices, register: TermRegister) -> int | None:
    return from_word(register, node.read_registers(register, 1)[0])


def test_the_whole_map_is_read_at_once_or_word_by_word(pair: Pair) -> None:
    whole = pair.node.read_registers(0, TERM_REG_COUNT)
    assert whole == [pair.node.read_registers(number, 1)[0] for number in range(TERM_REG_COUNT)]
    assert whole[R.MAGIC] == TERM_MAGIC
    assert whole[R.MAP_VERSION] == TERM_MAP_VERSION
    assert whole[R.FRAME_BYTES_MAX] == CONFIG.max_frame_bytes
    assert (whole[R.TX_FIFO_FRAMES], whole[R.RX_FIFO_FRAMES]) == (4, 3)
    assert whole[R.RESET] == 0


@pytest.mark.parametrize(
    ("first", "count"),
    [
        (0, 0),
        (0, -1),
        (-1, 1),
        (0, TERM_REG_COUNT + 1),
        (TERM_REG_COUNT, 1),
        (2**32, 1),
        (1, 2**40),
    ],
)
def test_nothing_outside_the_map_is_read(pair: Pair, first: int, count: int) -> None:
    assert kind_of(lambda: pair.node.read_registers(first, count)) is HalErrorKind.RANGE


def test_a_terminal_says_absent_where_it_has_no_value(pair: Pair) -> None:
    assert reg(pair.node, R.MOUNT_MDEGC) is None
    shown = (R.FLAGS, R.FAULT, R.RX_POWER_MDBM, R.LASER_MDEGC, R.POWER_MW)
    assert all(reg(pair.node, register) is not None for register in shown)
    lost = SensorBit.TERM_FLAGS | SensorBit.RX_POWER | SensorBit.TERM_TEMP | SensorBit.LASER
    pair.bench.write_sensors(valid=SENSOR_ALL & ~lost)
    assert [pair.node.read_registers(register, 1) for register in shown] == [[TERM_ABSENT]] * 5


def test_what_the_sensors_show_stands_in_the_registers(pair: Pair) -> None:
    pair.bench.write_sensors(term_flags=TermFlag.BEACON, rx_power_mdbm=-43210, term_mdegc=-5000)
    assert reg(pair.node, R.FLAGS) == TermFlag.BEACON
    assert reg(pair.node, R.RX_POWER_MDBM) == -43210
    assert reg(pair.node, R.LASER_MDEGC) == -5000
    assert reg(pair.node, R.FAULT) == 0
    pair.bench.write_sensors(term_flags=TermFlag.FAULT)
    assert reg(pair.node, R.FAULT) == TermFault.INTERNAL


@pytest.mark.parametrize("register", [r for r in WRITABLE if r is not R.RESET])
def test_both_ends_of_a_range_are_taken_and_read_back(pair: Pair, register: TermRegister) -> None:
    for value in (WRITABLE[register].most, WRITABLE[register].least):
        pair.node.write_register(register, value)
        assert reg(pair.node, register) == value


@pytest.mark.parametrize("register", WRITABLE)
def test_a_value_out_of_range_is_refused_and_changes_nothing(
    pair: Pair, register: TermRegister
) -> None:
    before = pair.node.read_registers(0, TERM_REG_COUNT)
    row = WRITABLE[register]
    for value in (row.least - 1, row.most + 1, -(2**31), 2**40, -(2**40)):
        kind = kind_of(lambda value=value: pair.node.write_register(register, value))
        assert kind is HalErrorKind.RANGE
    assert pair.node.read_registers(0, TERM_REG_COUNT) == before
    assert pair.node.counters().setters_rejected == 5


def test_a_register_that_is_only_read_is_not_written(pair: Pair) -> None:
    before = pair.node.read_registers(0, TERM_REG_COUNT)
    for register in set(R) - set(WRITABLE):
        kind = kind_of(lambda register=register: pair.node.write_register(register, 0))
        assert kind is HalErrorKind.PERM
    assert pair.node.read_registers(0, TERM_REG_COUNT) == before


@pytest.mark.parametrize("number", [-1, TERM_REG_COUNT, 2**32, 2**70])
def test_no_register_outside_the_map_is_written(pair: Pair, number: int) -> None:
    assert kind_of(lambda: pair.node.write_register(number, 0)) is HalErrorKind.RANGE


def test_a_register_and_its_setter_are_one_thing(pair: Pair) -> None:
    pair.node.write_register(R.TARGET_ID, 7)
    pair.node.write_register(R.LASER_ENABLE, 1)
    frame = pair.node.snapshot()
    assert (frame.target_id, frame.laser_on) == (7, 1)
    assert pair.node.point_terminal(8) == 8
    assert pair.node.set_laser(False) == 0
    assert (reg(pair.node, R.TARGET_ID), reg(pair.node, R.LASER_ENABLE)) == (8, 0)


def test_an_inhibited_laser_stays_dark_until_it_is_told_anew(pair: Pair) -> None:
    assert pair.node.set_laser(True) == 1
    pair.node.write_register(R.INHIBIT, 1)
    assert pair.node.snapshot().laser_on == 0
    assert pair.node.set_laser(True) == 0
    pair.node.write_register(R.LASER_ENABLE, 1)
    assert reg(pair.node, R.LASER_ENABLE) == 0
    pair.node.write_register(R.INHIBIT, 0)
    assert reg(pair.node, R.LASER_ENABLE) == 0
    assert pair.node.set_laser(True) == 1


def fill(pair: Pair) -> None:
    """Every command away from its default, frames in both FIFOs, each counter of frames moved."""
    for register in (R.TARGET_ID, R.AZIMUTH_UDEG, R.ELEVATION_UDEG, R.SCAN_URAD):
        pair.node.write_register(register, 3)
    pair.node.write_register(R.TX_POWER_PERMILLE, 300)
    pair.node.write_register(R.LASER_ENABLE, 1)
    assert pair.node.submit_frame(b"sent")
    assert pair.bench.drain_tx(1) == [b"sent"]
    while pair.node.submit_frame(b"waits"):
        pass
    while pair.bench.push_rx(b"waits"):
        pass
    assert pair.node.receive_frame() == b"waits"


def test_a_reset_of_the_terminal_is_as_after_power_up(pair: Pair) -> None:
    fresh = pair.node.read_registers(0, TERM_REG_COUNT)
    fill(pair)
    full = pair.node.read_registers(0, TERM_REG_COUNT)
    counters = [R.TX_FRAMES, R.TX_REJECTED, R.RX_FRAMES, R.RX_OVERFLOW, R.RX_PENDING, R.TX_CREDIT]
    assert [full[register] for register in counters] == [1, 1, 3, 1, 2, 0]
    pair.node.write_register(R.RESET, TERM_RESET_KEY)
    assert pair.node.read_registers(0, TERM_REG_COUNT) == fresh
    frame = pair.node.snapshot()
    assert (frame.laser_on, frame.target_id, frame.tx_fifo_free, frame.rx_pending) == (0, 0, 4, 0)
    assert frame.tx_frames_total == 1, "what counts since opening goes on"
    counted = pair.node.counters()
    assert (counted.tx_flushed, counted.rx_flushed) == (4, 2)


def test_a_reset_of_the_node_resets_its_terminal(pair: Pair) -> None:
    fresh = pair.node.read_registers(0, TERM_REG_COUNT)
    fill(pair)
    pair.node.write_register(R.INHIBIT, 1)
    pair.bench.reset(ResetCause.WATCHDOG)
    assert pair.node.read_registers(0, TERM_REG_COUNT) == fresh


def test_a_wrong_key_resets_nothing(pair: Pair) -> None:
    pair.node.point_terminal(3)
    for key in (0, 1, TERM_RESET_KEY + 1):
        kind = kind_of(lambda key=key: pair.node.write_register(R.RESET, key))
        assert kind is HalErrorKind.RANGE
    assert reg(pair.node, R.TARGET_ID) == 3


def test_a_stuck_or_failing_laser_shows_through_the_registers_as_well(pair: Pair) -> None:
    pair.node.set_laser(True)
    pair.bench.write_sensors(stuck=Stuck.LASER)
    pair.node.write_register(R.LASER_ENABLE, 0)
    assert reg(pair.node, R.LASER_ENABLE) == 1
    pair.bench.write_sensors(stuck=0)
    pair.bench.fail(FailingCall.LASER | FailingCall.TARGET, HalErrorKind.TIMEOUT)
    for register in (R.LASER_ENABLE, R.TARGET_ID):
        kind = kind_of(lambda register=register: pair.node.write_register(register, 0))
        assert kind is HalErrorKind.TIMEOUT
    assert pair.node.counters().setters_failed == 2


def test_a_closed_terminal_answers_nothing(pair: Pair) -> None:
    pair.node.close()
    assert kind_of(lambda: pair.node.read_registers(0, 1)) is HalErrorKind.STATE
    assert kind_of(lambda: pair.node.write_register(R.INHIBIT, 1)) is HalErrorKind.STATE


WRITES = st.tuples(
    st.one_of(st.sampled_from(TermRegister), st.integers(-1, TERM_REG_COUNT)),
    st.one_of(st.integers(-2, 2), st.just(TERM_RESET_KEY), st.integers(-(2**32), 2**33)),
)


@settings(deadline=None, max_examples=60)
@given(writes=st.lists(st.one_of(WRITES, st.binary(min_size=1, max_size=9)), max_size=30))
def test_both_terminals_answer_alike_whatever_is_written(
    writes: list[tuple[int, int] | bytes],
) -> None:
    pairs = (native_pair(), fake_pair())
    for write in writes:
        outcomes = [outcome(pair, write) for pair in pairs]
        assert outcomes[0] == outcomes[1]
        maps = [pair.node.read_registers(0, TERM_REG_COUNT) for pair in pairs]
        assert maps[0] == maps[1]
    assert pairs[0].node.counters() == pairs[1].node.counters()


def outcome(pair: Pair, write: tuple[int, int] | bytes) -> object:
    if isinstance(write, bytes):
        return pair.node.submit_frame(write), pair.bench.push_rx(write)
    try:
        pair.node.write_register(*write)
    except HalError as error:
        return error.kind
    return None
