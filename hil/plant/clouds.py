"""Clouds over one station, for a whole mission: two states, each of exponential length.

Stationary from the start, so the long-run clear share is the station's clear fraction:
t_clear / (t_clear + t_cloudy). Scenario outages join the same list of covered intervals.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

COVERS_MAX = 4096


class Cover(NamedTuple):
    """An interval in which the sky is closed, seconds from the epoch."""

    start_s: float
    end_s: float


class CloudTrace:
    """Alternating clear and cloudy intervals over `duration_s`, drawn once."""

    def __init__(
        self,
        seeds: np.random.SeedSequence,
        *,
        clear_fraction: float,
        cloudy_mean_s: float,
        duration_s: float,
        outages: Iterable[tuple[float, float]] = (),
    ) -> None:
        """Draw the sky; `clear_fraction` 1.0 means outages only.

        Raises ValueError on fractions outside 0..1, on empty or reversed outages, and when
        the mission would hold more than `COVERS_MAX` clouds.
        """
        if not 0.0 < clear_fraction <= 1.0 or cloudy_mean_s <= 0.0 or duration_s <= 0.0:
            raise ValueError("clear fraction must lie in 0..1, times must be positive")
        covers = [Cover(*each) for each in outages]
        if any(each.end_s <= each.start_s for each in covers):
            raise ValueError("an outage ends after it starts")
        if clear_fraction < 1.0:
            covers += _draw(seeds, clear_fraction, cloudy_mean_s, duration_s)
        self.covers = _merge(covers)

    def over(self, t0_s: float, t1_s: float) -> list[Cover]:
        """Covered intervals that touch `t0_s..t1_s`, unclipped, in order."""
        return [each for each in self.covers if each.end_s > t0_s and each.start_s < t1_s]

    def cloudy(self, t_s: float) -> bool:
        """Whether the sky is closed at `t_s`."""
        return any(each.start_s <= t_s < each.end_s for each in self.covers)


def _draw(
    seeds: np.random.SeedSequence, clear_fraction: float, cloudy_mean_s: float, duration_s: float
) -> list[Cover]:
    clear_mean_s = cloudy_mean_s * clear_fraction / (1.0 - clear_fraction)
    rng = np.random.Generator(np.random.PCG64(seeds))
    cloudy = float(rng.random()) >= clear_fraction
    covers: list[Cover] = []
    t_s = 0.0
    while t_s < duration_s:
        length_s = float(rng.standard_exponential()) * (cloudy_mean_s if cloudy else clear_mean_s)
        if cloudy:
            covers.append(Cover(t_s, t_s + length_s))
        t_s += length_s
        cloudy = not cloudy
        if len(covers) > COVERS_MAX:
            raise ValueError(f"more than {COVERS_MAX} clouds in one mission: raise the mean")
    return covers


def _merge(covers: list[Cover]) -> tuple[Cover, ...]:
    """Disjoint covers in order: no place is cloudy twice."""
    merged: list[Cover] = []
    for each in sorted(covers):
        if merged and each.start_s <= merged[-1].end_s:
            merged[-1] = Cover(merged[-1].start_s, max(merged[-1].end_s, each.end_s))
        else:
            merged.append(each)
    return tuple(merged)
