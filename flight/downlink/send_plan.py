"""Which products the contacts to come have room for, and in which order these go.

Image -> ground, hop "decided". Pure: candidates and a forecast in, ranks out.

Theory of operation. On the axis of bytes that the line will carry, products with deadlines form a
polymatroid: taking them by falling density and booking each as late as its deadline allows gives
the most valuable set that fits. What is still to be made is booked like what is there, from the
moment it is expected, so that nothing is put off into room that will be taken. The result:

    PLANNED   fits, whatever comes (or its value is worth the gamble: see below)
    OUTBID    could finish, but denser ones take the room
    HOPELESS  will hardly finish before its deadline, and is not worth the gamble

A product that does not quite fit the expected yield may fit the real one. It is booked as far as
there is room, at its density times the chance that the yield suffices.

Among the planned, deadlines alone would be optimal if the forecast were exact, and density alone if
there were none. The order between is `log2(bytes carried until the deadline) - a * log2(density)`:
a dense product is sent early although it could wait, because the day it is put off to may fail.
"""

from __future__ import annotations

from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product import log2_steps
from flight.downlink.send_horizon import ByteTime, Horizon

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flight.downlink.arrival_forecast import Expected

GAP_NS = 60_000_000_000
"""Shorter pauses between stretches are no time in which much is made."""
_TOLERANCE = 0.02
_CHANCE_LEAST = 0.05
_BOOKED_LEAST = 0.3
_IMPATIENT_BYTES = 1 << 16
_Row = tuple[float, int, float, int, int]  # -key, index (-1: expected), bytes, first, last stretch


class Tier(IntEnum):
    """What a candidate is; lower goes first."""

    PLANNED = 0
    OUTBID = 1
    HOPELESS = 2


class PlanConfig(msgspec.Struct, frozen=True):
    """Attributes: how much the forecast is trusted.

    Attributes:
        present_permille, future_permille: share of the forecast yield that is booked. What is put
            off is lost if the later contact fails, so later contacts count less.
        density_weight: the `a` above. 0: deadlines alone, large: density alone.
        again_ns: a plan is made anew after this time.
        candidates_max: the densest so many are planned; what lies behind them goes by density.
    """

    present_permille: int = 900
    future_permille: int = 800
    density_weight: float = 0.7
    again_ns: int = 2_000_000_000
    candidates_max: int = 4_096


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A product to plan: density rank (a logarithm), bytes to send, deadline or None."""

    key: float
    size_bytes: int
    deadline_ns: int | None


Rank = tuple[int, float]
"""Tier and order within it; lower goes first."""


class SendPlan:
    """Ranks of candidates, and of newcomers until the next plan; made by `make_plan`."""

    def __init__(self, time: ByteTime, price_key: float, weight: float, luck: float) -> None:
        self._time = time
        self._weight = weight
        self._luck = luck
        self.price_key = price_key
        """Density of the least dense product planned: what a byte of the line is worth."""

    def rank(self, candidate: Candidate) -> Rank:
        """Where a product stands that came after the plan: by the price of the line."""
        last = self._time.last_stretch(candidate.deadline_ns)
        carried = self._time.bytes_until(last)
        if candidate.key >= self.price_key and self._luck * carried >= candidate.size_bytes:
            return self.planned(candidate.key, last)
        if carried < candidate.size_bytes:
            return Tier.HOPELESS, float(candidate.size_bytes)
        return Tier.OUTBID, -candidate.key

    def planned(self, key: float, last_stretch: int) -> Rank:
        """The rank of a planned product."""
        carried = self._time.bytes_until(last_stretch) + _IMPATIENT_BYTES
        return Tier.PLANNED, log2_steps(carried) - self._weight * key


def make_plan(
    candidates: Sequence[Candidate],
    horizon: Horizon,
    expected: Sequence[Expected],
    config: PlanConfig,
    ageing_ns: int | None = None,
) -> tuple[SendPlan, list[Rank]]:
    """The plan, and the rank of each candidate in their order."""
    time = ByteTime(horizon, config.present_permille, config.future_permille)
    verdicts = [Tier.OUTBID] * len(candidates)
    luck = 1 + 2 * horizon.spread
    rows: list[_Row] = []
    for index, each in enumerate(candidates):
        last = time.last_stretch(each.deadline_ns)
        carried = time.bytes_until(last)
        if carried < each.size_bytes:
            verdicts[index] = Tier.HOPELESS
        if luck * carried >= each.size_bytes:
            rows.append((-each.key, index, each.size_bytes, 0, last))
    rows += _expected_rows(time, expected, ageing_ns)
    for index in _Booking(time.carries, horizon.spread).book(rows):
        verdicts[index] = Tier.PLANNED
    price_key = min(
        (candidates[index].key for index, tier in enumerate(verdicts) if tier is Tier.PLANNED),
        default=0.0,
    )
    plan = SendPlan(time, price_key, config.density_weight, luck)
    ranks: list[Rank] = []
    for candidate, tier in zip(candidates, verdicts, strict=True):
        if tier is Tier.PLANNED:
            ranks.append(plan.planned(candidate.key, time.last_stretch(candidate.deadline_ns)))
        elif tier is Tier.OUTBID:
            ranks.append((tier, -candidate.key))
        else:
            ranks.append((tier, float(candidate.size_bytes)))
    return plan, ranks


def _expected_rows(
    time: ByteTime, expected: Sequence[Expected], ageing_ns: int | None
) -> list[_Row]:
    """What will be made before each later contact, as rows that cannot be sent earlier."""
    rows: list[_Row] = []
    before_ns = time.now_ns
    for first, start_ns in enumerate(time.starts_ns):
        span_ns = start_ns - before_ns
        if span_ns <= GAP_NS:
            continue
        made_ns = before_ns + span_ns // 2
        for each in expected:
            last = time.last_stretch(made_ns + each.patience_ns)
            if last >= first:
                key = each.key if ageing_ns is None else each.key - made_ns / ageing_ns
                rows.append((-key, -1, each.bytes_per_s * span_ns / 1e9, first, last))
        before_ns = start_ns
    return rows


class _Booking:
    """Room left in each stretch; `below` leaps over full ones."""

    def __init__(self, carries: Sequence[float], spread: float) -> None:
        self._room = list(carries)
        self._left = sum(self._room)
        self._below = list(range(-1, len(self._room) - 1))
        self._spread = spread

    def book(self, rows: list[_Row]) -> Iterator[int]:
        """Books by falling density; the indices of what found room.

        A row that does not fit comes back with its chance, `first` negated.
        """
        heapify(rows)
        while rows and self._left > 1.0:
            negated_key, index, size, first, last = heappop(rows)
            gamble = first < 0
            missing, taken = self._take(size, max(first, 0), last)
            if index < 0:
                continue
            if missing <= (1 - _BOOKED_LEAST if gamble else _TOLERANCE) * size:
                yield index
                continue
            self._give_back(taken)
            chance = 0.0 if gamble else _chance(1 - missing / size, self._spread)
            if chance > _CHANCE_LEAST:
                heappush(rows, (negated_key - _log2(chance), index, size, -1, last))

    def _take(self, size: float, first: int, last: int) -> tuple[float, list[tuple[int, float]]]:
        """Books as late as possible; (bytes that found no room, what was booked where)."""
        room, taken = self._room, []
        at = last
        while size > 0 and at >= first:
            free = room[at]
            if free > 0:
                part = min(free, size)
                room[at] = free - part
                size -= part
                taken.append((at, part))
                self._left -= part
            at = self._next(at)
        return size, taken

    def _next(self, at: int) -> int:
        """The next stretch before `at` that has room; full ones are leapt over ever after."""
        below, room = self._below, self._room
        under = below[at]
        while under >= 0 and room[under] <= 0:
            under = below[under]
        below[at] = under
        return under

    def _give_back(self, taken: list[tuple[int, float]]) -> None:
        """Undoes a booking; leaps over what is free again are undone with it."""
        for at, part in taken:
            self._room[at] += part
            self._left += part
        if taken:
            self._below = list(range(-1, len(self._room) - 1))


def _chance(booked: float, spread: float) -> float:
    """Chance that the real yield suffices when the expected one covers the share `booked` < 1.

    The normal distribution's upper tail, as two straight lines: 0.5 at 0, 0.16 at one, 0.02 at two
    standard deviations.
    """
    if booked <= 0:
        return 0.0
    deviations = (1 - booked) / (spread * booked)
    if deviations < 1:
        return 0.5 - 0.34 * deviations
    return max(0.0, 0.16 - 0.14 * (deviations - 1))


def _log2(value: float) -> float:
    return log2_steps(value) - 2.0
