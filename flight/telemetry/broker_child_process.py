"""The broker that a node brings along, in a process of its own beside the flight process.

Hop "told" of all flows, on a bench without a broker. The flight process only holds the port: who
connects while the broker starts, or after it died, waits in the kernel. Ends with the flight
process however that ends, by the pipe that is its standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.base.clock import Clock

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
LOOK_NS = 500_000_000
_SAID_BYTES_MAX = 300


class BrokerDiedError(RuntimeError):
    """The broker ended by itself; the text is the last that it said."""


class BrokerChild:
    """The service; `serve` is called again after the broker died.

    Args:
        listener_fd: descriptor of a listening socket, which stays open over the broker's lives.
    """

    name = "broker"

    def __init__(self, listener_fd: int, clock: Clock) -> None:
        self._listener_fd = listener_fd
        self._clock = clock

    async def serve(self) -> None:
        """One life of the broker, until cancelled.

        Raises:
            BrokerDiedError, OSError.
        """
        said = os.memfd_create("lumenode-broker")
        try:
            child = self._start(said)
            try:
                while child.poll() is None:
                    await self._clock.sleep_until(self._clock.now_ns() + LOOK_NS)
            finally:
                # SIGKILL cannot be refused, so reaping takes a moment at most. It keeps nothing.
                child.kill()
                child.wait()
                if child.stdin is not None:
                    child.stdin.close()
            raise BrokerDiedError(f"code {child.returncode}: {_last_words(said)}")
        finally:
            os.close(said)

    def _start(self, said: int) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "flight", "broker", "--fd", str(self._listener_fd)]
        return subprocess.Popen(  # noqa: S603  (our own module, no shell)
            command,
            pass_fds=[self._listener_fd],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**os.environ, "PYTHONPATH": path},
            # Ctrl-C is for the flight process: it says goodbye to the broker first.
            start_new_session=True,
        )


def _last_words(said: int) -> str:
    end = os.lseek(said, 0, os.SEEK_END)
    text = os.pread(said, _SAID_BYTES_MAX, max(0, end - _SAID_BYTES_MAX)).decode(errors="replace")
    return text.strip().rpartition("\n")[2]
