"""Sun and shadow ahead, as the node itself works them out from its mean elements.

The node flies its own propagator (SGP4, Vallado et al., AIAA 2006-6753) and its own Sun formula
(Astronomical Almanac, low precision, 0.01 deg), apart from the bench's plant: the two agree only
because both are right. The shadow is the conical one, taken as dark when more than half is hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, asin, cbrt, cos, isnan, nan, pi, radians, sin, sqrt

from sgp4.api import WGS72, Satrec

from flight.power.power_budget import NO_ECLIPSE, SHADOW_ANY_MOMENT, SunPhase

MU_KM3_S2 = 398_600.8
EARTH_RADIUS_KM = 6378.137
SUN_RADIUS_KM = 695_700.0
AU_KM = 149_597_870.7
DAY_SINE = 0.05
"""The Sun high enough over the ground for pictures: three degrees."""
_UNIX_EPOCH_JD = 2_440_587.5
_SGP4_EPOCH_JD = 2_433_281.5
_S_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class MeanElements:
    """Mean elements of the node's orbit (SGP4 theory, TEME of epoch).

    Attributes:
        epoch_utc_s: Unix seconds.
        inclination_deg, raan_deg, eccentricity, argp_deg, mean_anomaly_deg: as in an element set.
        mean_motion_rev_day: revolutions a day (Kozai).
        bstar: drag term, 1/Earth radii.
    """

    epoch_utc_s: float
    inclination_deg: float
    raan_deg: float
    eccentricity: float
    argp_deg: float
    mean_anomaly_deg: float
    mean_motion_rev_day: float
    bstar: float = 0.0


def sun_direction(utc_s: float) -> tuple[float, float, float]:
    """Unit vector to the Sun, mean equator of date."""
    n = utc_s / _S_PER_DAY + _UNIX_EPOCH_JD - 2_451_545.0
    g = radians(357.528 + 0.9856003 * n)
    ecliptic = radians(280.460 + 0.9856474 * n + 1.915 * sin(g) + 0.020 * sin(2.0 * g))
    tilt = radians(23.439 - 4e-7 * n)
    return cos(ecliptic), cos(tilt) * sin(ecliptic), sin(tilt) * sin(ecliptic)


class OrbitForecast:
    """Finds the eclipses of the next revolutions; asked each second, computed once an orbit.

    Raises:
        ValueError: the elements describe no orbit at their own epoch.
    """

    def __init__(self, elements: MeanElements) -> None:
        self._sat = Satrec()
        epoch_jd = elements.epoch_utc_s / _S_PER_DAY + _UNIX_EPOCH_JD
        self._sat.sgp4init(
            WGS72, "i", 0, epoch_jd - _SGP4_EPOCH_JD, elements.bstar, 0.0, 0.0,
            elements.eccentricity, radians(elements.argp_deg), radians(elements.inclination_deg),
            radians(elements.mean_anomaly_deg),
            elements.mean_motion_rev_day * 2.0 * pi / 1440.0, radians(elements.raan_deg),
        )  # fmt: skip
        self.period_s = _S_PER_DAY / elements.mean_motion_rev_day
        axis_km = cbrt(MU_KM3_S2 * (self.period_s / (2.0 * pi)) ** 2)
        self._radius_min_km = 0.95 * axis_km * (1.0 - elements.eccentricity)
        self._radius_max_km = 1.05 * axis_km * (1.0 + elements.eccentricity)
        self._eclipses: list[tuple[float, float]] = []
        self._known_from_s, self._known_until_s = 1e18, -1e18
        self._decayed = False
        if isnan(self._light(elements.epoch_utc_s)):
            raise ValueError("the mean elements describe no orbit at their own epoch")

    def phase(self, utc_s: float) -> SunPhase:
        """Light and shadow at `utc_s` (Unix seconds) and the next eclipse after it.

        Where the elements have decayed to no orbit the answer is `SHADOW_ANY_MOMENT`.
        """
        if not self._known_from_s <= utc_s <= self._known_until_s - 1.2 * self.period_s:
            self._refresh(utc_s)
        if self._decayed:
            return SHADOW_ANY_MOMENT
        for start_s, end_s in self._eclipses:
            if end_s <= utc_s:
                continue
            if start_s <= utc_s:
                return SunPhase(sunlit=False, eclipse_in_s=0.0, eclipse_s=end_s - utc_s)
            return SunPhase(sunlit=True, eclipse_in_s=start_s - utc_s, eclipse_s=end_s - start_s)
        return NO_ECLIPSE

    def ahead(self, start_s: float, end_s: float, step_s: float) -> list[tuple[float, bool, bool]]:
        """(Unix seconds, in the sun, day below) evenly from start to end; empty without an orbit.

        Day is where the ground below sees the Sun above its horizon by `DAY_SINE`.
        """
        found = []
        for i in range(int((end_s - start_s) / step_s) + 1):
            t_s = start_s + i * step_s
            depth = self._light(t_s)
            if isnan(depth):
                return []
            found.append((t_s, depth >= 0.0, self._day_sine(t_s) > DAY_SINE))
        return found

    def _day_sine(self, utc_s: float) -> float:
        """Sine of the Sun's elevation over the ground below."""
        days = utc_s / _S_PER_DAY + _UNIX_EPOCH_JD
        whole = float(int(days))
        _, (x, y, z), _ = self._sat.sgp4(whole, days - whole)
        sx, sy, sz = sun_direction(utc_s)
        return float((x * sx + y * sy + z * sz) / sqrt(x * x + y * y + z * z))

    def _refresh(self, utc_s: float) -> None:
        step_s = self.period_s / 96.0
        start_s = utc_s - 0.5 * self.period_s
        count = round(3.0 * self.period_s / step_s)
        depth = [self._light(start_s + i * step_s) for i in range(count + 1)]
        self._known_from_s, self._known_until_s = start_s, start_s + count * step_s
        self._decayed = any(isnan(value) for value in depth)
        if self._decayed:
            return
        edges = [
            (self._edge(start_s + i * step_s, start_s + (i + 1) * step_s), depth[i] >= 0.0)
            for i in range(count)
            if (depth[i] >= 0.0) != (depth[i + 1] >= 0.0)
        ]
        eclipses: list[tuple[float, float]] = []
        entered_s = start_s if depth[0] < 0.0 else None
        for at_s, entering in edges:
            if entering:
                entered_s = at_s
            elif entered_s is not None:
                eclipses.append((entered_s, at_s))
                entered_s = None
        if entered_s is not None:
            eclipses.append((entered_s, start_s + count * step_s))
        self._eclipses = eclipses

    def _edge(self, low_s: float, high_s: float) -> float:
        lit_at_low = self._light(low_s) >= 0.0
        for _ in range(12):
            middle_s = 0.5 * (low_s + high_s)
            if (self._light(middle_s) >= 0.0) == lit_at_low:
                low_s = middle_s
            else:
                high_s = middle_s
        return 0.5 * (low_s + high_s)

    def _light(self, utc_s: float) -> float:
        """Angle between Sun and limb, radians: negative when more than half the Sun is hidden.

        NaN where SGP4 finds no orbit, or one that is not that of the elements: it extrapolates
        drag without a word long after the node would have come down.
        """
        days = utc_s / _S_PER_DAY + _UNIX_EPOCH_JD
        whole = float(int(days))
        error, position, _ = self._sat.sgp4(whole, days - whole)
        x, y, z = position
        sx, sy, sz = sun_direction(utc_s)
        radius = sqrt(x * x + y * y + z * z)
        if error or not self._radius_min_km < radius < self._radius_max_km:
            return nan
        towards_nadir = -(x * sx + y * sy + z * sz) / radius
        limb = asin(min(1.0, EARTH_RADIUS_KM / radius))
        return acos(min(1.0, max(-1.0, towards_nadir))) - limb
