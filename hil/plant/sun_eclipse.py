"""Light on the node: direction of the Sun, the conical shadow and its crossings.

Sun: the Astronomical Almanac's low-precision formula, about 0.01 degree from 1950 to 2050.
Eclipse: the two apparent discs (Montenbruck and Gill, Satellite Orbits, 3.4.2): fraction
`nu` of the Sun seen, 1 in full light, 0 in umbra. Crossings are found ahead by bisection
and posted by the bench as events, so that no step ever smears one.
"""

import math
from collections.abc import Callable
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from hil.plant.constants import AU_KM, DAY_S, R_EARTH_KM, R_SUN_KM
from hil.plant.orbit import Orbit, Vector
from hil.plant.passes import bisect, maximise

SCAN_STEP_S = 20.0


class Sun(NamedTuple):
    """Unit vector to the Sun (equator of date) and its distance."""

    direction: Vector
    distance_au: float


class Crossing(IntEnum):
    """An edge of the shadow, in the order of one eclipse."""

    PENUMBRA_IN = 1
    UMBRA_IN = 2
    UMBRA_OUT = 3
    PENUMBRA_OUT = 4


class ShadowEvent(NamedTuple):
    """One shadow edge at `t_s` seconds from the orbit's epoch."""

    t_s: float
    crossing: Crossing


def sun_at(days_j2000: float) -> Sun:
    """Sun as seen from the Earth, `days_j2000` days after 2000-01-01T12:00."""
    g = math.radians((357.528 + 0.9856003 * days_j2000) % 360.0)
    mean = 280.460 + 0.9856474 * days_j2000
    longitude = math.radians((mean + 1.915 * math.sin(g) + 0.020 * math.sin(2.0 * g)) % 360.0)
    obliquity = math.radians(23.439 - 4.0e-7 * days_j2000)
    sine = math.sin(longitude)
    direction = (math.cos(longitude), math.cos(obliquity) * sine, math.sin(obliquity) * sine)
    return Sun(direction, 1.00014 - 0.01671 * math.cos(g) - 0.00014 * math.cos(2.0 * g))


def _disc_angles(position_km: Vector, sun: Sun) -> tuple[float, float, float]:
    """Apparent radii of Sun and Earth and the angle between their centres, rad."""
    x, y, z = position_km
    (ux, uy, uz), distance_au = sun
    distance_km = distance_au * AU_KM
    dx, dy, dz = ux * distance_km - x, uy * distance_km - y, uz * distance_km - z
    d_km = math.sqrt(dx * dx + dy * dy + dz * dz)
    r_km = math.sqrt(x * x + y * y + z * z)
    cosine = -(x * dx + y * dy + z * dz) / (r_km * d_km)
    apart = math.acos(max(-1.0, min(1.0, cosine)))
    return math.asin(R_SUN_KM / d_km), math.asin(min(1.0, R_EARTH_KM / r_km)), apart


def sunlit_fraction(position_km: Vector, sun: Sun) -> float:
    """Fraction `nu` in 0..1 of the solar disc that the Earth leaves free."""
    x, y, z = position_km
    ux, uy, uz = sun.direction
    along = x * ux + y * uy + z * uz
    if along >= 0.0:
        return 1.0  # the day side: the Earth is behind the node
    aside2 = x * x + y * y + z * z - along * along
    reach_km = R_EARTH_KM - 0.01 * along  # far wider than the penumbra's half-angle, 0.0047
    if aside2 > reach_km * reach_km:
        return 1.0
    a, b, c = _disc_angles(position_km, sun)
    if c >= a + b:
        return 1.0
    if c <= b - a:
        return 0.0
    near = (c * c + a * a - b * b) / (2.0 * c)
    half_chord = math.sqrt(max(0.0, a * a - near * near))
    hidden = (
        a * a * math.acos(max(-1.0, min(1.0, near / a)))
        + b * b * math.acos(max(-1.0, min(1.0, (c - near) / b)))
        - c * half_chord
    )
    return min(1.0, max(0.0, 1.0 - hidden / (math.pi * a * a)))


def sun_of(orbit: Orbit, t_s: float) -> Sun:
    """Sun at `t_s` seconds from the orbit's epoch."""
    return sun_at(orbit.epoch_days_j2000 + t_s / DAY_S)


def beta_rad(orbit: Orbit, t_s: float) -> float:
    """Angle of the Sun above the orbit plane, positive on the side of the momentum."""
    (x, y, z), (vx, vy, vz) = orbit.state(t_s)
    hx, hy, hz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    ux, uy, uz = sun_of(orbit, t_s).direction
    return math.asin((hx * ux + hy * uy + hz * uz) / math.sqrt(hx * hx + hy * hy + hz * hz))


def find_crossings(orbit: Orbit, t0_s: float, t1_s: float) -> list[ShadowEvent]:
    """Every shadow edge inside `t0_s..t1_s`, in order of time, to a millisecond."""

    def outer(t_s: float) -> float:
        a, b, c = _disc_angles(orbit.position_km(t_s), sun_of(orbit, t_s))
        return c - (a + b)

    def inner(t_s: float) -> float:
        a, b, c = _disc_angles(orbit.position_km(t_s), sun_of(orbit, t_s))
        return c - (b - a)

    events: list[ShadowEvent] = []
    edges = (
        (outer, Crossing.PENUMBRA_IN, Crossing.PENUMBRA_OUT),
        (inner, Crossing.UMBRA_IN, Crossing.UMBRA_OUT),
    )
    for f, enter, leave in edges:
        marks = _marks(f, t0_s, t1_s)
        for (low, f_low), (high, f_high) in pairwise(marks):
            if (f_low > 0.0) != (f_high > 0.0):
                events.append(ShadowEvent(bisect(f, low, high), enter if f_low > 0.0 else leave))
    return sorted(events)


def _marks(f: Callable[[float], float], t0_s: float, t1_s: float) -> list[tuple[float, float]]:
    """Samples of `f`, with each local minimum added so that no grazing eclipse is missed."""
    steps = max(1, math.ceil((t1_s - t0_s) / SCAN_STEP_S))
    grid = [t0_s + (t1_s - t0_s) * k / steps for k in range(steps + 1)]
    marks = [(t, f(t)) for t in grid]
    for k in range(1, len(grid) - 1):
        if marks[k][1] > 0.0 and marks[k - 1][1] >= marks[k][1] < marks[k + 1][1]:
            dip = maximise(lambda t: -f(t), grid[k - 1], grid[k + 1])
            marks.append((dip, f(dip)))
    return sorted(marks)
