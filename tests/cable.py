"""A serial cable between two pseudo-terminals, with a hand that unplugs it and talks into it.

Each end is a name in a folder, as udev gives one to an adapter: gone while the cable is unplugged,
another device behind it afterwards.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CHUNK_BYTES = 1 << 16
LOOK_S = 0.05


class Cable:
    """Carries octets both ways in a thread of its own until `close`."""

    def __init__(self, folder: Path) -> None:
        self.bench, self.node = folder / "bench-end", folder / "node-end"
        self._lock = threading.Lock()
        self._masters: tuple[int, ...] = ()
        self._slaves: tuple[int, ...] = ()
        self._ended = threading.Event()
        self.carried = 0
        self.plug()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def plug(self) -> None:
        """Two new devices, under the same names."""
        with self._lock:
            pairs = [os.openpty() for _ in range(2)]
            self._masters, self._slaves = zip(*pairs, strict=True)
            for name, (master, slave) in zip((self.bench, self.node), pairs, strict=True):
                tty.setraw(slave)
                os.set_blocking(master, False)
                name.symlink_to(os.ttyname(slave))

    def unplug(self) -> None:
        """Both devices vanish, whoever has them open."""
        with self._lock:
            for descriptor in (*self._masters, *self._slaves):
                os.close(descriptor)
            self._masters = self._slaves = ()
            for name in (self.bench, self.node):
                name.unlink()

    def say(self, octets: bytes) -> None:
        """Noise that both ends hear."""
        with self._lock:
            for master in self._masters:
                os.write(master, octets)

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        if self._masters:
            self.unplug()

    def _carry(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                masters = self._masters
                if masters:
                    ready, _, _ = select.select(masters, [], [], 0.0005)
                    for master in ready:
                        other = masters[1 - masters.index(master)]
                        with contextlib.suppress(OSError):
                            self._pass_on(os.read(master, CHUNK_BYTES), other)
            if not masters:
                self._ended.wait(LOOK_S)

    def _pass_on(self, octets: bytes, to: int) -> None:
        self.carried += len(octets)
        while octets:
            select.select([], [to], [], LOOK_S)
            try:
                octets = octets[os.write(to, octets) :]
            except BlockingIOError:
                if self._ended.is_set():
                    return
