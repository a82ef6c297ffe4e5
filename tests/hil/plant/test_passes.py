"""Passes against plain geometry."""

import math

import pytest

from hil.plant.orbit import Geodetic, Orbit, OrbitConfig
from hil.plant.passes import Site, bisect, find_passes, maximise

EPOCH_NS = 1_782_012_600 * 1_000_000_000
CALERN = Geodetic(43.755, 6.923, 1.27)


@pytest.fixture(scope="module")
def orbit() -> Orbit:
    return Orbit(OrbitConfig(EPOCH_NS))


def test_the_node_stands_at_zenith_over_its_own_ground_point(orbit: Orbit) -> None:
    below = orbit.geodetic(1234.0)
    look = Site(Geodetic(below.lat_deg, below.lon_deg, 0.0)).look(orbit, 1234.0)
    assert look.elevation_deg == pytest.approx(90.0, abs=1e-4)
    assert look.range_km == pytest.approx(below.alt_km, abs=1e-6)


def test_a_pass_rises_and_sets_at_the_mask(orbit: Orbit) -> None:
    site = Site(CALERN)
    passes = find_passes(orbit, site, 0.0, 17_400.0, mask_deg=20.0)
    assert passes
    for each in passes:
        assert each.rise_s < each.culmination_s < each.set_s
        for edge_s in (each.rise_s, each.set_s):
            assert site.look(orbit, edge_s).elevation_deg == pytest.approx(20.0, abs=1e-3)


def test_nothing_stands_higher_than_the_culmination(orbit: Orbit) -> None:
    site = Site(CALERN)
    (each,) = find_passes(orbit, site, 6000.0, 10_000.0, mask_deg=20.0)
    steps = range(int(each.rise_s), int(each.set_s) + 1)
    highest = max(site.look(orbit, float(t)).elevation_deg for t in steps)
    assert each.max_elevation_deg == pytest.approx(highest, abs=0.02)
    assert each.max_elevation_deg >= highest


def test_a_dense_scan_finds_no_pass_that_the_search_missed(orbit: Orbit) -> None:
    site = Site(CALERN)
    passes = find_passes(orbit, site, 0.0, 86_400.0, mask_deg=5.0)
    inside = [t for t in range(0, 86_400, 20) if site.look(orbit, float(t)).elevation_deg > 5.0]
    assert all(any(p.rise_s <= t <= p.set_s for p in passes) for t in inside)
    assert len(passes) >= 4


def test_a_pass_belongs_to_the_window_of_its_culmination(orbit: Orbit) -> None:
    site = Site(CALERN)
    (whole,) = find_passes(orbit, site, 6000.0, 10_000.0, mask_deg=20.0)
    early = find_passes(orbit, site, 6000.0, whole.culmination_s - 1.0, mask_deg=20.0)
    late = find_passes(orbit, site, whole.culmination_s - 1.0, 10_000.0, mask_deg=20.0)
    assert early == []
    assert late[0].rise_s == pytest.approx(whole.rise_s, abs=2e-3)


def test_bisection_and_golden_section_find_what_they_seek() -> None:
    assert bisect(math.cos, 1.0, 2.0) == pytest.approx(math.pi / 2, abs=1e-3)
    assert maximise(math.sin, 1.0, 2.0) == pytest.approx(math.pi / 2, abs=2e-3)
    with pytest.raises(ValueError, match="change of sign"):
        bisect(math.cos, 0.1, 0.2)


def test_a_site_off_the_globe_is_refused() -> None:
    with pytest.raises(ValueError, match="globe"):
        Site(Geodetic(91.0, 0.0, 0.0))
