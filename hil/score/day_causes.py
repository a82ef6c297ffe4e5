"""What keeps a day's value from being higher: forecast, planning, and each limit of the node.

The same planner is flown once more with the day's truth for its forecast. What it then earns more
is what clouds and arrivals that nobody foresaw cost; what is still missing to the bound is the
planner's own, or the bound's. Limits are lifted in the bound one at a time: what each costs.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hil.score.case_format import public_part
from hil.score.day_truth import day_truth
from hil.score.dve_governor import DveGovernor
from hil.score.scored_day import fly
from hil.score.value_bound import Limit, value_bound

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR_S = 3600


def clairvoyant(case: Mapping[str, Any]) -> dict[str, Any]:
    """The day with its truth for a forecast (contacts as they come, arrivals by the hour)."""
    known = copy.deepcopy(dict(case))
    truth, told = known["truth"], known["forecast"]
    told["sun_fraction"] = truth["sun_fraction"]
    told["environment_heat_w"] = truth["environment_heat_w"]
    told["link_windows"] = [{**w, "clear_probability": 1.0} for w in truth["link_windows"]]
    told["arrival_fps_hourly"] = {
        name: [
            sum(frames[at : at + HOUR_S]) / len(frames[at : at + HOUR_S])
            for at in range(0, len(frames), HOUR_S)
        ]
        for name, frames in truth["arrivals"].items()
    }
    told["bursts"] = None
    return known


def causes_of(case: Mapping[str, Any], net: float, bound: float) -> dict[str, float]:
    """Shares of the bound, by cause; the first two add up to the gap."""
    known = clairvoyant(case)
    delivered, penalty = fly(known, DveGovernor(public_part(known)), day_truth(known)).value()
    causes = {
        "not foreseen": (delivered - penalty - net) / bound,
        "planning, and the bound's own": 1.0 - (delivered - penalty) / bound,
    }
    for limit in Limit:
        gain = value_bound(case, frozenset({limit})) / bound - 1.0
        causes[f"{limit.value} limits the bound by"] = gain
    return causes
