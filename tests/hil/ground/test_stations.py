"""The station table and the geometry of its passes."""

import pytest

from hil.ground.stations import STATIONS, Station, pass_geometry, station, station_of_peer
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.passes import find_passes

ORBIT = Orbit(OrbitConfig(1_782_012_600 * 1_000_000_000))


def test_every_station_has_its_own_peer_and_key() -> None:
    assert len({each.peer_id for each in STATIONS}) == len(STATIONS) == 13
    assert len({each.key for each in STATIONS}) == len(STATIONS)
    assert all(station(each.key) is station_of_peer(each.peer_id) for each in STATIONS)


def test_peer_zero_is_stowed_and_unknown_keys_name_the_known() -> None:
    assert station_of_peer(0) is None
    with pytest.raises(KeyError, match="tenerife"):
        station("atlantis")


def test_tenerife_stands_where_esa_says() -> None:
    teide = station("tenerife")
    assert (teide.lat_deg, teide.lon_deg, teide.alt_m) == (28.3010, -16.5118, 2393.0)


def test_the_geometry_of_a_pass_covers_it_second_by_second() -> None:
    calern = station("calern")
    (look,) = find_passes(ORBIT, calern.site(), 6000.0, 10_000.0, mask_deg=20.0)
    geometry = pass_geometry(ORBIT, calern, look)
    assert look.rise_s <= geometry.start_s < look.rise_s + 1.0
    assert look.set_s - 1.0 < geometry.start_s + geometry.duration_s <= look.set_s
    assert geometry.elevation_deg is not None
    assert min(geometry.elevation_deg) >= 20.0 - 1e-3
    assert max(geometry.elevation_deg) == pytest.approx(look.max_elevation_deg, abs=0.05)
    assert 600.0 < min(geometry.range_km) < max(geometry.range_km) < 1600.0


def test_a_station_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="stowed"):
        Station(0, "x", "x", 0.0, 0.0, 0.0, 0.5)
    with pytest.raises(ValueError, match="fraction"):
        Station(1, "x", "x", 0.0, 0.0, 0.0, 1.0)
