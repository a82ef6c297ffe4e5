"""The contact plan: real geometry, one terminal, channels that hang on seed and number alone."""

import itertools
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from flight.config import ConfigError
from hil.contact_book import GUARD_S, ContactBook
from hil.plant.orbit import Orbit, OrbitConfig
from hil.scenario import GroundSection, Scenario, TimelineEntry

EPOCH = datetime(2026, 6, 21, tzinfo=UTC)
ORBIT = Orbit(OrbitConfig(round(EPOCH.timestamp()) * 1_000_000_000))
DAY = Scenario(
    name="day",
    title="a day",
    epoch_utc=EPOCH,
    duration_s=86_400.0,
    ground=GroundSection(max_passes=8, elevation_mask_deg=10.0, relay_every_s=3_600.0),
)


def book(seed=1, timeline=(), **ground):
    scenario = msgspec.structs.replace(
        DAY, timeline=timeline, ground=msgspec.structs.replace(DAY.ground, **ground)
    )
    return ContactBook(scenario, ORBIT, np.random.SeedSequence(seed))


@pytest.fixture(scope="module")
def day():
    return book()


def test_contacts_are_numbered_in_the_order_in_which_they_begin(day):
    starts = [contact.start_s for contact in day.contacts]
    assert starts == sorted(starts)
    assert [contact.contact_id for contact in day.contacts] == list(range(1, len(starts) + 1))
    assert {contact.kind for contact in day.contacts} == {"OGS", "RELAY"}


def test_a_relay_leaves_the_terminal_free_around_every_pass(day):
    passes = [c for c in day.contacts if c.kind == "OGS"]
    for relay in (c for c in day.contacts if c.kind == "RELAY"):
        assert all(
            relay.end_s + GUARD_S <= each.start_s or relay.start_s - GUARD_S >= each.end_s
            for each in passes
        )
    relays = [c for c in day.contacts if c.kind == "RELAY"]
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(relays))


def test_every_pass_stays_above_the_mask_and_culminates_where_it_says(day):
    for contact in day.contacts:
        if contact.kind == "RELAY":
            assert contact.max_elevation_deg is None
            assert contact.geometry.elevation_deg is None
            continue
        elevation = contact.geometry.elevation_deg
        assert min(elevation[1:-1]) >= DAY.ground.elevation_mask_deg - 0.1
        assert max(elevation) == pytest.approx(contact.max_elevation_deg, abs=0.1)
        assert contact.end_s - contact.start_s == pytest.approx(len(elevation) - 1, abs=2.0)


def test_the_node_gets_the_same_contact_in_utc(day):
    contact = day.contacts[0]
    line = contact.as_config(1_000.0)
    assert (line.start_utc_s, line.end_utc_s) == (1_000 + contact.start_s, 1_000 + contact.end_s)
    assert (line.contact_id, line.peer_id, line.rate_bps) == (
        contact.contact_id, contact.peer_id, contact.rate_bps,
    )  # fmt: skip


def test_passes_and_relays_are_as_many_as_the_scenario_allows():
    assert book(max_passes=0, relay=False).contacts == ()
    assert len(book(max_passes=2, relay=False).contacts) == 2
    assert {c.kind for c in book(max_passes=0).contacts} == {"RELAY"}


def test_a_channel_is_equal_for_equal_seed_and_contact_whenever_it_is_drawn(day):
    first, second = [c for c in day.contacts if c.kind == "OGS"][:2]
    again = book()
    again.trace(second)
    drawn = day.trace(first).down.clear_db
    assert np.array_equal(drawn, again.trace(first).down.clear_db)
    assert not np.array_equal(drawn, book(seed=2).trace(first).down.clear_db)


def test_a_cloud_of_the_timeline_covers_the_station_it_stands_over_and_no_relay(day):
    ogs = next(c for c in day.contacts if c.kind == "OGS")
    relay = next(c for c in day.contacts if c.kind == "RELAY")
    clouds = tuple(
        TimelineEntry(action="cloud", at_s=c.start_s, for_s=c.end_s - c.start_s)
        for c in (ogs, relay)
    )
    overcast = book(timeline=clouds)
    assert overcast.contacts == day.contacts
    middle = slice(100_000, 110_000)
    assert np.all(
        overcast.trace(ogs).down.clear_db[middle] < day.trace(ogs).down.clear_db[middle] - 10.0
    )
    assert np.array_equal(overcast.trace(relay).down.clear_db, day.trace(relay).down.clear_db)


def test_an_unknown_station_is_refused_with_those_that_are_known():
    with pytest.raises(ConfigError, match=r"'atlantis' unknown; known: .*nemea"):
        book(stations=("atlantis",))
