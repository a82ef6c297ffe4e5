"""What keeps a run from its bound, step by step: its day flown by the planner that knows ever more.

The day is the run's (`flown_day`) with the rules that the node keeps as limits of its guard, so
that what each flight earns is what a governor that keeps them can earn: the bound must lie above
all of them. Each step's gain is the loss of the step before to what it did not know.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from hil.plant.constants import ZERO_CELSIUS_K
from hil.score.case_format import public_part
from hil.score.day_causes import clairvoyant
from hil.score.day_truth import day_truth
from hil.score.dve_governor import DveGovernor
from hil.score.scored_day import fly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hil.score.day_replay import DayReplay, Wish
    from hil.score.flown_day import FlownDay
    from hil.score.kept_limits import Kept

BENCH = "bench beyond the day: warmer, whole levels, acquisition"
WORTH = "what a picture is worth, known only once it is computed"
FORECAST = "heat, light and clouds that nobody foresaw"
REST = "planner, and the bound's own"
ALIKE = "picture"


class Split(NamedTuple):
    """What the flights said.

    Attributes:
        causes: value by cause; they add up to the gap.
        above_s: seconds of those flights in which something was computed above a limit: while there
            are any, they prove nothing of the bound.
    """

    causes: dict[str, float]
    above_s: int


class Replayed(NamedTuple):
    """A flight through a day: what it delivered, and its seconds with work above a limit."""

    value: float
    above_s: int


def split(day: FlownDay, kept: Kept, delivered: float, bound: float) -> Split:
    """The gap between `delivered` and the bound."""
    case = ruled(day.case, kept)
    one_kind = alike(case, kept)
    flights = [
        replayed(each, kept) for each in (one_kind, case, clairvoyant(case))
    ]  # fmt: skip
    scales = (day.value_all / _worth(one_kind), 1.0, 1.0)
    blind, seeing, knowing = (
        scale * flight.value + day.value_beside
        for scale, flight in zip(scales, flights, strict=True)
    )
    causes = {
        BENCH: blind - delivered,
        WORTH: seeing - blind,
        FORECAST: knowing - seeing,
        REST: bound - knowing,
    }
    return Split(causes, sum(flight.above_s for flight in flights))


def ruled(case: Mapping[str, Any], kept: Kept) -> dict[str, Any]:
    """The day with the node's rules for limits: a guard that keeps these computes at none above."""
    found = copy.deepcopy(dict(case))
    for node in found["thermal"]["nodes"]:
        limit_c = kept.work_c.get(node["name"])
        if limit_c is not None:
            node["max_k"] = min(node["max_k"], limit_c + ZERO_CELSIUS_K)
    return found


def alike(case: Mapping[str, Any], kept: Kept) -> dict[str, Any]:
    """The day with one kind of pictures, each worth the mean: as whoever has not looked sees it."""
    found = copy.deepcopy(dict(case))
    kinds, truth, told = case["classes"], found["truth"], found["forecast"]
    arrivals, hourly = truth["arrivals"], told["arrival_fps_hourly"]
    counts = [sum(arrivals[kind["name"]]) for kind in kinds]

    def mean(what: str) -> dict[str, float]:
        return {
            v: sum(n * kind[what][v] for n, kind in zip(counts, kinds, strict=True)) / sum(counts)
            for v in case["compute"]["variants"]
        }

    frames = min(sum(kind["frames_max"] for kind in kinds), int(kept.frames_max or 1e9))
    found["classes"] = [
        {"name": ALIKE, "value": mean("value"), "result_bits": mean("result_bits"),
         "frames_max": frames}
    ]  # fmt: skip
    truth["arrivals"] = {ALIKE: [sum(each) for each in zip(*arrivals.values(), strict=True)]}
    told["arrival_fps_hourly"] = {ALIKE: [sum(each) for each in zip(*hourly.values(), strict=True)]}
    for mode in found["compute"]["modes"]:
        mode["frames_per_s"] = {ALIKE: max(mode["frames_per_s"].values())}
    return found


def replayed(case: Mapping[str, Any], kept: Kept) -> Replayed:
    """The planner's flight through a day."""
    limits_k = [
        kept.work_c.get(node["name"], float("inf")) + ZERO_CELSIUS_K
        for node in case["thermal"]["nodes"]
    ]
    above_s = 0

    def look(_k: int, wish: Wish, replay: DayReplay) -> None:
        nonlocal above_s
        if any(share > 0.0 for _, _, share in wish.work):
            above_s += any(t > limit for t, limit in zip(replay.temp_k, limits_k, strict=True))

    flown = fly(case, DveGovernor(public_part(case)), day_truth(case), look)
    return Replayed(flown.value()[0], above_s)


def _worth(case: Mapping[str, Any]) -> float:
    """Of all pictures of a day with one kind, each as its best variant."""
    count = sum(case["truth"]["arrivals"][ALIKE])
    return float(count * max(case["classes"][0]["value"].values()))
