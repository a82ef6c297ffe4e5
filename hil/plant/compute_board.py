"""The compute board as a load: watts from the power level and from what it is busy with.

The bench books each inference job as an interval when the job starts; the plant asks for the
mean power of a step. Durations come from a table measured on a board, so that a simulated
job takes as long, and costs as much, as a real one.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

BOOKINGS_MAX = 64
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class BoardLevel:
    """One power level: total watts while idle and while a job runs."""

    name: str
    idle_w: float
    active_w: float

    def __post_init__(self) -> None:
        """A board only consumes, and more when it works."""
        if not 0.0 <= self.idle_w <= self.active_w:
            raise ValueError(f"level {self.name}: need 0 <= idle <= active watts")


DEFAULT_LEVELS: tuple[BoardLevel, ...] = (
    BoardLevel("off", 0.0, 0.0),
    BoardLevel("idle", 2.2, 4.0),
    BoardLevel("7W", 2.8, 7.0),
    BoardLevel("15W", 3.6, 15.0),
    BoardLevel("25W", 4.6, 25.0),
)
"""Power modes of an Orin-Nano-class module, modelled; a measured profile replaces them."""


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
    """Power of the board over a step. Bookings are bounded and forgotten once passed.

    Jobs run one at a time on the accelerator: where bookings overlap, the earlier counts.
    """

    def __init__(self, levels: Sequence[BoardLevel] = DEFAULT_LEVELS) -> None:
        if not levels or levels[0].active_w != 0.0:
            raise ValueError("level 0 is off and draws nothing")
        self.levels = tuple(levels)
        self._bookings: deque[tuple[int, int, int]] = deque()

    def book(self, start_ns: int, end_ns: int, level: int) -> None:
        """A job runs over `start_ns..end_ns`, timed for `level`; raises when 64 are pending."""
        if end_ns < start_ns or not 0 < level < len(self.levels):
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

    def power_w(self, t0_ns: int, t1_ns: int, level: int) -> float:
        """Mean power over `t0_ns..t1_ns` at `level`; bookings that ended before are dropped.

        A job draws what the level draws for which its duration was booked, so that its
        energy is the measured one even when the level changes under it.
        """
        if t1_ns <= t0_ns:
            raise ValueError("a step has a positive length")
        if level == 0:
            return 0.0
        idle_w = self.levels[level].idle_w
        if not self._bookings:
            return idle_w
        self._bookings = deque(each for each in self._bookings if each[1] > t0_ns)
        extra_wns, reached_ns = 0.0, t0_ns
        for start, end, booked in sorted(self._bookings):
            low, high = max(start, reached_ns), min(end, t1_ns)
            if high > low:
                extra_wns += (self.levels[booked].active_w - idle_w) * (high - low)
                reached_ns = high
        return idle_w + extra_wns / (t1_ns - t0_ns)


class BusyBoard:
    """Power of a board whose jobs the bench does not see: it is told how busy the board was.

    Args:
        busy_permille: share of its last cycle in which the node's payload computed, 0 to 1000; it
            stands for the coming step, so the heat follows the work by one cycle.
    """

    def __init__(self, levels: Sequence[BoardLevel], busy_permille: Callable[[], int]) -> None:
        self.levels = tuple(levels)
        self._busy_permille = busy_permille

    def power_w(self, t0_ns: int, t1_ns: int, level: int) -> float:
        """Mean power over a step at `level`; a level the profile lacks counts as its highest."""
        if t1_ns <= t0_ns:
            raise ValueError("a step has a positive length")
        at = self.levels[min(level, len(self.levels) - 1)]
        share = min(max(self._busy_permille(), 0), 1000) / 1000.0
        return at.idle_w + (at.active_w - at.idle_w) * share
