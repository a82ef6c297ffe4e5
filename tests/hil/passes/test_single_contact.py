"""The scenario of a contact meets the contact that was predicted, after its lead."""

from datetime import UTC, datetime

import numpy as np
import pytest

from hil.contact_book import ContactBook
from hil.ground.stations import station
from hil.passes.forecast import relays_ahead, stations_ahead
from hil.passes.single_contact import PassOptions, single_contact
from hil.plant.element_set import ElementSet, lines_of
from hil.plant.orbit import Orbit, OrbitConfig
from hil.scenario import SiteSection
from hil.scenario_check import check_scenario
from hil.world import elements

ZERO = datetime(2026, 6, 21, 0, 0, 0, tzinfo=UTC)
ZERO_NS = round(ZERO.timestamp() * 1e9)
TLE = lines_of(Orbit(OrbitConfig(ZERO_NS)))
ORBIT = Orbit(ElementSet(ZERO_NS, *TLE))


def options(**changes):
    given = {
        "lead_s": 900.0, "seed": 3, "mask_deg": 20.0, "margin_db": 12.0, "cloud": False,
        "imagery": "synthetic",
    }  # fmt: skip
    return PassOptions(**{**given, **changes})


def planned(scenario):
    check_scenario(scenario, "pass")
    return ContactBook(scenario, Orbit(elements(scenario)), np.random.SeedSequence(1)).contacts


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_predicted_pass_is_the_only_contact_and_at_its_time(number: int) -> None:
    ahead = stations_ahead(ORBIT, (station("calern"),), 86_400.0, 20.0, 5.0)[number - 1]
    scenario = single_contact(ahead, ZERO, TLE, options())
    (contact,) = planned(scenario)
    begins_utc_s = scenario.epoch_utc_s + contact.start_s
    assert begins_utc_s == pytest.approx(ZERO.timestamp() + ahead.start_s, abs=0.05)
    assert contact.max_elevation_deg == pytest.approx(ahead.max_elevation_deg, abs=0.01)
    assert 900.0 <= contact.start_s < 901.0
    assert contact.end_s < scenario.duration_s


@pytest.mark.parametrize("number", [1, 4])
def test_a_predicted_relay_is_met_again_at_its_time(number: int) -> None:
    ahead = relays_ahead(ORBIT, 7_200.0, 4, 5.0)[number - 1]
    scenario = single_contact(ahead, ZERO, TLE, options(rate_bps=1e6))
    (contact,) = planned(scenario)
    assert contact.peer_name == ahead.peer
    assert contact.rate_bps == 1e6
    begins_utc_s = scenario.epoch_utc_s + contact.start_s
    assert begins_utc_s == pytest.approx(ZERO.timestamp() + ahead.start_s, abs=0.05)


def test_a_station_of_the_users_own_is_flown() -> None:
    site = SiteSection(key="own-site", name="roof", lat_deg=52.2, lon_deg=4.4, alt_m=10.0)
    roof = station("calern")
    own = type(roof)(100, "own-site", "roof", 52.2, 4.4, 10.0, 0.6)
    ahead = stations_ahead(ORBIT, (own,), 86_400.0, 20.0, 5.0)[0]
    (contact,) = planned(single_contact(ahead, ZERO, TLE, options(sites=(site,))))
    assert (contact.peer_id, contact.peer_name) == (100, "roof")
