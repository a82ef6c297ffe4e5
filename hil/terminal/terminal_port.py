"""A terminal on a line: moves octets and time between a port and a `TerminalPeer`.

`serve` is all that a lab needs beside its own `Head`; the emulator is served by the same call.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Protocol

from hil.bench_link.line import Line
from hil.terminal.terminal_core import TerminalCore
from hil.terminal.terminal_peer import TerminalPeer, TerminalSession, own_hello

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.bench_link.codec import Message
    from hil.bench_link.port_serial import Port
    from hil.terminal.terminal_core import Head

STEP_S = 0.01
"""Looked at a hundred times a second: dark within a hundredth of what the rules allow."""


class Watcher(Protocol):
    """Looks on after every step; what it finds worth telling it tells."""

    def look(self, terminal: ServedTerminal, now_ns: int) -> None:
        """See the class."""
        ...


class ServedTerminal:
    """Core, session and line of one terminal; made on a running loop.

    Args:
        muted: whether the terminal shall be deaf and dumb at a time.

    Raises:
        PortError: the port cannot be opened.
    """

    def __init__(
        self,
        head: Head,
        port: Port,
        *,
        watcher: Watcher | None = None,
        muted: Callable[[int], bool] = lambda _now_ns: False,
    ) -> None:
        now_ns = time.monotonic_ns()
        self.core = TerminalCore(head, now_ns)
        self.session = TerminalSession(own_hello(head.identity, 1), _draw, now_ns)
        self._peer = TerminalPeer(self.core, self.session)
        self._loop = asyncio.get_running_loop()
        self._watcher = watcher
        self._muted = muted
        self.line = Line(self._loop, port, self.session, self._on_message)
        self._timer = self._loop.call_soon(self._step)

    def close(self) -> None:
        """The line is given back; a terminal that is not served is dark by the head's own rule."""
        self._timer.cancel()
        self.line.close()

    def _on_message(self, message: Message) -> None:
        self._peer.take(message, time.monotonic_ns())

    def _step(self) -> None:
        now_ns = time.monotonic_ns()
        mute = self._muted(now_ns)
        if self.session.mute and not mute:
            self.session.line_lost(now_ns)  # it starts anew, as one that was reset does
        self.session.mute = mute
        self._peer.step(now_ns)
        self.session.poll(now_ns)
        self.line.flush()
        if self._watcher is not None:
            self._watcher.look(self, now_ns)
        self._timer = self._loop.call_later(STEP_S, self._step)


def _draw() -> int:
    return int.from_bytes(os.urandom(4), "little") | 1


async def _serve(
    head: Head,
    port: Port,
    seconds: float | None,
    watcher: Watcher | None,
    muted: Callable[[int], bool],
) -> ServedTerminal:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    terminal = ServedTerminal(head, port, watcher=watcher, muted=muted)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
    finally:
        terminal.close()
    return terminal


def serve(
    head: Head,
    port: Port,
    *,
    seconds: float | None = None,
    watcher: Watcher | None = None,
    muted: Callable[[int], bool] = lambda _now_ns: False,
) -> ServedTerminal:
    """Serves a terminal until SIGINT or SIGTERM, or for `seconds`; what is left is for a summary.

    Raises:
        PortError: the port cannot be opened.
    """
    return asyncio.run(_serve(head, port, seconds, watcher, muted))
