"""What keeps a day's value from the bound: what nobody foresaw, each limit of the node, planning.

The same planner is flown again with ever more of the day's truth for its forecast: what it earns
more is what clouds, and then arrivals, cost that nobody foresaw. What the knowing planner still
misses is split by flying it, beside the bound, through days on which one limit binds no more: if
the gap closes without heat, it was lost at the thermal limits (margins, rounded sensors, the slot's
means), and so on. The rest is the planner's own, and the bound's. All shares add up to the gap.
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
LIMITS_HIGHER_K, ARRAY_SCALE, BATTERY_SCALE, LINK_SCALE = 100.0, 3.0, 4.0, 20.0
"""So much more of each, and the limit binds on no day. Limits are raised and radiators left alone:
with four times the area a node falls far below all that it is built and planned for, and what that
costs is no share of the gap."""
REST = "planner, and the bound's own"


def clouds_known(case: Mapping[str, Any]) -> dict[str, Any]:
    """The day with its sky for a forecast: light, heat from outside, contacts as they come."""
    known = copy.deepcopy(dict(case))
    truth, told = known["truth"], known["forecast"]
    told["sun_fraction"] = truth["sun_fraction"]
    told["environment_heat_w"] = truth["environment_heat_w"]
    told["link_windows"] = [{**w, "clear_probability": 1.0} for w in truth["link_windows"]]
    return known


def clairvoyant(case: Mapping[str, Any]) -> dict[str, Any]:
    """The day with all its truth for a forecast, arrivals by the hour."""
    known = clouds_known(case)
    truth, told = known["truth"], known["forecast"]
    told["arrival_fps_hourly"] = {
        name: [
            sum(frames[at : at + HOUR_S]) / len(frames[at : at + HOUR_S])
            for at in range(0, len(frames), HOUR_S)
        ]
        for name, frames in truth["arrivals"].items()
    }
    told["bursts"] = None
    return known


def without(limit: Limit, case: Mapping[str, Any]) -> dict[str, Any]:
    """The day with limits so much higher, or so much more array and battery, or link."""
    freed = copy.deepcopy(dict(case))
    if limit is Limit.HEAT:
        for node in freed["thermal"]["nodes"]:
            node["max_k"] += LIMITS_HIGHER_K
    elif limit is Limit.ENERGY:
        power = freed["power"]
        power["array_w"] *= ARRAY_SCALE
        for name in ("battery_capacity_j", "battery_start_j", "charge_max_w", "discharge_max_w"):
            power[name] *= BATTERY_SCALE
    else:
        for window in (*freed["forecast"]["link_windows"], *freed["truth"]["link_windows"]):
            window["rate_bps"] *= LINK_SCALE
    return freed


def causes_of(case: Mapping[str, Any], net: float, bound: float) -> dict[str, float]:
    """Shares of the bound, by cause; they add up to the gap between it and `net`."""
    sky_net, known = _net(clouds_known(case)), clairvoyant(case)
    known_net = _net(known)
    gap = 1.0 - known_net / bound
    causes = {
        "forecast: clouds": (sky_net - net) / bound,
        "forecast: arrivals": (known_net - sky_net) / bound,
    }
    for limit in Limit:
        freed = without(limit, known)
        causes[limit.value] = gap - (1.0 - _net(freed) / value_bound(freed))
    causes[REST] = 1.0 - net / bound - sum(causes.values())
    return causes


def limits_of(case: Mapping[str, Any], bound: float) -> dict[str, float]:
    """What each limit of the node costs the bound itself, as shares of it."""
    return {limit.value: value_bound(case, frozenset({limit})) / bound - 1.0 for limit in Limit}


def _net(case: Mapping[str, Any]) -> float:
    """What the planner makes of a day."""
    delivered, penalty = fly(case, DveGovernor(public_part(case)), day_truth(case)).value()
    return delivered - penalty
