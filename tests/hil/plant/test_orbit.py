"""The orbit against SGP4's own verification set, published inclinations and plain geometry."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sgp4
from sgp4.api import WGS72, Satrec
from sgp4.propagation import gstime

from hil.plant.orbit import (
    Geodetic,
    Orbit,
    OrbitConfig,
    ecef_of,
    geodetic_of,
    gmst_rad,
    julian_date,
    kepler_period_s,
    mean_sun_right_ascension_rad,
    sso_inclination_rad,
)

EPOCH_NS = 1_782_012_600 * 1_000_000_000  # 2026-06-21T03:30:00Z
PACKAGE = Path(sgp4.__file__).parent


@pytest.fixture(scope="module")
def orbit() -> Orbit:
    return Orbit(OrbitConfig(EPOCH_NS))


def verification_satellites() -> list[Satrec]:
    lines = (PACKAGE / "SGP4-VER.TLE").read_text().splitlines()
    pairs = itertools.pairwise(lines)
    return [
        Satrec.twoline2rv(a[:69], b[:69], WGS72)
        for a, b in pairs
        if a.startswith("1 ") and b.startswith("2 ")
    ]


def expected_states() -> Iterator[tuple[int, list[float]]]:
    number = 0
    for line in (PACKAGE / "tcppver.out").read_text().splitlines():
        fields = line.split()
        if fields[-1] == "xx":
            number = int(fields[0])
        else:
            yield number, [float(each) for each in fields[:7]]


def test_the_propagator_reproduces_its_published_verification_set() -> None:
    satellites = {each.satnum: each for each in verification_satellites()}
    compared, worst_km = 0, 0.0
    for number, (minutes, *vector) in expected_states():
        error, r, v = satellites[number].sgp4_tsince(minutes)
        if error:
            continue
        compared += 1
        worst_km = max(worst_km, *(abs(a - b) for a, b in zip(r, vector[:3], strict=True)))
        assert np.allclose(v, vector[3:], rtol=0.0, atol=1e-8)
    assert compared > 500
    assert worst_km < 1e-6


@pytest.mark.parametrize(
    ("altitude_km", "inclination_deg"),
    [(500, 97.402), (550, 97.593), (600, 97.788), (650, 97.986), (700, 98.188)],
)
def test_the_inclination_follows_the_published_table(
    altitude_km: float, inclination_deg: float
) -> None:
    found = math.degrees(sso_inclination_rad(altitude_km))
    assert found == pytest.approx(inclination_deg, abs=6e-4)


def test_six_hundred_kilometres_take_5801_seconds() -> None:
    assert kepler_period_s(600.0) == pytest.approx(5801.2, abs=0.05)


def test_the_altitude_asked_for_is_the_one_sgp4_flies(orbit: Orbit) -> None:
    assert orbit.satrec.a * 6378.135 == pytest.approx(6978.137, abs=1e-6)


def test_the_node_follows_the_mean_sun(orbit: Orbit) -> None:
    degrees_per_day = math.degrees(orbit.satrec.nodedot) * 1440.0
    # The inclination comes from J2 alone; SGP4 adds J2 squared and J4.
    assert degrees_per_day == pytest.approx(0.9856, abs=0.0035)


def test_the_ascending_node_is_ninety_degrees_ahead_of_the_sun(orbit: Orbit) -> None:
    jd, fraction = julian_date(EPOCH_NS)
    ahead = orbit.satrec.nodeo - mean_sun_right_ascension_rad(jd + fraction)
    assert math.degrees(ahead) % 360.0 == pytest.approx(90.0, abs=1e-9)


@pytest.mark.parametrize("t_s", [0.0, 3.3, 5004.999, 10_795.0, 17_399.5, -45.0])
def test_the_table_is_the_propagator_to_a_centimetre(orbit: Orbit, t_s: float) -> None:
    error, r, v = orbit.satrec.sgp4(orbit.epoch_jd, orbit.epoch_fraction + t_s / 86400.0)
    assert error == 0
    assert math.dist(orbit.position_km(t_s), r) < 1e-5
    assert math.dist(orbit.velocity_km_s(t_s), v) < 5e-5


def test_the_table_has_no_seam_between_its_chunks(orbit: Orbit) -> None:
    for seam_s in (10_800.0, 21_600.0):
        before, after = orbit.position_km(seam_s - 1e-6), orbit.position_km(seam_s + 1e-6)
        assert math.dist(before, after) == pytest.approx(2e-6 * 7.56, rel=0.01)


def test_memory_is_bounded_however_far_the_mission_goes() -> None:
    orbit = Orbit(OrbitConfig(EPOCH_NS))
    for day in range(12):
        orbit.position_km(day * 86400.0)
    assert len(orbit._chunks) <= 4


def test_sidereal_time_is_that_of_the_propagators_authors() -> None:
    jd, fraction = julian_date(EPOCH_NS)
    assert gmst_rad(jd, fraction) == pytest.approx(gstime(jd + fraction), abs=1e-7)


def test_sidereal_time_runs_on_at_the_sidereal_rate(orbit: Orbit) -> None:
    jd, fraction = julian_date(EPOCH_NS)
    later = gmst_rad(jd, fraction + 17_400.0 / 86400.0)
    assert orbit.gmst_rad(17_400.0) == pytest.approx(later, abs=1e-9)


@pytest.mark.parametrize("lat", [-89.0, -31.98, 0.0, 43.755, 80.0])
@pytest.mark.parametrize("alt_km", [0.0, 1.27, 600.0])
def test_geodetic_and_cartesian_are_inverse(lat: float, alt_km: float) -> None:
    back = geodetic_of(ecef_of(Geodetic(lat, -116.865, alt_km)))
    assert back == pytest.approx((lat, -116.865, alt_km), abs=1e-9)


def test_the_equator_and_the_pole_lie_on_the_ellipsoid() -> None:
    assert ecef_of(Geodetic(0.0, 0.0, 0.0)) == pytest.approx((6378.137, 0.0, 0.0))
    assert ecef_of(Geodetic(90.0, 0.0, 0.0))[2] == pytest.approx(6356.752314245, abs=1e-8)


def test_a_dusk_orbit_crosses_the_equator_northwards_at_local_dusk(orbit: Orbit) -> None:
    utc_h = 3.5
    local_h = (utc_h + orbit.geodetic(0.0).lon_deg / 15.0) % 24.0
    assert local_h == pytest.approx(18.0, abs=0.05)
    assert orbit.geodetic(60.0).lat_deg > orbit.geodetic(0.0).lat_deg


@pytest.mark.parametrize(
    "bad",
    [{"altitude_km": 100.0}, {"ltan_h": 24.0}, {"eccentricity": 0.2}, {"epoch_utc_ns": 0}],
)
def test_elements_outside_the_model_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each message names its own figure
        OrbitConfig(**{"epoch_utc_ns": EPOCH_NS, **bad})
