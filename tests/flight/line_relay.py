"""A serial adapter between a node and a terminal, for tests: unplugged, plugged in, disturbed."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

OCTETS = 65536


class LineRelay:
    """Carries octets both ways between the terminal's device and one that the node opens.

    The node's device has the same name after a replug, as udev's names by-id have.
    """

    def __init__(self, terminal: str, node: Path) -> None:
        self._node_path = node
        self._terminal = os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._terminal)
        self._master = self._slave = -1
        self._lock = threading.Lock()
        self._over = False
        self.plug()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        self._thread.join()
        self.unplug()
        os.close(self._terminal)

    def plug(self) -> None:
        """The adapter is there, under its name."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._node_path.symlink_to(os.ttyname(slave))
        with self._lock:
            self._master, self._slave = master, slave

    def unplug(self) -> None:
        """The adapter has gone, and what it held with it."""
        self._node_path.unlink(missing_ok=True)
        with self._lock:
            for fd in (self._master, self._slave):
                if fd >= 0:
                    os.close(fd)
            self._master = self._slave = -1

    def disturb(self, octets: bytes) -> None:
        """The node hears this, in between."""
        with self._lock:
            os.write(self._master, octets)

    def _run(self) -> None:
        while not self._over:
            with self._lock:
                fds = [self._terminal] + [self._master] * (self._master >= 0)
            # Without the lock: a descriptor that was closed meanwhile is found out below.
            with contextlib.suppress(OSError, ValueError):
                select.select(fds, [], [], 0.002)
            with self._lock:
                self._carry(self._master, self._terminal)
                self._carry(self._terminal, self._master)

    @staticmethod
    def _carry(source: int, drain: int) -> None:
        if source < 0:
            return
        try:
            octets = os.read(source, OCTETS)
        except OSError:  # nothing there, or nobody yet
            return
        while octets and drain >= 0:
            with contextlib.suppress(BlockingIOError):
                octets = octets[os.write(drain, octets) :]
