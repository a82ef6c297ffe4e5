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
from struct import Struct
from typing import NamedTuple

from hil.plant._plant_native import ffi, lib
from hil.plant.constants import DAY_S
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


_SUN = ffi.new("struct plant_sun *")
"""Scratch of one call; the plant runs on one thread."""
_SUN_VIEW = ffi.buffer(_SUN)
_SUN_LAYOUT = Struct("=4d")
_ANGLES = ffi.new("double[3]")


def sun_at(days_j2000: float) -> Sun:
    """Sun as seen from the Earth, `days_j2000` days after 2000-01-01T12:00."""
    lib.plant_sun_at(days_j2000, _SUN)
    x, y, z, distance_au = _SUN_LAYOUT.unpack(_SUN_VIEW)
    return Sun((x, y, z), distance_au)


def _disc_angles(position_km: Vector, sun: Sun) -> tuple[float, float, float]:
    """Apparent radii of Sun and Earth and the angle between their centres, rad."""
    _SUN_LAYOUT.pack_into(_SUN_VIEW, 0, *sun.direction, sun.distance_au)
    lib.plant_disc_angles(*position_km, _SUN, _ANGLES)
    return _ANGLES[0], _ANGLES[1], _ANGLES[2]


def sunlit_fraction(position_km: Vector, sun: Sun) -> float:
    """Fraction `nu` in 0..1 of the solar disc that the Earth leaves free."""
    _SUN_LAYOUT.pack_into(_SUN_VIEW, 0, *sun.direction, sun.distance_au)
    return float(lib.plant_sunlit_fraction(*position_km, _SUN))


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
