"""Moves octets between a port and a session on an asyncio loop: `add_reader` and raw reads.

A port that goes away is opened again; the session then starts anew. Nothing here knows what the
messages mean.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hil.bench_link.port_serial import PortError
from hil.bench_link.session_values import Phase
from hil.bench_link.wire_capture import Way

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from hil.bench_link.codec import Message
    from hil.bench_link.port_serial import Port
    from hil.bench_link.session import Session
    from hil.bench_link.wire_capture import WireCapture

READ_BYTES = 1 << 16
PULL_BYTES = 1 << 14
"""Encoded ahead of the port; the rest waits where a lower channel can overtake it."""
REOPEN_S = 0.25
_NS_PER_S = 1_000_000_000


class Line:
    """A port and the session on it.

    Attributes:
        octets_in, octets_out: moved since the start.
        times_lost: the port went away.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        port: Port,
        session: Session,
        on_message: Callable[[Message], None],
        capture: WireCapture | None = None,
    ) -> None:
        self._loop = loop
        self._port = port
        self._session = session
        self._on_message = on_message
        self._capture = capture
        self._fd: int | None = port.open()
        self._rest = b""
        self._writing = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self.octets_in = 0
        self.octets_out = 0
        self.times_lost = 0
        loop.add_reader(self._fd, self._readable)
        self._poll()

    def flush(self) -> None:
        """Writes what the session has, as far as the port takes it now."""
        fd = self._fd
        if fd is None:
            return
        while True:
            if not self._rest:
                if not self._session.waiting:
                    break
                self._rest = self._session.pull(time.monotonic_ns(), PULL_BYTES)
            try:
                written = os.write(fd, self._rest)
            except BlockingIOError:
                self._want_writer(fd, wanted=True)
                return
            except OSError:
                self._lost()
                return
            if self._capture is not None:
                done = self._rest[:written]
                self._capture.add(time.monotonic_ns(), Way.TO_NODE, done)
            self.octets_out += written
            self._rest = self._rest[written:]
        self._want_writer(fd, wanted=False)

    def close(self) -> None:
        """Stops moving; the port is given back."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._forget()
        self._port.close()

    def _readable(self) -> None:
        assert self._fd is not None
        try:
            octets = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self._lost()
            return
        now_ns = time.monotonic_ns()
        self.octets_in += len(octets)
        if self._capture is not None:
            self._capture.add(now_ns, Way.FROM_NODE, octets)
        for message in self._session.receive(octets, now_ns):
            self._on_message(message)
        self.flush()

    def _poll(self) -> None:
        """Heartbeats, and the port once more if it went away."""
        now_ns = time.monotonic_ns()
        due_ns = self._session.poll(now_ns)
        wait_s = max(0.001, (due_ns - now_ns) / _NS_PER_S)
        if self._fd is None:
            self._reopen()
            wait_s = min(wait_s, REOPEN_S)
        if self._session.phase is Phase.WAITING:
            self._port.free()
        self.flush()
        if not self._closed:
            self._timer = self._loop.call_later(wait_s, self._poll)

    def _want_writer(self, fd: int, *, wanted: bool) -> None:
        if wanted and not self._writing:
            self._loop.add_writer(fd, self.flush)
        elif self._writing and not wanted:
            self._loop.remove_writer(fd)
        self._writing = wanted

    def _lost(self) -> None:
        self.times_lost += 1
        self._forget()
        self._port.close()
        self._session.line_lost(time.monotonic_ns())

    def _forget(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            self._loop.remove_reader(fd)
            self._want_writer(fd, wanted=False)
        self._rest = b""

    def _reopen(self) -> None:
        try:
            self._fd = self._port.open()
        except PortError:
            return
        self._loop.add_reader(self._fd, self._readable)
