"""A terminal on a serial line through the client that flies, with the emulator at the other end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from terminal_subjects import emulator_path

from hal.native_library import ffi, lib
from hal.sample import HalConfig, HalError, HalErrorKind, TermFlag
from hal.terminal_line import TerminalLine
from hal.terminal_registers import TERM_MAGIC, TermRegister
from hal.terminal_values import LinePhase, TerminalLineCounters

if TYPE_CHECKING:
    from collections.abc import Callable

R = TermRegister
PATIENCE_S = 60.0
SURE = ("--margin", "30", "--seed", "11", "--mirror", "--peer", "5")


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def kind_of(call: Callable[[], object]) -> HalErrorKind:
    with pytest.raises(HalError) as caught:
        call()
    return caught.value.kind


def test_the_python_values_have_the_fields_of_the_c_structures_in_order() -> None:
    in_c = [name for name, _ in ffi.typeof("struct term_link_counters").fields]
    assert tuple(in_c) == TerminalLineCounters.__struct_fields__
    for phase in LinePhase:
        assert getattr(lib, f"TERM_LINK_{phase.name}") == phase.value


def test_without_a_device_nothing_is_known_and_nothing_is_lit(tmp_path: Path) -> None:
    with TerminalLine(str(tmp_path / "no-such-device")) as line:
        assert line.look().phase is LinePhase.CLOSED
        assert kind_of(lambda: line.read_registers(0, 1)) is HalErrorKind.STALE
        assert kind_of(lambda: line.read_registers(-1, 1)) is HalErrorKind.RANGE
        assert kind_of(lambda: line.read_registers(0, 2**40)) is HalErrorKind.RANGE
        assert kind_of(lambda: line.write_register(R.LASER_ENABLE, 1)) is HalErrorKind.TIMEOUT
        assert kind_of(lambda: line.write_register(R.AZIMUTH_UDEG, 2**40)) is HalErrorKind.RANGE
        assert kind_of(lambda: line.write_register(R.MAGIC, 0)) is HalErrorKind.PERM
        assert not line.submit_frame(b"x")
        assert kind_of(lambda: line.submit_frame(b"")) is HalErrorKind.RANGE
        assert line.receive_frame() is None
        line.close()


@pytest.mark.parametrize("wrong", [HalConfig(tx_fifo_frames=0), HalConfig(max_frame_bytes=65543)])
def test_a_configuration_out_of_bounds_does_not_open(wrong: HalConfig) -> None:
    assert kind_of(lambda: TerminalLine("/dev/null", config=wrong)) is HalErrorKind.RANGE
    assert kind_of(lambda: TerminalLine("")) is HalErrorKind.RANGE


@pytest.mark.slow
def test_a_contact_through_the_client_and_what_the_mirror_sends_back() -> None:
    with emulator_path(*SURE) as (path, _), TerminalLine(path) as line:
        until(lambda: line.look().phase is LinePhase.UP)
        line.write_register(R.TARGET_ID, 5)
        line.write_register(R.LASER_ENABLE, 1)
        until(lambda: bool(line.look().registers[R.FLAGS] & TermFlag.SYNC))
        sent = [bytes([index]) * 3_000 for index in range(40)]
        received: list[bytes] = []
        for frame in sent:
            until(lambda frame=frame: line.submit_frame(frame))

        def all_came() -> bool:
            frame = line.receive_frame()
            if frame is not None:
                received.append(frame)
            return len(received) == len(sent)

        until(all_came)
        assert received == sent
        until(lambda: line.look().counters.tx_by_light == len(sent))
        assert line.look().counters.tx_flushed == 0


@pytest.mark.slow
def test_a_terminal_that_was_exchanged_is_told_again_and_stays_dark(tmp_path: Path) -> None:
    device = tmp_path / "terminal"
    with emulator_path() as (path, _):
        device.symlink_to(path)
        line = TerminalLine(str(device))
        until(lambda: line.look().phase is LinePhase.UP)
        line.write_register(R.TARGET_ID, 5)
        line.write_register(R.LASER_ENABLE, 1)
        until(lambda: line.look().registers[R.LASER_ENABLE] == 1)
        device.unlink()
    until(lambda: line.look().phase is LinePhase.CLOSED)
    assert kind_of(lambda: line.read_registers(0, 1)) is HalErrorKind.STALE
    with emulator_path() as (path, _):
        device.symlink_to(path)
        until(lambda: line.look().registers[R.TARGET_ID] == 5 and line.look().regs_t_ns != 0)
        assert line.read_registers(R.MAGIC, 1) == [TERM_MAGIC]
        assert line.look().registers[R.LASER_ENABLE] == 0
        counters = line.look().counters
        assert (counters.sessions, counters.line_losses) == (2, 1)
        line.close()


@pytest.mark.slow
def test_the_line_is_given_back_so_that_another_may_have_it() -> None:
    with emulator_path() as (path, _):
        for _ in range(3):
            with TerminalLine(path) as line:
                until(lambda line=line: line.look().phase is LinePhase.UP)
        assert os.access(path, os.R_OK | os.W_OK)


def test_a_line_that_is_forgotten_takes_its_thread_with_it(tmp_path: Path) -> None:
    """The thread works in memory that goes with the line: it must have ended before."""
    threads = Path("/proc/self/task")
    before = set(threads.iterdir())
    line = TerminalLine(str(tmp_path / "gone"))
    (thread,) = set(threads.iterdir()) - before
    del line
    assert not thread.exists()
