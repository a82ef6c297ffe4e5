"""One limit as data: bounds, dead band, persistence, age; and which band a value speaks for.

Hop: "sensor to actuator", the values of `limit_monitor`.
"""

import math
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple


class Verdict(Enum):
    """What is known about a limit."""

    OK = "ok"
    VIOLATED = "violated"
    STALE = "stale"  # no sample within its age, or never one
    ERROR = "error"  # a sample that cannot be: not finite, or from the future


class Band(IntEnum):
    """Where the value is; the sign is the side, the size is the severity."""

    RED_LOW = -2
    YELLOW_LOW = -1
    NOMINAL = 0
    YELLOW_HIGH = 1
    RED_HIGH = 2


class Sample(NamedTuple):
    """A value of a channel and the monotonic time at which it was taken."""

    value: float
    t_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One row of the table. A bound left out is not watched.

    Attributes:
        name: of the limit, in events and as condition (`name.yellow`, `name.red`).
        channel: of the dictionary, whose unit the bounds are in.
        low_red, low_yellow, high_yellow, high_red: reached or passed is violated.
        hysteresis: how far back inside a bound clears it, in the channel's unit.
        persistence: consecutive samples beyond a bound, or back inside it, that it takes.
        stale_after_ns: age above which the last sample says nothing any more.

    Raises:
        ValueError: the row contradicts itself; it may come from the ground.
    """

    name: str
    channel: str
    low_red: float = -math.inf
    low_yellow: float = -math.inf
    high_yellow: float = math.inf
    high_red: float = math.inf
    hysteresis: float
    persistence: int
    stale_after_ns: int

    def __post_init__(self) -> None:
        """Refuse a row that contradicts itself: yellow lies inside red, a band remains."""
        wrong = self._contradiction()
        if wrong:
            raise ValueError(f"limit {self.name}: {wrong}")

    def _contradiction(self) -> str:
        low, high = self._inner_bounds()
        found = (
            (low < high, "the low bounds must lie below the high ones"),
            (
                self.low_yellow == -math.inf or self.low_red <= self.low_yellow,
                "low_yellow must lie inside low_red",
            ),
            (
                self.high_yellow == math.inf or self.high_yellow <= self.high_red,
                "high_yellow must lie inside high_red",
            ),
            (low + self.hysteresis < high - self.hysteresis, "no band left"),
            (self.hysteresis >= 0, "a dead band is not negative"),
            (self.persistence >= 1, "at least one sample"),
            (self.stale_after_ns > 0, "samples live some time"),
        )
        return next((what for right, what in found if not right), "")

    def _inner_bounds(self) -> tuple[float, float]:
        return max(self.low_red, self.low_yellow), min(self.high_red, self.high_yellow)

    def bound(self, band: Band) -> float:
        """The bound that a band lies beyond; NaN for NOMINAL."""
        return {
            Band.RED_LOW: self.low_red,
            Band.YELLOW_LOW: self.low_yellow,
            Band.NOMINAL: math.nan,
            Band.YELLOW_HIGH: self.high_yellow,
            Band.RED_HIGH: self.high_red,
        }[band]

    def band_of(self, value: float, present: Band) -> Band:
        """The band a value speaks for, given the present one (whose bounds reach further in)."""
        if present is Band.NOMINAL and (
            self.low_red < value < self.high_red and self.low_yellow < value < self.high_yellow
        ):
            return Band.NOMINAL  # nearly always; the rest is the same answer, worked out
        for band, excess in (
            (Band.RED_LOW, self.low_red - value),
            (Band.RED_HIGH, value - self.high_red),
            (Band.YELLOW_LOW, self.low_yellow - value),
            (Band.YELLOW_HIGH, value - self.high_yellow),
        ):
            held = band * present > 0 and abs(present) >= abs(band)
            if excess >= 0.0 or (held and excess + self.hysteresis > 0.0):
                return band
        return Band.NOMINAL


@dataclass(frozen=True, slots=True)
class LimitEdge:
    """A change of verdict or band, with what an operator needs to reconstruct it."""

    limit: str
    channel: str
    verdict: Verdict
    previous: Verdict
    band: Band
    previous_band: Band
    value: float
    bound: float
    at_ns: int
