"""From single measurements to the figures of a board profile. Pure.

`lumenode models profile` feeds times of tiles and samples of power; here they become medians,
percentiles and joules above idle, or nothing where nothing was measured.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import msgspec

from flight.thermal.board_profile import Level, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROFILE_TILE_PX = 128
"""`Level.ms_per_tile` is per tile of this side."""
_NS_PER_S = 1_000_000_000
_RANK = 0.95


@dataclass(slots=True)
class PowerMeter:
    """Integrates samples of power over time by the trapezoid rule.

    An interval with an end that is not valid counts nothing and is told in `gaps`.

    Attributes:
        energy_j, covered_s: of the valid intervals.
        estimated: some sample was computed instead of measured.
    """

    energy_j: float = 0.0
    covered_s: float = 0.0
    gaps: int = 0
    estimated: bool = False
    _last: tuple[int, float | None] | None = None

    def feed(self, t_ns: int, watts: float | None, *, estimated: bool = False) -> None:
        """One sample, `None` when it is not valid; times must not go back."""
        if self._last is not None and t_ns > self._last[0]:
            before_ns, before_w = self._last
            if before_w is None or watts is None:
                self.gaps += 1
            else:
                dt_s = (t_ns - before_ns) / _NS_PER_S
                self.energy_j += 0.5 * (before_w + watts) * dt_s
                self.covered_s += dt_s
        self.estimated = self.estimated or (estimated and watts is not None)
        self._last = (t_ns, watts)

    @property
    def mean_w(self) -> float | None:
        """Mean power; `None` unless every interval was valid, so that none is guessed."""
        return self.energy_j / self.covered_s if self.covered_s > 0.0 and not self.gaps else None


@dataclass(frozen=True, slots=True)
class Run:
    """One variant at one level: time of each tile after the warm-up, and mean power meanwhile."""

    tile_ms: Sequence[float]
    mean_w: float | None

    @property
    def median_ms(self) -> float:
        """Median time of a tile."""
        return statistics.median(self.tile_ms)

    @property
    def p95_ms(self) -> float:
        """95th percentile, by nearest rank."""
        return sorted(self.tile_ms)[ceil(_RANK * len(self.tile_ms)) - 1]

    def j_per_tile(self, idle_w: float | None) -> float | None:
        """Energy of one tile above idle; `None` without both powers, or when it is below noise."""
        if self.mean_w is None or idle_w is None or self.mean_w <= idle_w:
            return None
        return (self.mean_w - idle_w) * sum(self.tile_ms) / len(self.tile_ms) / 1000.0


@dataclass(frozen=True, slots=True)
class LevelRun:
    """Everything measured at one level.

    Attributes:
        idle_w: mean power while nothing ran, or `None`.
        die_c: before and after, or empty.
        throttle: names of what slowed the board down meanwhile.
    """

    tile_px: int
    idle_w: float | None
    runs: Mapping[str, Run]
    die_c: tuple[float, ...] = ()
    throttle: tuple[str, ...] = ()


def measured_level(base: Level, found: LevelRun) -> Level:
    """The level with what was measured; watts that were not measured stay as they are."""
    scale = (PROFILE_TILE_PX / found.tile_px) ** 2
    energies = {name: run.j_per_tile(found.idle_w) for name, run in found.runs.items()}
    level = msgspec.structs.replace(
        base,
        ms_per_tile={name: _rounded(run.median_ms * scale) for name, run in found.runs.items()},
        source="",
        measured=Measured(
            tile_px=found.tile_px,
            frames={name: len(run.tile_ms) for name, run in found.runs.items()},
            p95_ms={name: _rounded(run.p95_ms) for name, run in found.runs.items()},
            j_per_tile={n: _rounded(j) for n, j in energies.items() if j is not None},
            die_c=tuple(round(each, 1) for each in found.die_c),
            throttle=found.throttle,
        ),
    )
    powers = [run.mean_w for run in found.runs.values()]
    if found.idle_w is None or None in powers:
        return level
    active_w = max(each for each in powers if each is not None)
    return msgspec.structs.replace(
        level, idle_w=_rounded(min(found.idle_w, active_w)), active_w=_rounded(active_w)
    )


def in_rising_power(levels: Sequence[Level]) -> list[Level]:
    """Measured watts of neighbouring levels may cross by noise: none is below the one before."""
    found: list[Level] = []
    for level in levels:
        before = found[-1].active_w if found else None
        if before is not None and level.active_w is not None and level.active_w < before:
            level = msgspec.structs.replace(level, active_w=before)  # noqa: PLW2901
        found.append(level)
    return found


def _rounded(value: float) -> float:
    """Four significant digits: more would claim what no measurement gives."""
    return float(f"{value:.4g}")
