"""Arm, then fire: a dangerous command is done only when it is heard twice, in time.

Pure. The same command with the same arguments must come again, under a new identity, within the
window; anything else that is dangerous takes its place. An arming is worth one execution, does not
survive a reset, and its end is told whichever way it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flight.telemetry.dictionary import Command

ARMING_WINDOW_NS = 30_000_000_000
"""A dangerous command must come again within this long: one round of an operator's attention."""


@dataclass(frozen=True, slots=True)
class ArmingEnd:
    """An arming that came to nothing: which command's, and how it ended."""

    name: str
    how: str


class Arming:
    """Holds at most one armed command."""

    def __init__(self) -> None:
        self._armed: tuple[Command, str, int] | None = None
        self._ended: list[ArmingEnd] = []

    @property
    def name(self) -> str:
        """The armed command's name; "" when none is."""
        return "" if self._armed is None else self._armed[1]

    def arm(self, command: Command, name: str, now_ns: int) -> None:
        """Takes the first hearing of a dangerous command; another armed one gives way."""
        self._end("lapsed" if self._late(now_ns) else "replaced")
        self._armed = (command, name, now_ns + ARMING_WINDOW_NS)

    def take(self, command: Command, now_ns: int) -> bool:
        """Whether this very command was heard before, in time; then the arming is spent."""
        if self._armed is None or self._armed[0] != command or self._late(now_ns):
            return False
        self._armed = None
        return True

    def disarm(self) -> bool:
        """The operator takes it back; False when nothing was armed."""
        return self._end("disarmed")

    def ended(self, now_ns: int) -> tuple[ArmingEnd, ...]:
        """Armings that came to nothing since it was last asked; call it about once a second."""
        if self._late(now_ns):
            self._end("lapsed")
        if not self._ended:
            return ()
        ended, self._ended = tuple(self._ended), []
        return ended

    def _late(self, now_ns: int) -> bool:
        return self._armed is not None and now_ns > self._armed[2]

    def _end(self, how: str) -> bool:
        if self._armed is None:
            return False
        # Bounded although nobody may ask for a while: only the newest are of use.
        self._ended = [*self._ended[-15:], ArmingEnd(self._armed[1], how)]
        self._armed = None
        return True
