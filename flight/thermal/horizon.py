"""The hours ahead as slots: light, heat, contacts and arrivals, averaged over each.

Slots are short now and longer later, and never straddle the edge of a shadow or of a contact: a
slot that held both a shadow and the light after it would hide how low the battery gets between.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NEAR_S = (60.0,) * 3 + (120.0,) * 4 + (300.0,) * 6 + (600.0,) * 6
"""Lengths of the first slots."""
FAR_S = 1500.0
LEAST_S = 45.0
"""A slot is not cut to less than this, nor is an edge closer to the one before kept."""
SLOTS_MAX = 190


class Series:
    """A quantity over time, linear between knots and constant outside them."""

    def __init__(self, knots: Sequence[tuple[float, float]]) -> None:
        if not knots or any(b[0] <= a[0] for a, b in pairwise(knots)):
            raise ValueError("knots must rise in time")
        self._t = [t for t, _ in knots]
        self._x = [x for _, x in knots]
        self._area = [0.0]
        for i in range(1, len(knots)):
            mean = 0.5 * (self._x[i] + self._x[i - 1])
            self._area.append(self._area[-1] + mean * (self._t[i] - self._t[i - 1]))

    def at(self, t_s: float) -> float:
        """The value at a time."""
        i = bisect_right(self._t, t_s) - 1
        if i < 0:
            return self._x[0]
        if i + 1 == len(self._t):
            return self._x[-1]
        share = (t_s - self._t[i]) / (self._t[i + 1] - self._t[i])
        return self._x[i] + share * (self._x[i + 1] - self._x[i])

    def mean(self, start_s: float, end_s: float) -> float:
        """The mean over a span of more than no length."""
        return (self._integral(end_s) - self._integral(start_s)) / (end_s - start_s)

    def means(self, start_s: float, step_s: float, count: int) -> list[float]:
        """Means over so many spans of one length, one after the other, in one walk."""
        t, x, area, last = self._t, self._x, self._area, len(self._t) - 1
        i, before, found = 0, self._integral(start_s), []
        for k in range(1, count + 1):
            at_s = start_s + k * step_s
            while i < last and t[i + 1] <= at_s:
                i += 1
            beyond_s = at_s - t[i]
            if i == last or beyond_s < 0.0:
                whole = area[i] + beyond_s * x[i]
            else:
                slope = (x[i + 1] - x[i]) / (t[i + 1] - t[i])
                whole = area[i] + beyond_s * (x[i] + 0.5 * slope * beyond_s)
            found.append((whole - before) / step_s)
            before = whole
        return found

    def crossings(self, level: float) -> list[float]:
        """Times at which it passes a level."""
        found = []
        for i in range(1, len(self._t)):
            a, b = self._x[i - 1] - level, self._x[i] - level
            if (a < 0.0) != (b < 0.0):
                found.append(self._t[i - 1] + a / (a - b) * (self._t[i] - self._t[i - 1]))
        return found

    def _integral(self, t_s: float) -> float:
        """From the first knot on."""
        i = bisect_right(self._t, t_s) - 1
        if i < 0:
            return (t_s - self._t[0]) * self._x[0]
        beyond = t_s - self._t[i]
        return self._area[i] + beyond * 0.5 * (self._x[i] + self.at(t_s))


@dataclass(frozen=True, slots=True)
class LinkWindow:
    """A contact of the plan.

    Attributes:
        start_s, end_s: of it.
        rate_bps: while it carries.
        clear_probability: that no cloud takes it.
    """

    start_s: float
    end_s: float
    rate_bps: float
    clear_probability: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is known of the time until `end_s`.

    Attributes:
        sun: share of the solar disc in view, 0..1.
        array_w: of the array in full sun.
        heat_w: from outside, by heat node.
        windows: contacts, in order of their start.
        arrivals_fps: frames a second, by class.
    """

    end_s: float
    sun: Series
    array_w: float
    heat_w: tuple[Series, ...]
    windows: tuple[LinkWindow, ...]
    arrivals_fps: tuple[Series, ...]

    def edges(self) -> list[float]:
        """Where slots must end: shadows' and contacts' edges, in order."""
        found = self.sun.crossings(0.5)
        for window in self.windows:
            found += (window.start_s, window.end_s)
        return sorted(t for t in found if t < self.end_s)


def slot_edges(now_s: float, end_s: float, events: Iterable[float]) -> list[float]:
    """Edges of the slots from now to the end; at most `SLOTS_MAX` slots."""
    stops = [t for t in events if now_s + LEAST_S < t < end_s - LEAST_S]
    stops.append(end_s)
    edges = [now_s]
    for stop in stops:
        while len(edges) <= SLOTS_MAX:
            left_s = stop - edges[-1]
            if left_s < LEAST_S and stop != end_s:
                break  # too close to the edge before: that one stands for both
            done = len(edges) - 1
            length_s = NEAR_S[done] if done < len(NEAR_S) else left_s / max(1, -(-left_s // FAR_S))
            if left_s - length_s < LEAST_S:
                edges.append(stop)
                break
            edges.append(edges[-1] + length_s)
    return edges
