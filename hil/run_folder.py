"""The folder of one run: claimed before anything is written, marked complete at the end."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flight.config import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

MARK = "summary.json"
OURS = frozenset(
    {
        "summary.json", "report.html", "scenario.toml", "events.jsonl", "telemetry.npz",
        "telemetry.json", "report_data.json", "governor.json", "products", "flight", "node",
        "wire.capture", ".running", "pass.svg",
    }
)  # fmt: skip
RUNNING = ".running"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that holds one run and nothing else."""

    path: Path

    @classmethod
    def claim(cls, path: Path) -> RunFolder:
        """Makes the folder ready; an earlier run in it is replaced, foreign files are refused.

        Raises:
            ConfigError: it cannot be written, or holds something that is not a run's.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            foreign = sorted({entry.name for entry in path.iterdir()} - OURS)
            if foreign:
                raise ConfigError(f"--out {path}: holds {foreign[0]!r}, which no run wrote")
            for name in OURS:
                _remove(path / name)
            (path / RUNNING).touch()
        except OSError as error:
            raise ConfigError(f"--out {path}: not writable: {error.strerror}") from None
        return cls(path)

    def write_text(self, name: str, text: str) -> None:
        """Writes one file whole or not at all."""
        part = self.path / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self.path / name)

    def complete(self) -> None:
        """Everything is written."""
        (self.path / RUNNING).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
