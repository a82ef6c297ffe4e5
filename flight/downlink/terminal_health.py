"""What the laser terminal says is wrong with itself, as edges.

Image -> ground, hop "acted": the sensor frame carries one fault flag, the register says which. The
contact session asks once a second; a fault makes pointing, acquisition and tracking SAFE.
"""

from __future__ import annotations

from typing import NamedTuple

from hal.terminal_registers import FAULTS_OF_ITS_OWN, TermFault


class HealthEdge(NamedTuple):
    """One event to tell, with its arguments."""

    event: str
    args: dict[str, str]


class TerminalHealth:
    """Remembers the last answer; tells what changed.

    Attributes:
        faults: bits of `TermFault`, or None while the terminal does not say.
    """

    def __init__(self) -> None:
        self.faults: int | None = None
        self._told: int | None = 0
        self._missed = False

    @property
    def faulty(self) -> bool:
        """A fault of its own; that it missed the node is none."""
        return bool((self.faults or 0) & FAULTS_OF_ITS_OWN)

    def learn(self, faults: int | None) -> HealthEdge | None:
        """Takes an answer, None for none; the edge that it makes, if any.

        One missing answer is no silence yet: a terminal on a line is read now and then.
        """
        missed_before, self._missed = self._missed, faults is None
        self.faults = faults
        if faults == self._told or (self._missed and not missed_before):
            return None
        before, self._told = self._told, faults
        if faults is None:
            return HealthEdge("TERMINAL_SILENT", {})
        if faults:
            return HealthEdge("TERMINAL_FAULT", {"faults": names_of(faults)})
        return HealthEdge("TERMINAL_WELL", {"before": names_of(before)})


def names_of(faults: int | None) -> str:
    """The faults in words; a bit without a name by its number."""
    if faults is None:
        return "silent"
    names = [fault.name.lower() for fault in TermFault if faults & fault]
    unnamed = faults & ~sum(TermFault)
    return ", ".join([*names, f"0x{unnamed:x}"] if unnamed else names)
