"""A flight in a process of its own, for tests: what it says, and how it is ended."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0


class FlightProcess:
    """`lumenode fly`, watched line by line.

    Attributes:
        lines: what it has said so far.
    """

    def __init__(
        self,
        config: Path,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "flight", "fly"),
    ) -> None:
        command = [sys.executable, *program, "--config", str(config)]
        self._child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        )  # fmt: skip
        self.lines: list[str] = []
        self._said: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._child.pid

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self._child.poll() is not None

    def _read(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as stream:
            for line in stream:
                self._said.put(line)
        self._said.put("")

    def until(self, words: str) -> str:
        """The next line with these words; it fails when the process ends without them."""
        while line := self._said.get(timeout=PATIENCE_S):
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} never came: {self.lines}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ended by this signal, and collected; its exit code, negative for a signal."""
        if self._child.poll() is None:
            self._child.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        code = self._child.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        while line := self._said.get():
            self.lines.append(line)
        self._said.put("")
        return code


@contextmanager
def flying(config: Path, **env: str) -> Iterator[FlightProcess]:
    """A flight that is gone afterwards, whatever happened."""
    flight = FlightProcess(config, env)
    try:
        yield flight
    finally:
        flight.end(signal.SIGKILL)
