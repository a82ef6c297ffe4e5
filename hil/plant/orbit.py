"""Where the node is: the first hop of every plant step, and the root of every contact.

Mean elements of a sun-synchronous orbit go through SGP4 (Vallado et al., AIAA 2006-6753)
into a table of states every ten seconds; a cubic Hermite between the rows gives position
and velocity at any instant to better than a millimetre. All vectors are in the frame of
SGP4 (true equator, mean equinox), in kilometres; all times are seconds from the epoch.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from sgp4.api import WGS72, Satrec

from hil.plant.constants import (
    DAY_S,
    FLATTENING_EARTH,
    J2_EARTH,
    J2000_JD,
    MU_EARTH_KM3_S2,
    NS_PER_S,
    R_EARTH_KM,
    SGP4_MU_KM3_S2,
    SGP4_R_EARTH_KM,
    SSO_NODE_RATE_RAD_S,
    TWO_PI,
    UNIX_EPOCH_JD,
)

TABLE_STEP_S = 10.0
_CHUNK_ROWS = 1080
_CHUNKS_KEPT = 4
_SGP4_EPOCH_JD = 2433281.5
"""SGP4 counts its epoch in days from 1949-12-31T00:00 UTC."""
_ECC2_EARTH = FLATTENING_EARTH * (2.0 - FLATTENING_EARTH)

Vector = tuple[float, float, float]


class State(NamedTuple):
    """Inertial state: position in km, velocity in km/s."""

    position_km: Vector
    velocity_km_s: Vector


class Geodetic(NamedTuple):
    """A point over the WGS-84 ellipsoid."""

    lat_deg: float
    lon_deg: float
    alt_km: float


@dataclass(frozen=True, slots=True)
class OrbitConfig:
    """Mean elements of a sun-synchronous orbit.

    The altitude is the mean semi-major axis less the WGS-84 equatorial radius. `ltan_h` is
    the local mean solar time of the ascending node. `mean_anomaly_deg` counts from the
    ascending node when `argument_of_perigee_deg` is zero, the default.
    """

    epoch_utc_ns: int
    """Unix time of t = 0, ns."""
    altitude_km: float = 600.0
    ltan_h: float = 18.0
    mean_anomaly_deg: float = 0.0
    eccentricity: float = 1.0e-4
    argument_of_perigee_deg: float = 0.0
    bstar: float = 0.0
    """SGP4 drag term; zero since three orbits at 600 km do not show drag."""

    def __post_init__(self) -> None:
        """Refuse what SGP4 would turn into an error row."""
        if not 300.0 <= self.altitude_km <= 2000.0:
            raise ValueError(f"altitude {self.altitude_km} km is outside 300..2000 km")
        if not 0.0 <= self.ltan_h < 24.0:
            raise ValueError(f"local time of the node {self.ltan_h} h is outside 0..24 h")
        if not 0.0 <= self.eccentricity < 0.05:
            raise ValueError(f"eccentricity {self.eccentricity} is outside 0..0.05")
        if not 0 < self.epoch_utc_ns < 1 << 62:
            raise ValueError("the epoch must be Unix nanoseconds after 1970")

    def satrec(self) -> Satrec:
        """The record for SGP4."""
        return _build_satrec(self)


class Elements(Protocol):
    """Where an orbit comes from; `hil.plant.element_set` has another kind."""

    @property
    def epoch_utc_ns(self) -> int:
        """Unix time of t = 0, ns."""
        ...

    def satrec(self) -> Satrec:
        """The record for SGP4."""
        ...


def sso_inclination_rad(altitude_km: float, eccentricity: float = 0.0) -> float:
    """Inclination whose J2 node rate follows the mean Sun, WGS-84 constants."""
    a_km = R_EARTH_KM + altitude_km
    n_rad_s = math.sqrt(MU_EARTH_KM3_S2 / a_km**3)
    p_km = a_km * (1.0 - eccentricity * eccentricity)
    cosine = -2.0 * SSO_NODE_RATE_RAD_S / (3.0 * J2_EARTH * n_rad_s * (R_EARTH_KM / p_km) ** 2)
    if cosine < -1.0:
        raise ValueError(f"no sun-synchronous orbit exists at {altitude_km} km")
    return math.acos(cosine)


def kepler_period_s(altitude_km: float) -> float:
    """Period of the two-body orbit at this altitude."""
    return TWO_PI * math.sqrt((R_EARTH_KM + altitude_km) ** 3 / MU_EARTH_KM3_S2)


def mean_sun_right_ascension_rad(jd: float) -> float:
    """Right ascension of the mean Sun: its mean longitude (Astronomical Almanac)."""
    return math.radians((280.460 + 0.9856474 * (jd - J2000_JD)) % 360.0)


def julian_date(utc_ns: int) -> tuple[float, float]:
    """Unix nanoseconds as a Julian date, split in whole half-days and the fraction."""
    days, rest_ns = divmod(utc_ns, 86400 * NS_PER_S)
    return UNIX_EPOCH_JD + days, rest_ns / (DAY_S * NS_PER_S)


def gmst_rad(jd: float, fraction: float = 0.0) -> float:
    """Greenwich mean sidereal time, IAU 1982, UTC taken for UT1 (under 0.9 s apart)."""
    centuries = (jd - J2000_JD + fraction) / 36525.0
    seconds = (
        67310.54841
        + (876600.0 * 3600.0 + 8640184.812866) * centuries
        + 0.093104 * centuries * centuries
        - 6.2e-6 * centuries**3
    )
    return math.radians(seconds / 240.0 % 360.0)


def _build_satrec(config: OrbitConfig) -> Satrec:
    """Mean elements as an SGP4 record; the Kozai mean motion is solved for, not guessed."""
    jd, fraction = julian_date(config.epoch_utc_ns)
    inclination = sso_inclination_rad(config.altitude_km, config.eccentricity)
    raan = mean_sun_right_ascension_rad(jd + fraction) + math.radians(15.0 * (config.ltan_h - 12.0))
    a_km = R_EARTH_KM + config.altitude_km
    n_kozai = 60.0 * math.sqrt(SGP4_MU_KM3_S2 / a_km**3)
    satrec = Satrec()
    for _ in range(4):  # SGP4 removes the Kozai term itself: feed it what it will remove
        satrec.sgp4init(
            WGS72,
            "i",
            1,
            (jd - _SGP4_EPOCH_JD) + fraction,
            config.bstar,
            0.0,
            0.0,
            config.eccentricity,
            math.radians(config.argument_of_perigee_deg),
            inclination,
            math.radians(config.mean_anomaly_deg) % TWO_PI,
            n_kozai,
            raan % TWO_PI,
        )
        n_kozai *= (satrec.a * SGP4_R_EARTH_KM / a_km) ** 1.5
    return satrec


def _elements_utc_s(config: Elements, satrec: Satrec) -> float:
    """Unix seconds of the elements' own epoch; of ours, t = 0 to the nanosecond."""
    if isinstance(config, OrbitConfig):
        return config.epoch_utc_ns / NS_PER_S
    return float((satrec.jdsatepoch - UNIX_EPOCH_JD + satrec.jdsatepochF) * DAY_S)


class Orbit:
    """Ephemeris of one node: bounded memory, any time within SGP4's reach."""

    def __init__(self, config: Elements) -> None:
        self.satrec = config.satrec()
        jd, fraction = julian_date(config.epoch_utc_ns)
        self.epoch_jd = jd
        self.epoch_fraction = fraction
        self.epoch_days_j2000 = (jd - J2000_JD) + fraction
        self.epoch_utc_s = config.epoch_utc_ns / NS_PER_S
        self.elements_utc_s = _elements_utc_s(config, self.satrec)
        # Node to node: SGP4's mean anomaly and argument of perigee both advance.
        self.period_s = TWO_PI * 60.0 / (self.satrec.mdot + self.satrec.argpdot)
        self._gmst0_rad = gmst_rad(jd, fraction)
        # Mean-time to sidereal-time ratio: the derivative of the IAU 1982 polynomial.
        self._gmst_rate_rad_s = math.radians(
            (876600.0 * 3600.0 + 8640184.812866) / 36525.0 / 240.0 / DAY_S
        )
        self._chunks: dict[int, list[tuple[float, ...]]] = {}

    def _chunk(self, index: int) -> list[tuple[float, ...]]:
        """Rows `[x y z vx vy vz]` of one chunk, and the first row of the next."""
        rows = self._chunks.get(index)
        if rows is None:
            seconds = (np.arange(_CHUNK_ROWS + 1) + index * _CHUNK_ROWS) * TABLE_STEP_S
            days = self.epoch_fraction + seconds / DAY_S
            errors, r, v = self.satrec.sgp4_array(np.full(seconds.shape, self.epoch_jd), days)
            if errors.any():
                raise ValueError(f"SGP4 error {int(errors.max())} near t = {seconds[0]:.0f} s")
            rows = [tuple(row) for row in np.concatenate((r, v), axis=1).tolist()]
            if len(self._chunks) >= _CHUNKS_KEPT:
                del self._chunks[next(iter(self._chunks))]
            self._chunks[index] = rows
        return rows

    def _row_pair(self, t_s: float) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
        row = math.floor(t_s / TABLE_STEP_S)
        index, offset = divmod(row, _CHUNK_ROWS)
        rows = self._chunks.get(index) or self._chunk(index)
        return t_s / TABLE_STEP_S - row, rows[offset], rows[offset + 1]

    def position_km(self, t_s: float) -> Vector:
        """Inertial position, cubic Hermite between table rows."""
        u, a, b = self._row_pair(t_s)
        u2 = u * u
        h01 = u2 * (3.0 - 2.0 * u)
        h00 = 1.0 - h01
        h10 = u * (1.0 - u) * (1.0 - u) * TABLE_STEP_S
        h11 = u2 * (u - 1.0) * TABLE_STEP_S
        return (
            h00 * a[0] + h10 * a[3] + h01 * b[0] + h11 * b[3],
            h00 * a[1] + h10 * a[4] + h01 * b[1] + h11 * b[4],
            h00 * a[2] + h10 * a[5] + h01 * b[2] + h11 * b[5],
        )

    def velocity_km_s(self, t_s: float) -> Vector:
        """Inertial velocity: the derivative of the same cubic."""
        u, a, b = self._row_pair(t_s)
        d01 = 6.0 * u * (1.0 - u) / TABLE_STEP_S
        d10 = (1.0 - u) * (1.0 - 3.0 * u)
        d11 = u * (3.0 * u - 2.0)
        return (
            d01 * (b[0] - a[0]) + d10 * a[3] + d11 * b[3],
            d01 * (b[1] - a[1]) + d10 * a[4] + d11 * b[4],
            d01 * (b[2] - a[2]) + d10 * a[5] + d11 * b[5],
        )

    def state(self, t_s: float) -> State:
        """Position and velocity together."""
        return State(self.position_km(t_s), self.velocity_km_s(t_s))

    def gmst_rad(self, t_s: float) -> float:
        """Earth rotation angle at `t_s`; linear from the epoch (1e-9 rad over a month)."""
        return (self._gmst0_rad + self._gmst_rate_rad_s * t_s) % TWO_PI

    def ecef_km(self, t_s: float) -> Vector:
        """Earth-fixed position (polar motion neglected: under 15 m)."""
        x, y, z = self.position_km(t_s)
        theta = self.gmst_rad(t_s)
        c, s = math.cos(theta), math.sin(theta)
        return (c * x + s * y, c * y - s * x, z)

    def geodetic(self, t_s: float) -> Geodetic:
        """Sub-satellite point and height over the WGS-84 ellipsoid."""
        return geodetic_of(self.ecef_km(t_s))


def geodetic_of(ecef_km: Vector) -> Geodetic:
    """Earth-fixed position to geodetic, Bowring's iteration (1e-12 rad in five turns)."""
    x, y, z = ecef_km
    rho = math.hypot(x, y)
    lat = math.atan2(z, rho * (1.0 - _ECC2_EARTH))
    for _ in range(5):
        s = math.sin(lat)
        n_km = R_EARTH_KM / math.sqrt(1.0 - _ECC2_EARTH * s * s)
        lat = math.atan2(z + _ECC2_EARTH * n_km * s, rho)
    s, c = math.sin(lat), math.cos(lat)
    n_km = R_EARTH_KM / math.sqrt(1.0 - _ECC2_EARTH * s * s)
    alt_km = rho * c + (z + _ECC2_EARTH * n_km * s) * s - n_km
    return Geodetic(math.degrees(lat), math.degrees(math.atan2(y, x)), alt_km)


def ecef_of(point: Geodetic) -> Vector:
    """Geodetic point to Earth-fixed position, km."""
    lat, lon = math.radians(point.lat_deg), math.radians(point.lon_deg)
    s, c = math.sin(lat), math.cos(lat)
    n_km = R_EARTH_KM / math.sqrt(1.0 - _ECC2_EARTH * s * s)
    rho = (n_km + point.alt_km) * c
    z = (n_km * (1.0 - _ECC2_EARTH) + point.alt_km) * s
    return (rho * math.cos(lon), rho * math.sin(lon), z)
