"""The hours ahead of a node in flight: light and frames by its orbit, contacts by the pass plan.

Pure. Times are mission seconds; only the orbit is asked in UTC. While nobody knows the time the
longest shadow of a low orbit is taken to begin now.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flight.power.power_budget import SHADOW_ANY_MOMENT
from flight.thermal.horizon import Forecast, LinkWindow, Series

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP_S = 30.0
PERIODS = 4.0
"""Orbits that are looked at: shadows, and contacts, which are rarer."""
BEYOND_S = 120.0
ANY_RATE_BPS = 1e10
"""With no contact known beyond the horizon, something is taken to carry what is left."""

Sample = tuple[float, bool, bool]


class Sky(Protocol):
    """Sun and daylight ahead, as the node's own orbit has them."""

    @property
    def period_s(self) -> float:
        """Of the orbit."""
        ...

    def ahead(self, start_s: float, end_s: float, step_s: float) -> list[Sample]:
        """(Unix seconds, in the sun, day below), evenly; empty where there is no orbit."""
        ...


@dataclass(frozen=True, slots=True)
class ContactAhead:
    """A contact: mission seconds, line rate, and the share of it that is expected to arrive."""

    start_s: float
    end_s: float
    rate_bps: float
    share: float


class FlightOutlook:
    """Makes forecasts; remembers what it has asked of the sky."""

    def __init__(self, sky: Sky, frames_per_s: float) -> None:
        self._sky = sky
        self._fps = frames_per_s
        self._seen: deque[Sample] = deque()

    @property
    def horizon_s(self) -> float:
        """How far a forecast reaches."""
        return PERIODS * self._sky.period_s

    def forecast(
        self, now_s: float, utc_s: float | None, array_w: float, contacts: Sequence[ContactAhead],
        bits_scale: float = 1.0,
    ) -> Forecast:  # fmt: skip
        """From now on; contacts may begin up to two horizons ahead. Bits are scaled as told."""
        end_s = now_s + self.horizon_s
        seen = [] if utc_s is None else self._looked(utc_s, utc_s + self.horizon_s)
        nothing = Series([(now_s, 0.0)])
        fps = self._fps
        if utc_s is None or len(seen) < 2:
            sun = _dark_from(now_s)
            arrivals = Series([(now_s, fps)])
        else:
            late_s = now_s - utc_s
            sun = Series([(t + late_s, 1.0 if lit else 0.0) for t, lit, _ in seen])
            arrivals = Series([(t + late_s, fps if day else 0.0) for t, _, day in seen])
        return Forecast(
            end_s=end_s,
            sun=sun,
            array_w=array_w,
            heat_w=(nothing, nothing, nothing),
            windows=_windows(now_s, end_s, self.horizon_s, contacts, bits_scale),
            arrivals_fps=(arrivals, nothing),
        )

    def _looked(self, start_s: float, end_s: float) -> list[Sample]:
        """The samples of a span; only those are computed that are new."""
        seen = self._seen
        first_s = STEP_S * (start_s // STEP_S)
        if seen and not seen[0][0] <= first_s <= seen[-1][0]:
            seen.clear()
        while seen and seen[0][0] < first_s:
            seen.popleft()
        next_s = seen[-1][0] + STEP_S if seen else first_s
        if next_s <= end_s:
            found = self._sky.ahead(next_s, end_s, STEP_S)
            if not found:
                seen.clear()
            seen.extend(found)
        return list(seen)


def _dark_from(now_s: float) -> Series:
    until_s = now_s + SHADOW_ANY_MOMENT.eclipse_s
    return Series([(now_s, 0.0), (until_s, 0.0), (until_s + 1.0, 1.0)])


def _windows(
    now_s: float, end_s: float, beyond_s: float, contacts: Sequence[ContactAhead], scale: float
) -> tuple[LinkWindow, ...]:
    """Contacts inside the horizon, and a last one for what those beyond it will carry."""
    found, beyond_bits, known = [], 0.0, False
    for each in contacts:
        if each.start_s >= end_s:
            known = True
            if each.start_s < end_s + beyond_s:
                beyond_bits += (each.end_s - each.start_s) * each.rate_bps * each.share
        elif each.end_s > now_s:
            stops_s = min(each.end_s, end_s)
            found.append(
                LinkWindow(each.start_s, stops_s, each.rate_bps * scale, min(1.0, each.share))
            )
    rate_bps = beyond_bits * scale / BEYOND_S if known else ANY_RATE_BPS
    if rate_bps > 0.0:
        found.append(LinkWindow(end_s - BEYOND_S, end_s, rate_bps, 1.0))
    return tuple(sorted(found, key=lambda window: window.start_s))
