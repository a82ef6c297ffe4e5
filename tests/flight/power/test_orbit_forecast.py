"""The oracle is the bench's own orbit and shadow: two codes that agree only if both are right."""

from itertools import pairwise
from math import degrees, tau

import pytest

from flight.power.orbit_forecast import MeanElements, OrbitForecast
from flight.power.power_budget import NO_ECLIPSE, SHADOW_ANY_MOMENT
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.sun_eclipse import Crossing, find_crossings

JUNE_NS = 1_782_012_600 * 10**9  # 2026-06-21T03:30Z, eclipse season of a dawn-dusk orbit
DAY_S = 86_400.0


def elements_of(config, orbit):
    sat = orbit.satrec
    return MeanElements(
        epoch_utc_s=config.epoch_utc_ns / 1e9,
        inclination_deg=degrees(sat.inclo),
        raan_deg=degrees(sat.nodeo) % 360.0,
        eccentricity=sat.ecco,
        argp_deg=degrees(sat.argpo),
        mean_anomaly_deg=degrees(sat.mo) % 360.0,
        mean_motion_rev_day=sat.no_kozai * 1440.0 / tau,
    )


@pytest.fixture(scope="module", params=[18.0, 12.0])
def flown(request):
    config = OrbitConfig(JUNE_NS, ltan_h=request.param)
    orbit = Orbit(config)
    return config, orbit, OrbitForecast(elements_of(config, orbit))


def half_light_edges(orbit, until_s):
    """(into shadow, out of it): the middle of each penumbra, where half the Sun is hidden."""
    entered, edges, outer = None, [], None
    for event in find_crossings(orbit, 0.0, until_s):
        if event.crossing in (Crossing.PENUMBRA_IN, Crossing.UMBRA_OUT):
            outer = event.t_s
        elif outer is not None:
            middle = 0.5 * (outer + event.t_s)
            if event.crossing is Crossing.UMBRA_IN:
                entered = middle
            elif entered is not None:
                edges.append((entered, middle))
    return edges


def test_eclipse_edges_of_a_day_lie_within_five_seconds_of_the_plant(flown):
    config, orbit, forecast = flown
    edges = half_light_edges(orbit, DAY_S)
    assert len(edges) >= 13
    epoch_s = config.epoch_utc_ns / 1e9
    for enters_s, leaves_s in edges:
        ahead = forecast.phase(epoch_s + enters_s - 900.0)
        assert ahead.sunlit
        assert ahead.eclipse_in_s - 900.0 == pytest.approx(0.0, abs=5.0)
        assert ahead.eclipse_s == pytest.approx(leaves_s - enters_s, abs=5.0)
        inside = forecast.phase(epoch_s + 0.5 * (enters_s + leaves_s))
        assert not inside.sunlit
        assert inside.eclipse_in_s == 0.0
        assert inside.eclipse_s == pytest.approx(0.5 * (leaves_s - enters_s), abs=5.0)


def test_time_to_the_next_shadow_counts_down_without_a_jump(flown):
    config, _, forecast = flown
    epoch_s = config.epoch_utc_ns / 1e9
    phases = [forecast.phase(epoch_s + t) for t in range(0, 20_000, 10)]
    for before, after in pairwise(phases):
        if before.sunlit and after.sunlit:
            assert before.eclipse_in_s - after.eclipse_in_s == pytest.approx(10.0, abs=1.0)
            assert after.eclipse_s == pytest.approx(before.eclipse_s, abs=1.0)
        elif not before.sunlit and not after.sunlit:
            assert before.eclipse_s - after.eclipse_s == pytest.approx(10.0, abs=1.0)


def test_a_clock_that_steps_back_gets_the_answer_of_that_time(flown):
    config, _, forecast = flown
    epoch_s = config.epoch_utc_ns / 1e9
    fresh = OrbitForecast(elements_of(config, flown[1]))
    for t_s in (40_000.0, 40_000.0 - 3_600.0, 200.0, 70_000.0, 0.0):
        got, want = forecast.phase(epoch_s + t_s), fresh.phase(epoch_s + t_s)
        fresh = OrbitForecast(elements_of(config, flown[1]))
        assert got.sunlit is want.sunlit
        assert got.eclipse_in_s == pytest.approx(want.eclipse_in_s, abs=0.1)
        assert got.eclipse_s == pytest.approx(want.eclipse_s, abs=0.1)


def test_out_of_season_there_is_no_shadow():
    config = OrbitConfig(JUNE_NS - 90 * 86_400 * 10**9, ltan_h=18.0)  # March
    orbit = Orbit(config)
    assert find_crossings(orbit, 0.0, 12_000.0) == []
    assert OrbitForecast(elements_of(config, orbit)).phase(config.epoch_utc_ns / 1e9) == NO_ECLIPSE


def test_elements_that_describe_no_orbit_are_refused_at_once():
    with pytest.raises(ValueError, match="no orbit"):
        OrbitForecast(MeanElements(1.78e9, 97.0, 0.0, 0.2, 0.0, 0.0, 16.9))


def test_an_orbit_that_has_decayed_is_answered_with_the_worst_and_never_raises():
    forecast = OrbitForecast(MeanElements(1.78e9, 97.0, 0.0, 0.001, 0.0, 0.0, 16.2, bstar=0.1))
    for days in (20, 50, 100, 400, 3_000):
        assert forecast.phase(1.78e9 + days * DAY_S) == SHADOW_ANY_MOMENT
    assert forecast.phase(1.78e9) != SHADOW_ANY_MOMENT


def test_the_sun_ahead_agrees_with_the_phase_and_half_of_an_orbit_is_day(flown):
    config, _, forecast = flown
    start_s = config.epoch_utc_ns / 1e9
    seen = forecast.ahead(start_s, start_s + 2.0 * forecast.period_s, 60.0)
    assert len(seen) == int(2.0 * forecast.period_s / 60.0) + 1
    assert [t for t, _, _ in seen][:2] == [start_s, start_s + 60.0]
    assert all(sunlit is forecast.phase(t).sunlit for t, sunlit, _ in seen)
    days = sum(day for _, _, day in seen)
    assert 0.4 < days / len(seen) < 0.6
    assert any(day and not sunlit for _, sunlit, day in seen) is False


def test_of_an_orbit_that_has_decayed_nothing_is_foretold():
    forecast = OrbitForecast(MeanElements(1.78e9, 97.0, 0.0, 0.001, 0.0, 0.0, 16.2, bstar=0.1))
    assert forecast.ahead(1.78e9, 1.78e9 + 600.0, 60.0) != []
    late_s = 1.78e9 + 400 * DAY_S
    assert forecast.ahead(late_s, late_s + 600.0, 60.0) == []
