"""Terminals that the conformance test can be run on, behind one small face.

A laboratory's own: `LUMENODE_TERMINAL=/dev/ttyUSB0` or `/dev/ttyUSB0:115200`, and
`LUMENODE_TERMINAL_LASER=1` when its beam is blocked and it may be lit.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from line_node import LineNode

from hal.fake_devices import FakeDevices
from hal.native_devices import NativeDevices
from hal.sample import HalConfig, HalError, HalErrorKind
from hal.terminal_line import TerminalLine
from hal.terminal_values import SerialTerminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hal.protocols import NodeDevices

ROOT = Path(__file__).resolve().parents[2]
CONFIG = HalConfig(tx_fifo_frames=8, rx_fifo_frames=8, max_frame_bytes=4000)
LAB = os.environ.get("LUMENODE_TERMINAL", "")
LAB_LASER = os.environ.get("LUMENODE_TERMINAL_LASER", "") == "1"


class Subject(Protocol):
    """A terminal as its node sees it."""

    def read_words(self, first: int, count: int) -> list[int] | HalErrorKind: ...

    def write(self, register: int, value: int) -> HalErrorKind | None: ...

    def submit(self, frame: bytes) -> bool: ...

    def settle(self) -> None:
        """Until what was submitted is there."""
        ...

    def close(self) -> None: ...


class InProcess:
    """A terminal behind `NodeDevices`."""

    def __init__(self, node: NodeDevices) -> None:
        self._node = node

    def read_words(self, first: int, count: int) -> list[int] | HalErrorKind:
        try:
            return self._node.read_registers(first, count)
        except HalError as error:
            return error.kind

    def write(self, register: int, value: int) -> HalErrorKind | None:
        try:
            self._node.write_register(register, value)
        except HalError as error:
            return error.kind
        return None

    def submit(self, frame: bytes) -> bool:
        return self._node.submit_frame(frame)

    def settle(self) -> None:
        """Nothing is on its way."""

    def close(self) -> None:
        self._node.close()


class OnALine(LineNode):
    """A terminal at the far end of a line."""

    def __init__(self, path: str, baud: int = 921_600) -> None:
        super().__init__(path, baud)
        self.connect()

    def settle(self) -> None:
        self.pump(0.3)


class ThroughTheClient:
    """A terminal at the far end of a line, through the client that flies: writes are done later."""

    def __init__(self, line: TerminalLine | NativeDevices) -> None:
        self.line = line
        self._look = line.look if isinstance(line, TerminalLine) else line.terminal_line
        self._deadline_s = 20.0
        self._wait(lambda: self._look().regs_t_ns != 0)

    def read_words(self, first: int, count: int) -> list[int] | HalErrorKind:
        self.settle()
        try:
            return self.line.read_registers(first, count)
        except HalError as error:
            return error.kind

    def write(self, register: int, value: int) -> HalErrorKind | None:
        try:
            self.line.write_register(register, value)
        except HalError as error:
            return error.kind
        return None

    def submit(self, frame: bytes) -> bool:
        return self.line.submit_frame(frame)

    def settle(self) -> None:
        """Until all that was written is answered, and the map was read afterwards."""
        self._read_twice()
        self._wait(lambda: self._look().writes_pending == 0)
        self._read_twice()

    def _read_twice(self) -> None:
        """The second time was asked for after now."""
        seen = self._look().counters.polls
        self._wait(lambda: self._look().counters.polls >= seen + 2)

    def close(self) -> None:
        self.line.close()

    def _wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + self._deadline_s
        while not until():
            assert time.monotonic() < end, self._look()
            time.sleep(0.005)


@contextmanager
def simulated() -> Iterator[Subject]:
    yield InProcess(NativeDevices("sim", CONFIG))


@contextmanager
def faked() -> Iterator[Subject]:
    yield InProcess(FakeDevices(CONFIG))


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A terminal of its own process; ends with the test."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT
    ) as child:
        try:
            yield child
        finally:
            child.terminate()
            child.wait(20)


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line, "it ended before it was ready"
    return line


@contextmanager
def emulator_path(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The emulator on a pseudo-terminal: its path, its process."""
    with process("-m", "flight", "terminal", "--pty", "--json", *arguments) as child:
        yield json.loads(first_line(child))["terminal"], child


@contextmanager
def emulated() -> Iterator[OnALine]:
    with emulator_path("--fifo", "8") as (path, _):
        node = OnALine(path)
        yield node
        node.close()


@contextmanager
def example_path() -> Iterator[str]:
    with process("docs/examples/lab_terminal.py", "--pty") as child:
        yield first_line(child).strip()


@contextmanager
def of_the_docs() -> Iterator[OnALine]:
    with example_path() as path:
        node = OnALine(path)
        yield node
        node.close()


@contextmanager
def emulated_through_the_client() -> Iterator[ThroughTheClient]:
    with emulator_path("--fifo", "8") as (path, _):
        client = ThroughTheClient(TerminalLine(path, config=CONFIG))
        yield client
        client.close()


@contextmanager
def emulated_behind_a_node() -> Iterator[ThroughTheClient]:
    """As a node has it whose configuration names a terminal on a line."""
    with emulator_path("--fifo", "8") as (path, _):
        client = ThroughTheClient(NativeDevices("sim", CONFIG, terminal=SerialTerminal(path)))
        yield client
        client.close()


@cache
def lab_node() -> OnALine:
    """One for all: a serial port is had by one at a time."""
    path, _, baud = LAB.partition(":")
    node = OnALine(path, int(baud or 921_600))
    atexit.register(node.close)
    return node


@contextmanager
def of_a_lab() -> Iterator[OnALine]:
    yield lab_node()


IN_PROCESS: dict[str, Callable[[], object]] = {"native-sim": simulated, "fake": faked}
CLIENTS: dict[str, Callable[[], object]] = {
    "emulator-client": emulated_through_the_client,
    "emulator-node": emulated_behind_a_node,
}
LINES: dict[str, Callable[[], object]] = {"emulator": emulated, "docs-example": of_the_docs}
if LAB:
    IN_PROCESS, CLIENTS, LINES = {}, {}, {"lab": of_a_lab}
MAY_BE_LIT = not LAB or LAB_LASER
