"""What the node of a run keeps beside the limits that the run is judged by.

The ground sets targets for die and heat sink, the configuration a limit for the radiator: nothing
is computed above any of them. They are no limits of the temperature itself: heat from outside may
carry a node that only waits beyond one, and does in flight. Frames wait in one backlog.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from flight.config import load_profile
from flight.telemetry.dictionary import PARAMETER_BY_NAME
from flight.thermal.governor import DIE_GUARD_K

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from hil.scenario import Scenario

BEYOND_BACKLOG = 3
"""Frames that have left the backlog and are not done: two jobs under way, one on its way there."""
COMPUTES_W = 0.1
"""A payload that draws more than this computes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Rules of the node; the default are none.

    Attributes:
        work_c: by heat node (degC), above which nothing is computed.
        frames_max: that wait, of all kinds together.
    """

    work_c: Mapping[str, float] = field(default_factory=dict)
    frames_max: float | None = None


def kept_limits(scenario: Scenario, telemetry: Mapping[str, NDArray[np.float64]]) -> Kept:
    """The rules of a flown run, each as loose as it ever was in it.

    A parameter that was changed counts at its highest, and a limit above which the run did compute
    as high as that.
    """
    inference, heat = scenario.node.inference, scenario.node.planner
    frames = float(scenario.node.camera.backlog_frames + BEYOND_BACKLOG)
    if inference.governor == "none":
        return Kept({}, frames)
    board_c = load_profile(inference.profile).die_limit_c - DIE_GUARD_K
    told_c = {
        "die": min(_highest(scenario, "governor.die_target_c"), board_c),
        "sink": min(_highest(scenario, "governor.sink_target_c"), heat.sink_c_max),
        "radiator": heat.radiator_c_max,
    }
    return Kept({name: max(c, _at_work_c(telemetry, name)) for name, c in told_c.items()}, frames)


def _highest(scenario: Scenario, name: str) -> float:
    """A parameter at its highest: as built, as configured, as commanded."""
    values = [PARAMETER_BY_NAME[name].default, scenario.node.parameters.get(name)]
    values += [
        each.arguments.get("value")
        for each in scenario.timeline
        if each.command == "SET_PARAMETER" and each.arguments.get("name") == name
    ]
    return max(float(value) for value in values if value is not None)


def _at_work_c(telemetry: Mapping[str, NDArray[np.float64]], name: str) -> float:
    """The warmest that a node was at the start or the end of a second with work."""
    temp_c, busy = telemetry[f"truth.{name}_c"], telemetry["truth.payload_w"] > COMPUTES_W
    ends = np.maximum(temp_c, np.concatenate([temp_c[:1], temp_c[:-1]]))
    return float(ends[busy].max(initial=-np.inf))
