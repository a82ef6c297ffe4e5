"""A node flies with a terminal on a serial line: real processes, real frames, a loose plug."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from line_relay import LineRelay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow  # an acquisition takes its time

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
CONTACT = """
[terminal]
device = "laser"
[[contacts]]
contact_id = 1
peer_id = 1
peer_name = "OGS"
kind = "OGS"
start_utc_s = {start}
end_utc_s = {end}
rate_bps = 1e7
"""


A_PLAIN_MACHINE = """
[board]
hal = "linux"
[inference]
profile = "generic-pc"
[sensors]
absent = ["array", "bus", "battery", "cells", "payload", "die", "sink", "radiator", "sun"]
"""


class Told:
    """What a process has said so far, line by line."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._child = child
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._child.stdout is not None
        self.lines.extend(iter(self._child.stdout.readline, ""))

    def has(self, words: str) -> bool:
        """Whether a line has these words."""
        return any(words in line for line in list(self.lines))

    def end(self) -> None:
        """Ends the process, and has heard all of it."""
        self._child.terminate()
        self._child.wait(30)
        self._thread.join()


@contextmanager
def command(*arguments: object) -> Iterator[Told]:
    """A command of lumenode's in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "flight", *map(str, arguments)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=env) as child:
        told = Told(child)
        try:
            yield told
        finally:
            told.end()


def until(condition: Callable[[], object], *told: Told) -> float:
    """Waits; how long it took."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() < begin + PATIENCE_S, [each.lines for each in told]
        time.sleep(0.02)
    return time.monotonic() - begin


@pytest.mark.parametrize("board", ["", A_PLAIN_MACHINE], ids=["sim", "linux"])
def test_products_reach_the_ground_by_light_whatever_the_line_does(
    make_board: Callable[[Path], Path], tmp_path: Path, board: str
) -> None:
    config, archive = make_board(tmp_path), tmp_path / "archive"
    now_s = time.time()
    config.write_text(config.read_text() + board + CONTACT.format(start=now_s + 3, end=now_s + 400))

    def products() -> int:
        return len(list(archive.glob("*-mask.msk")))

    ground = ("--ground", tmp_path / "keys", "--config", config, "--archive", archive)
    sure = ("--margin", "30", "--seed", "11")
    with command("terminal", "--pty", "--json", *ground, *sure) as head:
        until(lambda: head.lines, head)
        device = json.loads(head.lines[0])["terminal"]
        with (
            LineRelay(device, tmp_path / "laser") as relay,
            command("fly", "--config", config) as flight,
        ):
            until(lambda: products() >= 3, flight, head)
            assert flight.has("LINK_ACQUIRED")
            for _ in range(20):
                relay.disturb(b"\x00garbage\xff\x00" * 9)
            seen = products()
            until(lambda: products() >= seen + 3, flight, head)

            relay.unplug()
            until(lambda: flight.has("TERMINAL_SILENT"), flight, head)
            relay.plug()
            until(lambda: flight.has("TERMINAL_WELL"), flight, head)
            seen = products()
            until(lambda: products() >= seen + 3, flight, head)
    assert not any("overrun" in line or "SAFE" in line for line in flight.lines)
    assert flight.has("stopping: SIGTERM")
    last = json.loads(head.lines[-1])
    # One frame a credit: none was sent in vain but the one that the pulled plug cut in two.
    assert last["tx_rejected"] <= 1
    assert last["tx_frames"] > 0
