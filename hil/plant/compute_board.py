"""The compute board as a load: watts from the power level and from what it is busy with.

The bench books each inference job as an interval when the job starts; the plant asks for the
mean power of a step. Durations come from a table measured on a board, so that a simulated
job takes as long, and costs as much, as a real one.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hil.plant.constants import NS_PER_S

BOOKINGS_MAX = 64
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class BoardLevel:
    """One power level: what it draws idle, and how much more when busy."""

    name: str
    idle_w: float
    active_w: float
    """On top of `idle_w`, while a job runs."""

    def __post_init__(self) -> None:
        """A board only consumes."""
        if self.idle_w < 0.0 or self.active_w < 0.0:
            raise ValueError(f"level {self.name}: watts cannot be negative")


DEFAULT_LEVELS: tuple[BoardLevel, ...] = (
    BoardLevel("off", 0.0, 0.0),
    BoardLevel("idle", 3.0, 0.0),
    BoardLevel("7W", 3.0, 4.0),
    BoardLevel("15W", 4.5, 10.5),
    BoardLevel("25W", 6.0, 19.0),
)
"""Power modes of an Orin-Nano-class module; a measured board profile replaces them."""


class NormalStream(Protocol):
    """What jitter needs of a random stream (numpy's `Generator` has it)."""

    def standard_normal(self) -> float:
        """One standard normal number."""


class DurationTable:
    """Milliseconds a job takes, by model and power level, with optional seeded jitter."""

    def __init__(
        self,
        ms_by_model: Mapping[str, Mapping[int, float]],
        *,
        jitter: NormalStream | None = None,
        jitter_sigma: float = 0.03,
    ) -> None:
        for model, row in ms_by_model.items():
            if not row or min(row.values()) <= 0.0:
                raise ValueError(f"durations of {model} must be positive and not empty")
        self._ms = {model: dict(row) for model, row in ms_by_model.items()}
        self._jitter = jitter
        self._sigma = jitter_sigma

    def duration_ns(self, model: str, level: int) -> int:
        """How long one tile of `model` takes at `level`; `KeyError` where it cannot run.

        Jitter is a factor 1 + sigma z with z clipped at three sigma, never below one half.
        """
        ms = self._ms[model][level]
        if self._jitter is not None:
            z = max(-3.0, min(3.0, float(self._jitter.standard_normal())))
            ms *= max(0.5, 1.0 + self._sigma * z)
        return round(ms * _NS_PER_MS)


class BoardModel:
    """Power of the board over a step. Bookings are bounded and forgotten once passed."""

    def __init__(self, levels: Sequence[BoardLevel] = DEFAULT_LEVELS) -> None:
        if not levels or levels[0].idle_w != 0.0 or levels[0].active_w != 0.0:
            raise ValueError("level 0 is off and draws nothing")
        self.levels = tuple(levels)
        self._bookings: deque[tuple[int, int, int]] = deque()
        self.busy_ns_total = 0

    def book(self, start_ns: int, end_ns: int, level: int) -> None:
        """A job runs over `start_ns..end_ns`, begun at `level`; raises when 64 are pending."""
        if end_ns < start_ns or not 0 <= level < len(self.levels):
            raise ValueError(f"not a booking: {start_ns}..{end_ns} at level {level}")
        if len(self._bookings) >= BOOKINGS_MAX:
            raise OverflowError(f"more than {BOOKINGS_MAX} jobs booked on one board")
        self._bookings.append((start_ns, end_ns, level))

    def release(self, now_ns: int) -> None:
        """Cut every booking at `now_ns`: the board was switched off or its worker killed."""
        self._bookings = deque(
            (start, min(end, now_ns), level)
            for start, end, level in self._bookings
            if start < now_ns
        )

    def busy_fraction(self, t0_ns: int, t1_ns: int) -> float:
        """Share of `t0_ns..t1_ns` in which at least one job runs; earlier bookings go."""
        if t1_ns <= t0_ns:
            raise ValueError("a step has a positive length")
        if not self._bookings:
            return 0.0
        self._bookings = deque(each for each in self._bookings if each[1] > t0_ns)
        covered_ns, reached_ns = 0, t0_ns
        for start, end, _ in sorted(self._bookings):
            low, high = max(start, reached_ns), min(end, t1_ns)
            if high > low:
                covered_ns += high - low
                reached_ns = high
        self.busy_ns_total += covered_ns
        return covered_ns / (t1_ns - t0_ns)

    def power_w(self, t0_ns: int, t1_ns: int, level: int) -> float:
        """Mean power over the step at `level`: idle watts, and active watts while busy."""
        at = self.levels[level]
        if at.active_w == 0.0 or not self._bookings:
            return at.idle_w
        return at.idle_w + at.active_w * self.busy_fraction(t0_ns, t1_ns)


def energy_j(power_w: float, duration_ns: int) -> float:
    """Energy of a constant power over a duration."""
    return power_w * duration_ns / NS_PER_S
