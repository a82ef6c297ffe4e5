"""When a failed child may come back, and when its supervisor gives up: back-off and intensity.

Hop: none; the pure half of `supervisor`. Source: the Erlang/OTP supervisor behaviour (restart
types, intensity and period), with an exponential back-off in front of each restart.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final, final

_NS_PER_S: Final = 1_000_000_000


class Restart(Enum):
    """OTP's restart types."""

    PERMANENT = "permanent"  # always: it has no business ending
    TRANSIENT = "transient"  # only after a failure; returning means done
    TEMPORARY = "temporary"  # never


class Ending(Enum):
    """How a child ended on its own."""

    RETURNED = "returned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartIntensity:
    """At most `max_restarts` restarts within `window_ns`, ever further apart.

    Attributes:
        max_restarts: more of them than this within the window exhaust the child.
        window_ns: length of the sliding window.
        first_delay_ns: wait before the first restart; at least 1, so that a child never comes
            back within the instant in which it failed.
        max_delay_ns: the doubling delay stops growing here.
    """

    max_restarts: int = 5
    window_ns: int = 120 * _NS_PER_S
    first_delay_ns: int = _NS_PER_S // 2
    max_delay_ns: int = 30 * _NS_PER_S

    def __post_init__(self) -> None:
        assert self.max_restarts >= 0, "max_restarts counts restarts"
        assert 0 < self.first_delay_ns <= self.max_delay_ns, "the delays must be positive, ordered"
        assert self.window_ns > 0, "the window needs a length"


def wants_restart(restart: Restart, ending: Ending) -> bool:
    """Whether a child of this type comes back after ending so."""
    return restart is Restart.PERMANENT or (
        restart is Restart.TRANSIENT and ending is Ending.FAILED
    )


@final
class RestartBudget:
    """One child's restarts within the sliding window."""

    __slots__ = ("_intensity", "_restarts_ns")

    def __init__(self, intensity: RestartIntensity) -> None:
        self._intensity = intensity
        self._restarts_ns: deque[int] = deque(maxlen=intensity.max_restarts + 1)

    def request(self, now_ns: int) -> int | None:
        """Book a restart; returns the delay before it in nanoseconds, or None if exhausted.

        The delay doubles with each restart still inside the window, so a child that ran well
        for a whole window starts again from the first delay.
        """
        window_start_ns = now_ns - self._intensity.window_ns
        while self._restarts_ns and self._restarts_ns[0] <= window_start_ns:
            self._restarts_ns.popleft()
        recent = len(self._restarts_ns)
        if recent >= self._intensity.max_restarts:
            return None
        self._restarts_ns.append(now_ns)
        return min(self._intensity.first_delay_ns << recent, self._intensity.max_delay_ns)
