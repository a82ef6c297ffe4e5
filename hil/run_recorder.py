"""What a run leaves behind: one row of telemetry a second, every event, and the hash over it all.

`log_hash` is a BLAKE2b over events, telemetry rows and frames in order; channels measured on the
host are left out. A frame enters by its last octets: the MAC speaks for all the rest of it.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from flight.telemetry.dictionary import CHANNELS, EVENT_BY_ID, Severity, event_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NS_PER_S = 1_000_000_000
FRAME_TAIL_BYTES = 18
"""MAC and frame check sequence."""

_HOST = [i for i, channel in enumerate(CHANNELS) if channel.host]
_ENCODER = msgspec.json.Encoder()


class TruthChannel(msgspec.Struct, frozen=True):
    """A channel of the plant's own truth."""

    name: str
    unit: str
    description: str


class RunEvent(msgspec.Struct, frozen=True):
    """One line of `events.jsonl`."""

    t_s: float
    utc: str
    source: str
    id: int
    name: str
    severity: str
    text: str
    args: dict[str, int | float | str]


class RunRecorder:
    """Collects in memory, writes at the end.

    Args:
        truth: the plant's channels, in the order of the rows given to `sample`.
        epoch_utc_s: Unix seconds of mission time zero.
    """

    def __init__(self, truth: Sequence[TruthChannel], epoch_utc_s: float) -> None:
        self._truth = tuple(truth)
        self._epoch_utc_s = epoch_utc_s
        self._hash = hashlib.blake2b(digest_size=16)
        self._t_s = array("d")
        self._rows = array("d")
        self._width = len(CHANNELS) + len(self._truth)
        self.events: list[RunEvent] = []
        self.frames = 0
        self.by_severity: Counter[str] = Counter()

    @property
    def log_hash(self) -> str:
        """The hash so far, hexadecimal."""
        return self._hash.hexdigest()

    @property
    def samples(self) -> int:
        """Rows recorded so far."""
        return len(self._t_s)

    def sample(self, t_ns: int, flight: Sequence[float], truth: Sequence[float]) -> None:
        """One row: every flight channel, then every truth channel."""
        row = array("d", flight)
        row.extend(truth)
        if len(row) != self._width:
            raise ValueError(f"a row of {len(row)} values, not {self._width}")
        self._t_s.append(t_ns / _NS_PER_S)
        self._rows.extend(row)
        for index in _HOST:
            row[index] = 0.0
        self._hash.update(b"T%d" % t_ns)
        self._hash.update(row)

    def frame(self, t_ns: int, frame: bytes, *, good: bool) -> None:
        """One downlink frame on the line."""
        self.frames += 1
        self._hash.update(b"F%d.%d" % (t_ns, good))
        self._hash.update(frame[-FRAME_TAIL_BYTES:])

    def flight_event(self, t_ns: int, event_id: int, args: dict[str, int | float | str]) -> None:
        """An event of the node, as it was raised."""
        definition = EVENT_BY_ID[event_id]
        text = event_text(definition, args)
        self._event(
            t_ns, "flight", event_id, definition.name, Severity(definition.severity), text, args
        )

    def bench_event(self, t_ns: int, source: str, name: str, severity: Severity, text: str) -> None:
        """An event of the bench or of the ground."""
        self._event(t_ns, source, 0, name, severity, text, {})

    def _event(  # noqa: PLR0913, PLR0917  the columns of one line
        self,
        t_ns: int,
        source: str,
        event_id: int,
        name: str,
        severity: Severity,
        text: str,
        args: dict[str, int | float | str],
    ) -> None:
        t_s = t_ns / _NS_PER_S
        self.by_severity[severity.name] += 1
        self._hash.update(b"E%d" % t_ns)
        self._hash.update(_ENCODER.encode((source, name, args or text)))
        if severity is Severity.DEBUG:
            return
        utc = np.datetime64(round((self._epoch_utc_s + t_s) * 1000), "ms")
        self.events.append(
            RunEvent(t_s, f"{utc}Z", source, event_id, name, severity.name, text, args)
        )

    def column(self, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """One channel over the whole run; a copy, so that recording may go on."""
        names = self.names()
        table = np.frombuffer(self._rows, dtype=np.float64).reshape(-1, self._width)
        return table[:, names.index(name)].copy()

    def times(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Mission time of every row, seconds."""
        return np.frombuffer(self._t_s, dtype=np.float64).copy()

    def names(self) -> list[str]:
        """Every channel of a row, in order."""
        return [channel.name for channel in CHANNELS] + [channel.name for channel in self._truth]

    def write(self, folder: Path) -> None:
        """`telemetry.npz`, `telemetry.json` and `events.jsonl`."""
        table = np.frombuffer(self._rows, dtype=np.float64).reshape(-1, self._width)
        columns = {name: table[:, i] for i, name in enumerate(self.names())}
        np.savez_compressed(
            folder / "telemetry.npz", allow_pickle=False, t_s=self.times(), **columns
        )
        described = {
            channel.name: {
                "unit": channel.unit,
                "group": channel.group,
                "description": channel.description,
                "labels": list(channel.labels),
                "host": channel.host,
            }
            for channel in CHANNELS
        }
        for channel in self._truth:
            described[channel.name] = {
                "unit": channel.unit,
                "group": "truth",
                "description": channel.description,
                "labels": [],
                "host": False,
            }
        text = json.dumps({"channels": described}, indent=1)
        (folder / "telemetry.json").write_text(text + "\n", encoding="utf-8")
        with (folder / "events.jsonl").open("wb") as file:
            for event in self.events:
                file.write(_ENCODER.encode(event) + b"\n")
