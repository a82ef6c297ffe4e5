"""When a link's line of sight runs too close to the Sun, at either end of it.

Both ends look along the same line: the node's terminal towards its peer, the peer's telescope or
terminal towards the node. Where one of them would have the Sun within the keep-out angle, and the
Earth does not hide it there, sunlight would blind the detector or heat what it is focused on.
Contacts are planned around such windows, and the bench's terminal sees nothing in them.
"""

import math
from collections.abc import Callable
from itertools import pairwise

from hil.plant.constants import R_EARTH_KM
from hil.plant.orbit import Orbit, Vector
from hil.plant.passes import bisect
from hil.plant.sun_eclipse import sun_of

STEP_S = 1.0
"""Of the search. The line of sight turns by 1 degree a second at most, so between two looks it
dips into the keep-out by no more than 0.03 degree, a tenth of the Sun's own disc."""
UNSEEN_DEG = 180.0
"""Stands for the angle where the Earth hides the Sun."""

Window = tuple[float, float]
"""Begin and end, seconds from the orbit's epoch."""


def sun_angle_deg(eye_km: Vector, other_km: Vector, sun: Vector) -> float:
    """Angle at `eye_km` between the line to `other_km` and the Sun; `UNSEEN_DEG` in the shadow.

    Both are inertial positions from the Earth's centre; `sun` is the unit vector to the Sun, which
    is far enough for both ends to see it alike.
    """
    above = sum(e * s for e, s in zip(eye_km, sun, strict=True))
    if above < 0.0 and math.hypot(*eye_km) ** 2 - above**2 < R_EARTH_KM**2:
        return UNSEEN_DEG
    line = tuple(o - e for o, e in zip(other_km, eye_km, strict=True))
    cosine = sum(a * s for a, s in zip(line, sun, strict=True)) / math.hypot(*line)
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


def line_sun_angle_deg(orbit: Orbit, peer_km: Callable[[float], Vector], t_s: float) -> float:
    """The smaller of the angles at node and peer, at one time."""
    node, peer, sun = orbit.position_km(t_s), peer_km(t_s), sun_of(orbit, t_s).direction
    return min(sun_angle_deg(node, peer, sun), sun_angle_deg(peer, node, sun))


def keep_outs(
    orbit: Orbit,
    peer_km: Callable[[float], Vector],
    span: Window,
    *,
    limit_deg: float,
    guard_s: float = 0.0,
) -> tuple[Window, ...]:
    """Windows within `span` in which the line of sight lies less than `limit_deg` from the Sun.

    `peer_km` is the peer's inertial position over time. A guard of `guard_s` is put before and
    after each window; windows that touch then are one.
    """

    def clearance(t_s: float) -> float:
        return line_sun_angle_deg(orbit, peer_km, t_s) - limit_deg

    begin_s, end_s = span
    steps = max(1, math.ceil((end_s - begin_s) / STEP_S))
    times = [begin_s + (end_s - begin_s) * k / steps for k in range(steps + 1)]
    clear = [clearance(t_s) > 0.0 for t_s in times]
    edges = [begin_s] if not clear[0] else []
    for (low, was), (high, now) in pairwise(zip(times, clear, strict=True)):
        if was != now:
            edges.append(bisect(clearance, low, high))
    if not clear[-1]:
        edges.append(end_s)
    found: list[Window] = []
    for start_s, stop_s in zip(edges[::2], edges[1::2], strict=True):
        if found and start_s - guard_s <= found[-1][1]:
            found[-1] = (found[-1][0], stop_s + guard_s)
        else:
            found.append((start_s - guard_s, stop_s + guard_s))
    return tuple(found)
