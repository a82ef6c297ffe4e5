"""What only a node at the end of a bench's line promises; the rest is the contract of all nodes."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING

import pytest
from line_bench import LineBench, SteppedNode

from hal.guard import Guard
from hal.link_devices import (
    REFUSALS,
    Heartbeat,
    LinkConfig,
    LinkDevices,
    LinkMode,
    LinkPhase,
    LinkStatus,
)
from hal.native_library import ffi, lib
from hal.sample import (
    SENSOR_ALL,
    FailingCall,
    HalConfig,
    HalError,
    HalErrorKind,
    ResetCause,
    SensorBit,
    ThrottleBit,
)
from hal.terminal_registers import TermRegister
from hil.bench_link.layout import MessageType, Refusal
from hil.bench_link.messages import Octets
from hil.bench_link.session_values import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CONFIG = HalConfig(tx_fifo_frames=4, rx_fifo_frames=3, max_frame_bytes=9000)
LOCAL = SensorBit.TX_FIFO | SensorBit.RX_PENDING


@pytest.fixture(params=list(LinkMode), ids=lambda mode: mode.name.lower())
def bench(request: pytest.FixtureRequest) -> Iterator[LineBench]:
    made = LineBench(request.param, CONFIG)
    yield made
    if made.node is not None:
        made.node.close()
    made.close()


@pytest.fixture
def stepped() -> Iterator[tuple[SteppedNode, LineBench]]:
    bench = LineBench(LinkMode.LOCK_STEP, CONFIG)
    node = SteppedNode(bench, CONFIG)
    yield node, bench
    node.close()
    bench.close()


def kind_of(call: Callable[[], object]) -> HalErrorKind:
    with pytest.raises(HalError) as caught:
        call()
    return caught.value.kind


def is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def test_every_number_equals_its_twin_in_the_c_header() -> None:
    assert {phase.name: phase.value for phase in LinkPhase} == {
        name.removeprefix("HAL_LINK_"): getattr(lib, name)
        for name in dir(lib)
        if name.startswith("HAL_LINK_") and not name.endswith(("_MAX", "_RECORDS"))
    }
    assert {mode.name: mode.value for mode in LinkMode} == {
        name.removeprefix("LINK_MODE_"): getattr(lib, name)
        for name in dir(lib)
        if name.startswith("LINK_MODE_")
    }
    assert sorted(REFUSALS) == sorted(Refusal)


def test_the_python_values_have_the_fields_of_the_c_structures_in_order() -> None:
    for value, in_c in (
        (LinkStatus, "struct hal_link_status"),
        (Heartbeat, "struct link_heartbeat"),
    ):
        assert value.__struct_fields__ == tuple(name for name, _ in ffi.typeof(in_c).fields)


def test_the_defaults_of_both_sides_are_the_same() -> None:
    in_c = ffi.new("struct hal_link_config *")
    assert lib.hal_link_config_init(in_c) == lib.HAL_OK
    in_python = LinkConfig("unused")
    for name in LinkConfig.__struct_fields__[1:]:
        assert getattr(in_c, name) == int(getattr(in_python, name))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (LinkConfig("/dev/no-such-line"), HalErrorKind.NODEV),
        (LinkConfig("/dev/null", baud=4_000_001), HalErrorKind.RANGE),
        (LinkConfig("/dev/null", baud=-1), HalErrorKind.RANGE),
        (LinkConfig("/dev/null", period_us=999), HalErrorKind.RANGE),
        (LinkConfig("/dev/null", stale_ms=0), HalErrorKind.RANGE),
        (LinkConfig("/dev/null", boot_count=2**32), HalErrorKind.RANGE),
    ],
)
def test_a_line_that_cannot_be_is_a_typed_error(line: LinkConfig, kind: HalErrorKind) -> None:
    assert kind_of(lambda: LinkDevices(line)) is kind


def test_without_a_bench_time_runs_and_every_call_answers(bench: LineBench) -> None:
    free_run = LinkDevices(LinkConfig(bench.path, mode=LinkMode.FREE_RUN), CONFIG)
    first, second = free_run.snapshot(), free_run.snapshot()
    assert 0 < first.t_ns <= second.t_ns
    assert first.valid == LOCAL
    assert first.tx_fifo_free == 0
    assert free_run.set_payload_level(2) == 2
    assert not free_run.submit_frame(b"nobody takes it")
    assert not free_run.tell(b"nobody hears it")
    assert free_run.receive_frame() is None
    assert kind_of(free_run.kick_watchdog) is HalErrorKind.IO
    state = free_run.state()
    assert (state.phase, state.refusal, state.sensors_seen) == (LinkPhase.WAITING, "", 0)
    free_run.close()


def test_what_was_set_before_a_bench_came_is_announced_to_it(bench: LineBench) -> None:
    mode = LinkMode.LOCK_STEP if bench.lock_step else LinkMode.FREE_RUN
    node = LinkDevices(LinkConfig(bench.path, mode=mode), CONFIG)
    node.set_payload_level(5)
    bench.connect(node)
    bench.step()
    assert bench.read_actuators().payload_level == 5


def test_the_longest_frame_passes_whole_in_both_directions(bench: LineBench) -> None:
    node = SteppedNode(bench, CONFIG)
    longest = bytes(i % 251 for i in range(9000))
    for _ in range(4):
        assert node.submit_frame(longest)
    assert not node.submit_frame(longest)
    bench.until(lambda: len(bench.received) == 4)
    assert list(bench.received) == [longest] * 4
    assert bench.push_rx(longest)
    bench.until(lambda: node.snapshot().rx_pending == 1)
    assert node.receive_frame() == longest


def test_a_grant_is_taken_once_and_its_end_is_told(stepped: tuple[SteppedNode, LineBench]) -> None:
    node, bench = stepped
    assert node.take_grant() is None
    before = bench.tick_done
    bench.sensors["t_ns"] = 12_000_000_000
    bench.sensors["utc_ns"] = 1_750_000_000_000_000_000
    bench.step()
    assert bench.tick_done == before + 1
    assert node.snapshot().t_ns == 12_000_000_000
    assert node.snapshot().utc_ns == 1_750_000_000_000_000_000
    node.done()
    assert kind_of(node.done) is HalErrorKind.BUSY
    assert node.status().grants_taken == bench.tick_granted


def test_waiting_for_a_grant_ends_with_it_or_without(
    stepped: tuple[SteppedNode, LineBench],
) -> None:
    node, bench = stepped
    assert node.wait_grant(0.0) is None
    assert node.wait_grant(1e-4) is None
    node.done()
    bench.until(lambda: bench.tick_done == bench.tick_granted)
    bench.sensors["t_ns"] = 7
    bench.tick_granted += 1
    bench.show()
    bench.grant()
    taken = []
    bench.until(lambda: taken.append(node.wait_grant(0.01)) or taken[-1])
    assert taken[-1] == (7, 7)


def test_the_descriptor_to_wait_on_shows_a_grant_and_then_none(
    stepped: tuple[SteppedNode, LineBench],
) -> None:
    node, bench = stepped
    node.state()
    assert not is_readable(node.wake_fd())
    node.done()
    bench.until(lambda: bench.tick_done == bench.tick_granted)
    bench.tick_granted += 1
    bench.show()
    bench.grant()
    bench.until(lambda: is_readable(node.wake_fd()))
    assert node.state().phase is LinkPhase.UP
    assert is_readable(node.wake_fd()), "the grant still waits"
    assert node.take_grant() is not None
    assert not is_readable(node.wake_fd())


def test_free_run_knows_no_grants() -> None:
    bench = LineBench(LinkMode.FREE_RUN, CONFIG)
    node = LinkDevices(LinkConfig(bench.path, mode=LinkMode.FREE_RUN), CONFIG)
    assert kind_of(node.take_grant) is HalErrorKind.UNSUPPORTED
    assert kind_of(lambda: node.wait_grant(0)) is HalErrorKind.UNSUPPORTED
    node.close()
    bench.close()


def test_in_lock_step_a_record_waits_for_room_and_none_is_lost() -> None:
    bench = LineBench(LinkMode.LOCK_STEP, CONFIG)
    node = SteppedNode(bench, CONFIG)
    records = [index.to_bytes(4, "big") * 100 for index in range(3_000)]
    hearing = threading.Thread(target=bench.until, args=[lambda: len(bench.records) == 3_000])
    hearing.start()
    told = [node.tell(record) for record in records]
    hearing.join()
    assert all(told)
    assert bench.records == records
    assert node.status().records_refused == 0
    node.close()
    bench.close()


def test_records_reach_the_bench_whole_and_in_order(bench: LineBench) -> None:
    node = SteppedNode(bench, CONFIG)
    records = [bytes([i]) * (i * 200 + 1) for i in range(20)]
    assert all(node.tell(record) for record in records)
    bench.until(lambda: len(bench.records) == 20)
    assert bench.records == records
    assert kind_of(lambda: node.tell(b"")) is HalErrorKind.RANGE
    assert kind_of(lambda: node.tell(bytes(4097))) is HalErrorKind.RANGE
    status = node.status()
    assert (status.records_told, status.records_refused) == (20, 0)


def test_registers_are_read_and_written_at_the_far_end(bench: LineBench) -> None:
    node = SteppedNode(bench, CONFIG)
    node.write_register(TermRegister.SCAN_URAD, 321)
    bench.until(lambda: bench.registers.get(TermRegister.SCAN_URAD) == 321)
    bench.step()
    bench.until(lambda: node.read_registers(TermRegister.SCAN_URAD, 1) == [321])


def test_throttling_seen_once_stays_latched_until_it_is_cleared(
    stepped: tuple[SteppedNode, LineBench],
) -> None:
    node, bench = stepped
    bench.throttle_live = ThrottleBit.THERMAL
    bench.step()
    bench.throttle_live = 0
    bench.step()
    frame = node.snapshot()
    assert (frame.throttle_live, frame.throttle_latched) == (0, ThrottleBit.THERMAL)


def test_a_bench_of_the_other_mode_refuses_and_the_reason_has_a_name(bench: LineBench) -> None:
    other = LinkMode.FREE_RUN if bench.lock_step else LinkMode.LOCK_STEP
    node = LinkDevices(LinkConfig(bench.path, mode=other), CONFIG)
    bench.until(lambda: node.state().phase is LinkPhase.REFUSED)
    assert node.state().refusal == "mode"
    bench.until(lambda: bench.session.refusal is Refusal.MODE)
    node.close()


def test_when_the_bench_cuts_the_power_every_call_says_so(bench: LineBench) -> None:
    node = SteppedNode(bench, CONFIG)
    bench.reset(ResetCause.WATCHDOG)
    bench.until(lambda: node.state().phase is LinkPhase.RESET)
    assert node.state().reset_cause == ResetCause.WATCHDOG
    calls = (
        node.snapshot,
        lambda: node.set_payload_level(1),
        lambda: node.submit_frame(b"x"),
        node.receive_frame,
        node.kick_watchdog,
        lambda: node.read_registers(0, 1),
    )
    assert {kind_of(call) for call in calls} == {HalErrorKind.NODEV}


def test_garbage_on_the_line_is_counted_and_harms_nothing(bench: LineBench) -> None:
    node = SteppedNode(bench, CONFIG)
    bench.write_raw(os.urandom(5000).replace(b"\0", b"\1") + b"\0\x05abcd\0")
    bench.write_sensors(bus_mw=4242)
    assert node.snapshot().bus_mw == 4242
    status = node.status()
    assert status.phase == LinkPhase.UP.value
    assert status.rx_corrupt + status.rx_too_long == 2
    assert status.downs == 0


def test_both_ends_tell_each_other_their_counters_and_clocks(bench: LineBench) -> None:
    node = SteppedNode(bench, CONFIG)
    bench.until(lambda: node.status().delay_ns >= 0 and node.status().peer.rx_messages > 0)
    status = node.status()
    assert abs(status.offset_ns) <= status.uncertainty_ns, "the two share a clock"
    assert status.peer_role == 2
    assert status.rx_corrupt == status.rx_lost == status.rx_stale == 0


def test_an_echo_comes_back_as_it_was_sent(bench: LineBench) -> None:
    SteppedNode(bench, CONFIG)
    octets = bytes(range(200))
    bench.send(MessageType.ECHO, Octets(octets))
    bench.until(lambda: octets in bench.records)


def test_a_line_pulled_and_put_back_is_found_again(tmp_path: Path) -> None:
    name = tmp_path / "line"
    first = LineBench(LinkMode.FREE_RUN, CONFIG)
    name.symlink_to(first.path)
    node = LinkDevices(LinkConfig(str(name), mode=LinkMode.FREE_RUN), CONFIG)
    first.connect(node)
    assert node.snapshot().valid == SENSOR_ALL
    node.set_payload_level(3)
    name.unlink()
    first.close()
    second = LineBench(LinkMode.FREE_RUN, CONFIG)
    while node.state().phase is not LinkPhase.DOWN:
        assert node.snapshot().is_valid(LOCAL), "no call fails meanwhile"
    assert node.snapshot().valid == LOCAL
    name.symlink_to(second.path)
    second.connect(node)
    assert node.snapshot().valid == SENSOR_ALL
    assert second.read_actuators().payload_level == 3, "announced anew"
    status = node.status()
    assert (status.line_opens, status.line_losses) == (2, 1)
    node.close()
    second.close()


def test_a_line_cannot_make_single_calls_fail(stepped: tuple[SteppedNode, LineBench]) -> None:
    node, bench = stepped
    assert kind_of(lambda: bench.fail(FailingCall.LASER)) is HalErrorKind.UNSUPPORTED
    assert node.snapshot().valid == SENSOR_ALL
    assert bench.session.phase is Phase.UP


def test_the_guards_process_reaches_a_node_on_a_bench_as_well() -> None:
    """Else a node that was stopped would go on, once it runs again, as if nothing had been."""
    bench = LineBench(LinkMode.FREE_RUN, CONFIG)
    node = LinkDevices(LinkConfig(bench.path, baud=0), CONFIG)
    guard = Guard(node, period_ns=2_000_000, limit_ticks=5)
    guard.start_supervisor()
    give_up = time.monotonic() + 60
    while guard.supervisor_runs() and not guard.status().process_ticks:
        assert time.monotonic() < give_up
        time.sleep(0.001)
    assert guard.status().process_ticks
    assert node.set_laser(on=True) == 1
    guard.arm()
    while not guard.status().safe:
        assert time.monotonic() < give_up
        time.sleep(0.001)
    with pytest.raises(HalError) as caught:
        node.set_laser(on=True)
    assert caught.value.kind is HalErrorKind.INHIBITED
    guard.close()
    node.close()
    bench.close()
