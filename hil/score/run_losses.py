"""Where a run lost its pictures: second by second, by the reason in force.

A picture that nobody computes is dropped from the backlog or refused; the throttle reason of that
second is the cause. While there is none the cause is that of the throttle before it, whose backlog
this still is. What is neither computed nor dropped came while the node was down, or too late.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from flight.telemetry.dictionary import ThrottleReason as R

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Cause(Enum):
    """What a picture's value is lost to."""

    HEAT = "heat"
    BATTERY = "battery"
    LINK = "link"
    COMMAND = "command or fault"
    OTHER = "node down, or never throttled"


CAUSE_OF = {
    R.NONE: Cause.OTHER,
    R.DIE: Cause.HEAT,
    R.SINK: Cause.HEAT,
    R.RADIATOR: Cause.HEAT,
    R.BATTERY_FLOOR: Cause.BATTERY,
    R.ECLIPSE_RESERVE: Cause.BATTERY,
    R.PASS_RESERVE: Cause.LINK,
    R.QUEUE_FULL: Cause.LINK,
    R.COMMAND: Cause.COMMAND,
    R.FAULT: Cause.COMMAND,
}
LOST = ("inference.dropped_total", "inference.refused_total", "inference.failed_total")


def pictures_lost(telemetry: Mapping[str, NDArray[np.float64]], shown: int) -> dict[Cause, float]:
    """Pictures by cause, of as many as were shown; channels by name, a second a sample."""
    lost = dict.fromkeys(Cause, 0.0)
    reasons = telemetry["governor.throttle_reason"]
    dropped = np.sum([grown(telemetry[name]) for name in LOST], axis=0)
    cause = Cause.OTHER
    for reason, count in zip(reasons, dropped, strict=True):
        if np.isfinite(reason) and R(int(reason)) is not R.NONE:
            cause = CAUSE_OF[R(int(reason))]
        lost[cause] += float(count)
    done = float(grown(telemetry["inference.jobs_total"]).sum())
    lost[Cause.OTHER] += max(0.0, shown - done - sum(lost.values()))
    return lost


def grown(counter: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much a counter grew each second; after a reset it begins at nothing again."""
    known = np.where(np.isfinite(counter), counter, 0.0)
    last = np.concatenate([[0.0], known[:-1]])
    found: NDArray[np.float64] = np.where(known >= last, known - last, known)
    return found
