"""The tick as Python meets it; durations are the machine's business."""

from __future__ import annotations

import select
import threading

import pytest

from hal.native_devices import NativeDevices
from hal.native_library import ffi
from hal.sample import HalConfig, HalError, HalErrorKind
from hal.tick_source import PERIOD_NS_MAX, PERIOD_NS_MIN, TickSource, TickStatus, enter_realtime

PERIOD_NS = 2_000_000


def test_a_selector_sees_each_tick_and_ticks_are_on_the_grid() -> None:
    source = TickSource(PERIOD_NS)
    source.start()
    taken, last_ns = 0, 0
    while taken < 10:
        select.select([source.fileno()], [], [])
        count, due_ns = source.take()
        assert count >= 1
        assert due_ns % PERIOD_NS == 0
        assert last_ns in (0, due_ns - count * PERIOD_NS)
        taken, last_ns = taken + count, due_ns
    status = source.status()
    assert status.taken == taken <= status.ticks
    assert sum(status.late) + status.missed <= status.ticks + 1
    assert status.grant == (0, 0, ())
    source.stop()
    source.stop()


def test_the_values_are_those_of_the_c_structure() -> None:
    in_c = [name for name, _ in ffi.typeof("struct tick_status").fields]
    assert tuple(in_c) == TickStatus._fields


def test_a_source_that_does_not_run_says_so() -> None:
    source = TickSource(PERIOD_NS)
    for call in (source.fileno, source.take, source.status):
        with pytest.raises(HalError) as caught:
            call()
        assert caught.value.kind is HalErrorKind.STATE


@pytest.mark.parametrize(
    ("period_ns", "priority"),
    [(PERIOD_NS_MIN - 1, 0), (PERIOD_NS_MAX + 1, 0), (PERIOD_NS, -1), (PERIOD_NS, 100)],
)
def test_a_configuration_out_of_bounds_does_not_start(period_ns: int, priority: int) -> None:
    with pytest.raises(HalError) as caught:
        TickSource(period_ns, priority=priority).start()
    assert caught.value.kind is HalErrorKind.RANGE


def in_a_thread(work: object) -> list[object]:
    """What a thread is granted must not stay with the tests."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()))  # type: ignore[operator]
    thread.start()
    thread.join()
    return found


def test_a_refused_wish_is_named_with_its_reason_and_the_rest_is_granted() -> None:
    devices = NativeDevices("sim", HalConfig(tx_fifo_frames=1, rx_fifo_frames=1, max_frame_bytes=9))
    (grant,) = in_a_thread(lambda: enter_realtime(cpu_mask=1 << 63, lock=devices))
    (refused,) = grant.refused  # type: ignore[attr-defined]
    assert refused.startswith("processors 0x8000000000000000: ")
    assert grant.locked_bytes == devices.arena.size_bytes  # type: ignore[attr-defined]


def test_who_wishes_nothing_is_refused_nothing_and_nonsense_is_an_error() -> None:
    assert in_a_thread(enter_realtime) == [(0, 0, ())]
    with pytest.raises(HalError) as caught:
        enter_realtime(priority=100)
    assert caught.value.kind is HalErrorKind.RANGE
