"""What can be broken in an emulated terminal, and when: `KIND@START[+FOR]` on the command line."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

_NS_PER_S = 1_000_000_000
_FORM = re.compile(r"([a-z-]+)@(\d+(?:\.\d+)?)(?:\+(\d+(?:\.\d+)?))?")
SECONDS_MAX = 1e9


class FaultKind(Enum):
    """What breaks."""

    MOUNT_STUCK = "mount-stuck"
    """The mount stays where it is."""
    OVERHEAT = "overheat"
    """A heater against the electronics, until the terminal protects itself."""
    LASER = "laser"
    """The transmitter emits nothing."""
    DETECTOR = "detector"
    """The receiver sees nothing."""
    SILENCE = "silence"
    """The terminal neither hears nor answers."""


class FaultEntry(NamedTuple):
    """One fault; times in ns since the emulator started, `end_ns` None for ever."""

    kind: FaultKind
    start_ns: int
    end_ns: int | None

    def active(self, since_start_ns: int) -> bool:
        """Whether it is there at this time."""
        return self.start_ns <= since_start_ns and (
            self.end_ns is None or since_start_ns < self.end_ns
        )


def parse_fault(text: str) -> FaultEntry:
    """`mount-stuck@30+10`: from second 30 on, for 10 s; ValueError with one line."""
    kinds = ", ".join(kind.value for kind in FaultKind)
    found = _FORM.fullmatch(text)
    if found is None or found[1] not in {kind.value for kind in FaultKind}:
        raise ValueError(f"{text!r}: allowed is KIND@SECONDS or KIND@SECONDS+SECONDS of {kinds}")
    start_s, for_s = float(found[2]), None if found[3] is None else float(found[3])
    if start_s > SECONDS_MAX or (for_s is not None and not 0.0 < for_s <= SECONDS_MAX):
        raise ValueError(f"{text!r}: seconds must lie in 0 to {SECONDS_MAX:g}")
    start_ns = round(start_s * _NS_PER_S)
    end_ns = None if for_s is None else start_ns + round(for_s * _NS_PER_S)
    return FaultEntry(FaultKind(found[1]), start_ns, end_ns)


class FaultPlan:
    """All faults of a run; `active` is asked at every step."""

    def __init__(self, entries: tuple[FaultEntry, ...] = (), start_ns: int = 0) -> None:
        self._entries = entries
        self._start_ns = start_ns

    def active(self, now_ns: int) -> frozenset[FaultKind]:
        """What is broken now."""
        since_ns = now_ns - self._start_ns
        return frozenset(entry.kind for entry in self._entries if entry.active(since_ns))
