"""When the node stands over a ground site: the contact plan's optical half starts here."""

import math
from collections.abc import Callable
from typing import NamedTuple

from hil.plant.orbit import Geodetic, Orbit, ecef_of

SCAN_STEP_S = 30.0
TIME_TOLERANCE_S = 1.0e-3
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Look(NamedTuple):
    """Direction from a site to the node."""

    elevation_deg: float
    azimuth_deg: float
    range_km: float


class Pass(NamedTuple):
    """One stay above a site's mask; times in seconds from the orbit's epoch."""

    rise_s: float
    culmination_s: float
    set_s: float
    max_elevation_deg: float


class Site:
    """A fixed point on the Earth with its local vertical, worked out once."""

    def __init__(self, point: Geodetic) -> None:
        if not (-90.0 <= point.lat_deg <= 90.0 and -180.0 <= point.lon_deg <= 180.0):
            raise ValueError(f"site outside the globe: {point}")
        self.point = point
        self.ecef_km = ecef_of(point)
        lat, lon = math.radians(point.lat_deg), math.radians(point.lon_deg)
        self._sin_lat, self._cos_lat = math.sin(lat), math.cos(lat)
        self._sin_lon, self._cos_lon = math.sin(lon), math.cos(lon)

    def look(self, orbit: Orbit, t_s: float) -> Look:
        """Elevation, azimuth and range of the node (no refraction, no light time)."""
        px, py, pz = orbit.ecef_km(t_s)
        sx, sy, sz = self.ecef_km
        dx, dy, dz = px - sx, py - sy, pz - sz
        outward = self._cos_lon * dx + self._sin_lon * dy
        east = self._cos_lon * dy - self._sin_lon * dx
        north = self._cos_lat * dz - self._sin_lat * outward
        up = self._cos_lat * outward + self._sin_lat * dz
        horizontal = math.hypot(east, north)
        return Look(
            math.degrees(math.atan2(up, horizontal)),
            math.degrees(math.atan2(east, north)) % 360.0,
            math.hypot(horizontal, up),
        )


def bisect(f: Callable[[float], float], low: float, high: float) -> float:
    """Root of `f` between `low` and `high`, where its sign differs, to a millisecond."""
    positive_low = f(low) > 0.0
    if positive_low == (f(high) > 0.0):
        raise ValueError("bisection needs a change of sign")
    while high - low > TIME_TOLERANCE_S:
        middle = 0.5 * (low + high)
        if (f(middle) > 0.0) == positive_low:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def maximise(f: Callable[[float], float], low: float, high: float) -> float:
    """Place of the single maximum of `f` inside `low..high`, golden section."""
    x1, x2 = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    f1, f2 = f(x1), f(x2)
    while high - low > TIME_TOLERANCE_S:
        if f1 < f2:
            low, x1, f1 = x1, x2, f2
            x2 = low + _GOLDEN * (high - low)
            f2 = f(x2)
        else:
            high, x2, f2 = x2, x1, f1
            x1 = high - _GOLDEN * (high - low)
            f1 = f(x1)
    return 0.5 * (low + high)


def find_passes(
    orbit: Orbit, site: Site, t0_s: float, t1_s: float, *, mask_deg: float
) -> list[Pass]:
    """Passes that culminate inside `t0_s..t1_s` above `mask_deg`, in order of time.

    Rise and set may lie outside the window: the ephemeris has no edge there.
    """

    def height(t_s: float) -> float:
        return site.look(orbit, t_s).elevation_deg - mask_deg

    passes: list[Pass] = []
    steps = math.ceil((t1_s - t0_s) / SCAN_STEP_S)
    grid = [t0_s + SCAN_STEP_S * k for k in range(-1, steps + 2)]
    heights = [height(t) for t in grid]
    for k in range(1, len(grid) - 1):
        if not heights[k - 1] < heights[k] >= heights[k + 1] or heights[k] < -20.0:
            continue
        top = maximise(height, grid[k - 1], grid[k + 1])
        if not t0_s <= top < t1_s or height(top) <= 0.0:
            continue
        before, after = top, top
        while height(before) > 0.0:
            before -= SCAN_STEP_S
        while height(after) > 0.0:
            after += SCAN_STEP_S
        rise_s, set_s = bisect(height, before, top), bisect(height, top, after)
        passes.append(Pass(rise_s, top, set_s, height(top) + mask_deg))
    return passes
