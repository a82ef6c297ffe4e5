"""Who switches a node on and off: this bench, where the node is its child; nobody, on a cable."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

STOP_S = 10.0
"""An orderly end takes a commit and a goodbye; who needs longer is killed."""
LOG_TAIL_BYTES = 2048
USAGE_EXIT = 2
ROOT = Path(__file__).resolve().parents[1]


class NodePower(Protocol):
    """The node's power switch, as far as the bench has one.

    Attributes:
        owned: this bench starts the node itself.
    """

    owned: bool

    def on(self) -> None:
        """Power on: the node begins to start."""
        ...

    def cut(self) -> None:
        """Power off, at this instant."""
        ...

    def stop(self) -> None:
        """An orderly end."""
        ...

    def ended(self) -> tuple[int, str] | None:
        """Exit code and last words of a node that ended by itself, None while it runs."""
        ...


class ChildNode:
    """`lumenode fly` as a child process of the bench.

    Args:
        command: what to run; its output goes to `log`.
    """

    owned = True

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def on(self) -> None:
        """See `NodePower`; a child of its own session, so a Ctrl-C reaches the bench alone."""
        self.starts += 1
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own module, no shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path},
            )

    def cut(self) -> None:
        """See `NodePower`: SIGKILL cannot be refused, and takes what the node has started along."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """See `NodePower`."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        self.cut()

    def ended(self) -> tuple[int, str] | None:
        """See `NodePower`."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        return code, self._last_line()

    def _last_line(self) -> str:
        with self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").split("\n")
        said = [line for line in lines if line.strip()]
        return said[-1] if said else "nothing said"


class RemoteNode:
    """A node that somebody else starts: at the far end of a cable, or in another terminal."""

    owned = False

    def on(self) -> None:
        """Somebody else's."""

    def cut(self) -> None:
        """NODE_RESET has told it; nothing more is in the bench's hands."""

    def stop(self) -> None:
        """It flies on."""

    def ended(self) -> tuple[int, str] | None:
        """Nobody can tell."""
        return None


def fly_command(config: Path, python: Path | str = sys.executable) -> list[str]:
    """How a node is started on this machine, by an interpreter of this or another processor."""
    return [str(python), "-m", "flight", "fly", "--config", str(config)]
