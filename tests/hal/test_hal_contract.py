"""One contract for every implementation of the node's hardware; a new one joins by one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from line_bench import LineBench, SteppedNode
from linux_boards import BOARDS, make_tree

from hal.fake_devices import FakeBench, FakeDevices
from hal.link_devices import LinkMode
from hal.linux_config import LinuxLevel
from hal.linux_devices import LinuxDevices
from hal.native_devices import NativeDevices
from hal.sample import (
    SENSOR_ALL,
    SENSOR_FIELDS,
    FailingCall,
    HalConfig,
    HalError,
    HalErrorKind,
    ResetCause,
    SensorBit,
    Stuck,
)
from hal.sim_bench import SimBench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hal.protocols import NodeDevices

CONFIG = HalConfig(tx_fifo_frames=4, rx_fifo_frames=3, max_frame_bytes=100, payload_level_max=7)


@dataclass(frozen=True)
class Pair:
    """Both ends of one node."""

    node: NativeDevices | FakeDevices
    bench: SimBench | FakeBench | LineBench

    def close(self) -> None:
        self.node.close()
        if isinstance(self.bench, LineBench):
            self.bench.close()


def native_pair() -> Pair:
    node = NativeDevices("sim", CONFIG)
    return Pair(node, SimBench(node))


def fake_pair() -> Pair:
    node = FakeDevices(CONFIG)
    return Pair(node, FakeBench(node))


def line_pair() -> Pair:
    bench = LineBench(LinkMode.LOCK_STEP, CONFIG)
    return Pair(SteppedNode(bench, CONFIG), bench)


SIMULATED = [pytest.param(native_pair, id="native-sim"), pytest.param(fake_pair, id="fake")]
IMPLEMENTATIONS = [*SIMULATED, pytest.param(line_pair, id="link-pty")]


ON_A_TREE = [pytest.param(name, id=f"linux-{name}") for name in BOARDS]
"""The backend "linux" on boards made of files: nobody there answers for a terminal or a battery."""


@pytest.fixture(params=[*IMPLEMENTATIONS, *ON_A_TREE])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NodeDevices]:
    """Every node there is, whatever it has."""
    if isinstance(request.param, str):
        tree = make_tree(tmp_path / "board", request.param)
        journal = str(tmp_path / "journal")
        levels = [LinuxLevel()] * CONFIG.payload_level_max
        made = LinuxDevices(tree.config(period_ms=0), CONFIG, levels=levels, journal=journal)
        yield made
        made.close()
    else:
        pair = request.param()
        yield pair.node
        pair.close()


@pytest.fixture(params=IMPLEMENTATIONS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    made = request.param()
    yield made
    made.close()


@pytest.fixture(params=SIMULATED)
def simulated(request: pytest.FixtureRequest) -> Pair:
    """A node whose bench is in its process: it can make single calls fail, and reset in place."""
    return request.param()


def kind_of(call: Callable[[], object]) -> HalErrorKind:
    with pytest.raises(HalError) as caught:
        call()
    assert caught.value.code == -caught.value.kind
    return caught.value.kind


def test_a_fresh_node_is_off_and_every_field_is_valid(pair: Pair) -> None:
    frame = pair.node.snapshot()
    assert frame.valid == SENSOR_ALL
    assert (frame.t_ns, frame.utc_ns, frame.seq, frame.boot_count) == (0, 0, 1, 1)
    assert (frame.payload_level, frame.laser_on, frame.target_id, frame.heater_on) == (0, 0, 0, 0)
    assert (frame.tx_fifo_free, frame.tx_frames_total, frame.rx_pending) == (4, 0, 0)
    assert frame.array_mw > frame.bus_mw > 0
    assert frame.battery_ma < 0, "a node at rest in the sun charges"


def test_the_fake_at_rest_shows_what_the_native_one_shows() -> None:
    assert fake_pair().node.snapshot() == native_pair().node.snapshot()


def test_every_snapshot_has_the_next_sequence_number(node: NodeDevices) -> None:
    assert [node.snapshot().seq for _ in range(5)] == [1, 2, 3, 4, 5]


def test_everything_can_be_put_to_rest_also_what_is_not_there(node: NodeDevices) -> None:
    assert node.set_payload_level(0) == 0
    assert (node.set_heater(False), node.point_terminal(0), node.set_laser(False)) == (0, 0, 0)
    assert node.receive_frame() is None
    node.kick_watchdog()
    frame = node.snapshot()
    assert (frame.payload_level, frame.heater_on, frame.laser_on, frame.target_id) == (0, 0, 0, 0)


def test_what_a_node_has_obeys_and_what_it_lacks_says_so(node: NodeDevices) -> None:
    assert node.set_payload_level(7) == 7
    for setter, bit in (
        (lambda: node.set_heater(True), SensorBit.HEATER_ON),
        (lambda: node.point_terminal(3), SensorBit.TARGET_ID),
        (lambda: node.set_laser(True), SensorBit.LASER_ON),
    ):
        if node.snapshot().is_valid(bit):
            assert setter() > 0
        else:
            assert kind_of(setter) is HalErrorKind.UNSUPPORTED


def test_time_goes_on_or_stands_still(node: NodeDevices) -> None:
    times = [node.snapshot().t_ns for _ in range(5)]
    assert times == sorted(times)


SIGNED = st.integers(-(2**31), 2**31 - 1)
UNSIGNED = st.integers(0, 2**32 - 1)
_WIDTH = {
    "t_ns": st.integers(0, 2**64 - 1),
    "utc_ns": st.integers(-(2**63), 2**63 - 1),
    "valid": UNSIGNED,
    "term_flags": UNSIGNED,
    "reset_cause": UNSIGNED,
    "boot_count": UNSIGNED,
}
SENSORS = st.fixed_dictionaries(
    {},
    optional={name: _WIDTH.get(name, SIGNED) for name in SENSOR_FIELDS if name != "stuck"},
)


@pytest.mark.parametrize("make", IMPLEMENTATIONS)
@settings(deadline=None, max_examples=60)
@given(fields=SENSORS)
def test_what_the_bench_writes_comes_back_value_for_value(
    make: Callable[[], Pair], fields: dict[str, int]
) -> None:
    pair = make()
    before = pair.node.snapshot()
    pair.bench.write_sensors(**fields)
    after = pair.node.snapshot()
    for name in SENSOR_FIELDS:
        if name not in {"stuck", "valid"}:
            assert getattr(after, name) == fields.get(name, getattr(before, name))
    valid = fields.get("valid", before.valid) & SENSOR_ALL
    if after.reset_cause not in set(ResetCause):  # a cause without a name is none
        valid &= ~SensorBit.RESET_CAUSE
    assert after.valid == valid
    pair.close()


@pytest.mark.parametrize(
    "wrong", [{"no_such": 1}, {"battery_ma": 2**31}, {"valid": -1}, {"t_ns": -1}]
)
def test_a_sensor_value_that_cannot_be_is_refused(pair: Pair, wrong: dict[str, int]) -> None:
    assert kind_of(lambda: pair.bench.write_sensors(**wrong)) is HalErrorKind.RANGE


def test_time_never_goes_back(pair: Pair) -> None:
    pair.bench.write_sensors(t_ns=10)
    assert kind_of(lambda: pair.bench.write_sensors(t_ns=9, bus_mw=1)) is HalErrorKind.RANGE
    assert pair.node.snapshot().t_ns == 10
    assert pair.node.snapshot().bus_mw != 1


def test_validity_is_per_field(pair: Pair) -> None:
    pair.bench.write_sensors(valid=SENSOR_ALL & ~SensorBit.DIE_TEMP)
    frame = pair.node.snapshot()
    assert not frame.is_valid(SensorBit.DIE_TEMP)
    assert not frame.is_valid(SensorBit.DIE_TEMP | SensorBit.SINK_TEMP)
    assert frame.is_valid(SensorBit.SINK_TEMP | SensorBit.BUS)


def test_setters_return_the_read_back_and_the_bench_sees_it(pair: Pair) -> None:
    assert pair.node.set_payload_level(7) == 7
    assert pair.node.set_heater(True) == 1
    assert pair.node.point_terminal(65535) == 65535
    assert pair.node.set_laser(True) == 1
    pair.node.kick_watchdog()
    assert pair.bench.read_actuators() == (7, 1, 65535, 1, 1)
    frame = pair.node.snapshot()
    assert (frame.payload_level, frame.laser_on, frame.target_id, frame.heater_on) == (
        (7, 1, 65535, 1)
    )


@pytest.mark.parametrize("level", [-1, 8, 2**32, 2**70])
def test_a_level_the_board_does_not_have_is_refused_and_counted(
    node: NodeDevices, level: int
) -> None:
    assert kind_of(lambda: node.set_payload_level(level)) is HalErrorKind.RANGE
    assert kind_of(lambda: node.point_terminal(65536)) is HalErrorKind.RANGE
    assert node.counters().setters_rejected == 2
    assert node.snapshot().payload_level == 0


def test_what_was_refused_does_not_reach_the_bench(pair: Pair) -> None:
    assert kind_of(lambda: pair.node.set_payload_level(8)) is HalErrorKind.RANGE
    assert kind_of(lambda: pair.node.point_terminal(65536)) is HalErrorKind.RANGE
    assert pair.bench.read_actuators() == (0, 0, 0, 0, 0)


def test_how_busy_the_payload_was_is_kept_until_told_again(node: NodeDevices) -> None:
    assert node.snapshot().payload_busy_permille == 0
    assert node.set_payload_busy(1000) == 1000
    assert node.snapshot().payload_busy_permille == 1000
    for wrong in (-1, 1001, 2**40):
        assert kind_of(lambda wrong=wrong: node.set_payload_busy(wrong)) is HalErrorKind.RANGE
    assert node.counters().setters_rejected == 3


def test_a_stuck_actuator_tells_by_its_read_back(pair: Pair) -> None:
    pair.node.set_payload_level(5)
    pair.bench.write_sensors(stuck=Stuck.PAYLOAD_LEVEL | Stuck.LASER)
    pair.node.set_payload_level(0)
    pair.node.set_laser(True)
    pair.node.set_heater(True)
    frame = pair.node.snapshot()
    assert (frame.payload_level, frame.laser_on, frame.heater_on) == (5, 0, 1)
    assert pair.node.counters().readback_differs == 2
    pair.bench.write_sensors(stuck=0)
    assert pair.node.set_payload_level(0) == 0
    assert pair.node.snapshot().payload_level == 0
    assert pair.node.counters().readback_differs == 2


def test_hardware_that_answers_at_once_returns_what_is_stuck(simulated: Pair) -> None:
    simulated.node.set_payload_level(5)
    simulated.bench.write_sensors(stuck=Stuck.PAYLOAD_LEVEL | Stuck.LASER)
    assert simulated.node.set_payload_level(0) == 5
    assert simulated.node.set_laser(True) == 0
    assert simulated.node.set_heater(True) == 1


def test_one_frame_a_credit_and_a_drained_frame_gives_it_back(pair: Pair) -> None:
    frames = [bytes([i]) * (i + 1) for i in range(4)]
    assert [pair.node.submit_frame(frame) for frame in frames] == [True] * 4
    assert not pair.node.submit_frame(b"fifth")
    assert pair.node.snapshot().tx_fifo_free == 0
    assert pair.bench.drain_tx(1) == frames[:1]
    assert pair.node.submit_frame(b"fifth")
    assert pair.bench.drain_tx(100) == [*frames[1:], b"fifth"]
    assert pair.bench.drain_tx(100) == []
    frame = pair.node.snapshot()
    assert (frame.tx_fifo_free, frame.tx_frames_total) == (4, 5)
    counted = pair.node.counters()
    assert (counted.tx_accepted, counted.tx_rejected_full) == (5, 1)


@pytest.mark.parametrize("frame", [b"", bytes(101)])
def test_a_frame_the_terminal_cannot_send_is_an_error_not_a_lack_of_credit(
    pair: Pair, frame: bytes
) -> None:
    assert kind_of(lambda: pair.node.submit_frame(frame)) is HalErrorKind.RANGE
    assert kind_of(lambda: pair.bench.push_rx(frame)) is HalErrorKind.RANGE
    assert pair.node.counters().tx_rejected_size == 1


def test_received_frames_wait_in_order_and_the_one_too_many_is_counted(pair: Pair) -> None:
    assert pair.node.receive_frame() is None
    frames = [b"a", bytes(100), b"ccc"]
    assert all(pair.bench.push_rx(frame) for frame in frames)
    assert not pair.bench.push_rx(b"lost")
    assert pair.node.snapshot().rx_pending == 3
    assert [pair.node.receive_frame() for _ in range(4)] == [*frames, None]
    counted = pair.node.counters()
    assert (counted.rx_delivered, counted.rx_overflow) == (3, 1)


@pytest.mark.parametrize("make", [native_pair, line_pair])
@settings(deadline=None, max_examples=40)
@given(steps=st.lists(st.one_of(st.binary(min_size=1, max_size=100), st.integers(0, 3))))
def test_both_fifos_behave_alike_whatever_comes(
    make: Callable[[], Pair], steps: list[bytes | int]
) -> None:
    pairs = (make(), fake_pair())
    for step in steps:
        if isinstance(step, bytes):
            outcomes = [(p.node.submit_frame(step), p.bench.push_rx(step)) for p in pairs]
        else:
            outcomes = [(p.bench.drain_tx(step), p.node.receive_frame()) for p in pairs]
        assert outcomes[0] == outcomes[1]
    shown = [(p.node.snapshot(), p.node.counters()) for p in pairs]
    assert shown[0] == shown[1]
    pairs[0].close()


def test_a_call_made_to_fail_raises_its_kind_until_it_is_healed(simulated: Pair) -> None:
    simulated.bench.fail(FailingCall.SNAPSHOT | FailingCall.LASER, HalErrorKind.TIMEOUT)
    assert kind_of(simulated.node.snapshot) is HalErrorKind.TIMEOUT
    assert kind_of(lambda: simulated.node.set_laser(True)) is HalErrorKind.TIMEOUT
    assert simulated.node.set_heater(True) == 1
    simulated.bench.fail(0)
    assert simulated.node.snapshot().laser_on == 0
    counted = simulated.node.counters()
    assert (counted.snapshots, counted.snapshots_failed, counted.setters_failed) == (1, 1, 1)


def test_every_call_can_be_made_to_fail(simulated: Pair) -> None:
    simulated.bench.fail(sum(FailingCall), HalErrorKind.IO)
    node = simulated.node
    calls = (
        node.snapshot,
        lambda: node.set_payload_level(1),
        lambda: node.set_heater(True),
        lambda: node.point_terminal(1),
        lambda: node.set_laser(True),
        lambda: node.submit_frame(b"x"),
        node.receive_frame,
        node.kick_watchdog,
    )
    assert {kind_of(call) for call in calls} == {HalErrorKind.IO}
    counted = node.counters()
    assert (counted.setters_failed, counted.tx_failed, counted.rx_failed) == (4, 1, 1)
    assert (counted.snapshots_failed, counted.watchdog_failed) == (1, 1)


def test_a_reset_switches_off_and_counts_what_it_lost(simulated: Pair) -> None:
    simulated.node.set_laser(True)
    simulated.node.set_payload_busy(700)
    simulated.node.submit_frame(b"out")
    simulated.bench.push_rx(b"in")
    simulated.bench.reset(ResetCause.WATCHDOG)
    frame = simulated.node.snapshot()
    assert (frame.laser_on, frame.tx_fifo_free, frame.rx_pending) == (0, 4, 0)
    assert frame.payload_busy_permille == 0
    assert (frame.boot_count, frame.reset_cause) == (2, ResetCause.WATCHDOG)
    counted = simulated.node.counters()
    assert (counted.tx_flushed, counted.rx_flushed) == (1, 1)


def test_a_closed_node_refuses_every_call_but_close(node: NodeDevices) -> None:
    node.close()
    node.close()
    calls = (
        node.snapshot,
        lambda: node.set_payload_level(0),
        lambda: node.set_heater(False),
        lambda: node.point_terminal(0),
        lambda: node.set_laser(False),
        lambda: node.set_payload_busy(0),
        lambda: node.submit_frame(b"x"),
        node.receive_frame,
        node.kick_watchdog,
        node.counters,
    )
    assert {kind_of(call) for call in calls} == {HalErrorKind.STATE}


def test_the_bench_of_a_closed_node_is_refused_as_well(simulated: Pair) -> None:
    simulated.node.close()
    bench = simulated.bench
    calls = (
        bench.read_actuators,
        lambda: bench.write_sensors(bus_mw=1),
        lambda: bench.drain_tx(1),
        lambda: bench.push_rx(b"x"),
        lambda: bench.reset(0),
        lambda: bench.fail(0),
    )
    assert {kind_of(call) for call in calls} == {HalErrorKind.STATE}
