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
Which `a`, or density alone without any plan, is settled by trial (`Trial`).
"""

from __future__ import annotations

from enum import IntEnum
from heapq import heapify, heappop, heappush
from math import inf
from typing import TYPE_CHECKING

import msgspec

from flight.downlink.product import log2_steps
from flight.downlink.send_horizon import ByteTime, Horizon, Item, Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flight.downlink.arrival_forecast import Expected

GAP_NS = 60_000_000_000
"""Shorter pauses between stretches are no time in which much is made."""
_TOLERANCE = 0.02
_CHANCE_LEAST = 0.05
_BOOKED_LEAST = 0.1
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
        density_weights: values of `a` to choose from, 0: deadlines alone, large: density alone;
            density without any plan is tried beside them.
        plan_gain_permille: what an order must be worth more than one nearer to density. Where it
            is less, orders take turns with each forecast, and large products are left half sent.
        again_ns: a plan is made anew after this time.
        candidates_max: the densest so many are planned; what lies behind them goes by density.
    """

    present_permille: int = 900
    future_permille: int = 800
    density_weights: tuple[float, ...] = (2.8, 1.4, 0.7, 0.35)
    plan_gain_permille: int = 10
    again_ns: int = 2_000_000_000
    candidates_max: int = 4_096


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A product to plan: density rank (a logarithm), bytes to send, deadline or None, worth."""

    key: float
    size_bytes: int
    deadline_ns: int | None
    value: int = 0


Rank = tuple[int, float]
"""Tier and order within it; lower goes first."""


class SendPlan:
    """Ranks of candidates, and of newcomers until the next plan; made by `make_plan`.

    Attributes:
        price_key: density of the least dense product planned: what a byte of the line is worth.
        weight: the `a` that is flown; None: density alone.
        tiers: what the plan made of each candidate, whether it is flown or not.
    """

    def __init__(
        self, time: ByteTime, trial: Trial, tiers: Sequence[Tier], price_key: float
    ) -> None:
        self._time = time
        self._trial = trial
        self.tiers = tiers
        self.price_key = price_key
        self.weight: float | None = None

    def rank(self, candidate: Candidate) -> Rank:
        """Where a product stands that came after the plan: by the price of the line."""
        last = self._time.last_stretch(candidate.deadline_ns)
        tier = Tier.OUTBID
        if self._trial.most_bytes(last) < candidate.size_bytes:
            tier = Tier.HOPELESS
        elif candidate.key >= self.price_key:
            tier = Tier.PLANNED
        return self.placed(candidate, tier, last)

    def placed(self, candidate: Candidate, tier: Tier, last_stretch: int) -> Rank:
        """The rank of a product of this tier."""
        if self.weight is None:
            return Tier.PLANNED, -candidate.key
        if tier is Tier.PLANNED:
            carried = self._time.bytes_until(last_stretch) + _IMPATIENT_BYTES
            return tier, log2_steps(carried) - self.weight * candidate.key
        if tier is Tier.OUTBID:
            return tier, -candidate.key
        return tier, float(candidate.size_bytes)


def make_plan(
    candidates: Sequence[Candidate],
    horizon: Horizon,
    expected: Sequence[Expected],
    config: PlanConfig,
    ageing_ns: int | None = None,
) -> tuple[SendPlan, list[Rank]]:
    """The plan, and the rank of each candidate in their order."""
    time = ByteTime(horizon, config.present_permille, config.future_permille)
    lasts = [time.last_stretch(each.deadline_ns) for each in candidates]
    verdicts = [Tier.OUTBID] * len(candidates)
    trial = Trial(horizon)
    rows: list[_Row] = []
    for index, each in enumerate(candidates):
        if trial.most_bytes(lasts[index]) < each.size_bytes:
            verdicts[index] = Tier.HOPELESS
        else:
            rows.append((-each.key, index, each.size_bytes, 0, lasts[index]))
    rows += _expected_rows(time, expected, ageing_ns)
    booking = _Booking(time.carries, trial)
    for index in booking.book(rows):
        verdicts[index] = Tier.PLANNED
    trial.reserve(booking.taken_by_expected)
    price_key = min(
        (candidates[index].key for index, tier in enumerate(verdicts) if tier is Tier.PLANNED),
        default=0.0,
    )
    plan = SendPlan(time, trial, verdicts, price_key)
    placed = list(zip(candidates, verdicts, lasts, strict=True))
    best_worth, best_weight, best_ranks = -inf, plan.weight, []
    for plan.weight in (None, *config.density_weights):
        ranks = [plan.placed(*each) for each in placed]
        order = sorted(range(len(ranks)), key=lambda index: (ranks[index], index))
        worth = trial.value(
            [Item(candidates[i].value, candidates[i].size_bytes, lasts[i]) for i in order]
        )
        if worth > best_worth + config.plan_gain_permille / 1000 * max(best_worth, 0.0):
            best_worth, best_weight, best_ranks = worth, plan.weight, ranks
    plan.weight = best_weight
    return plan, best_ranks


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

    def __init__(self, carries: Sequence[float], trial: Trial) -> None:
        self._room = list(carries)
        self._left = sum(self._room)
        self._below = list(range(-1, len(self._room) - 1))
        self._trial = trial
        self.taken_by_expected = [0.0] * len(self._room)

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
                for at, part in taken:
                    self.taken_by_expected[at] += part
                continue
            if missing <= (1 - _BOOKED_LEAST if gamble else _TOLERANCE) * size:
                yield index
                continue
            self._give_back(taken)
            chance = 0.0 if gamble else self._trial.chance(last, int(size), size - missing)
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


def _log2(value: float) -> float:
    return log2_steps(value) - 2.0
