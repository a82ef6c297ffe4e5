"""Times without light cut a contact: dark and turned away in them, data again after them."""

import math

import msgspec
import numpy as np
import pytest
from short_flight import assert_nothing_lost_or_doubled, events, fly, scenario

from flight.link_config import KeepOutConfig
from hil.contact_book import PlannedContact

TURN_S = 1.0
"""The node looks away half a second before, and is sampled once a second."""


def lit(target):
    """Whole seconds in which the node shone."""
    return {round(t_s) for t_s, on in zip(*column(target, "link.laser_on"), strict=True) if on}


def looking(target):
    """Whole seconds in which it looked at anything."""
    return {round(t_s) for t_s, peer in zip(*column(target, "link.peer"), strict=True) if peer}


def column(target, name):
    values = target.world.recorder.column(name)
    return np.arange(1, len(values) + 1) - 1, values


def sun_elevation_and_angle_deg(target, t_s):
    """At the station, by spherical trigonometry from azimuths and elevations alone."""
    orbit, over = target.world.orbit, target.world.book.stations[0]
    look = over.site().look(orbit, t_s)
    days = orbit.epoch_days_j2000 + t_s / 86_400.0
    # The Astronomical Almanac's Sun, in right ascension and declination.
    mean_deg, anomaly = 280.460 + 0.9856474 * days, math.radians(357.528 + 0.9856003 * days)
    longitude = math.radians(mean_deg + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly))
    oblique = math.radians(23.439 - 4e-7 * days)
    ascension = math.atan2(math.cos(oblique) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(oblique) * math.sin(longitude))
    hour = orbit.gmst_rad(t_s) + math.radians(over.lon_deg) - ascension
    lat = math.radians(over.lat_deg)
    sine = math.sin(lat) * math.sin(declination)
    sine += math.cos(lat) * math.cos(declination) * math.cos(hour)
    high = math.asin(sine)
    azimuth = math.atan2(
        -math.cos(declination) * math.sin(hour),
        math.cos(lat) * math.sin(declination)
        - math.sin(lat) * math.cos(declination) * math.cos(hour),
    )
    node, apart = math.radians(look.elevation_deg), math.radians(look.azimuth_deg) - azimuth
    cosine = math.sin(high) * math.sin(node) + math.cos(high) * math.cos(node) * math.cos(apart)
    return math.degrees(high), math.degrees(math.acos(cosine))


def test_a_pass_past_the_sun_is_dark_in_it_and_goes_on_after_it(tmp_path):
    target = fly(scenario("past-the-sun"), tmp_path)
    (contact,) = target.world.book.contacts
    ((begin_s, end_s),) = contact.sun
    close = {
        second
        for second in range(math.ceil(contact.start_s), math.floor(contact.end_s))
        if sun_elevation_and_angle_deg(target, second)[1] < 8.0
    }
    assert min(close) == pytest.approx(begin_s, abs=1.0)
    assert max(close) == pytest.approx(end_s, abs=1.0)
    assert not close & lit(target)
    assert not close & looking(target)
    (log,) = target.world.link.logs
    assert log.keep_out_s == 0.0
    ups = [event.t_s for event in events(target, "LINK_ACQUIRED")]
    assert [t_s < begin_s for t_s in ups] == [True, False]
    numbers = [event.args["contact"] for event in events(target, "CONTACT_STARTED")]
    assert numbers == [contact.contact_id] * 2
    goodput = dict(zip(log.t_s, log.goodput_bps, strict=True))
    assert any(bps for t_s, bps in goodput.items() if t_s < begin_s)
    assert any(bps for t_s, bps in goodput.items() if t_s > end_s)
    assert_nothing_lost_or_doubled(target)


def test_a_node_that_is_not_told_of_the_sun_is_blinded_by_it_and_caught_looking(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(PlannedContact, "sun_as_config", lambda _self, _epoch_s: ())
    target = fly(scenario("past-the-sun"), tmp_path)
    (log,) = target.world.link.logs
    ((begin_s, end_s),) = target.world.book.contacts[0].sun
    assert log.keep_out_s == pytest.approx(end_s - begin_s, abs=1.0)
    inside = [
        bps for t_s, bps in zip(log.t_s, log.goodput_bps, strict=True)
        if begin_s + 2.0 < t_s < end_s
    ]  # fmt: skip
    assert inside
    assert not any(inside)
    assert_nothing_lost_or_doubled(target)


@pytest.mark.parametrize("peer_id", [0, 6])
def test_predictive_avoidance_windows_leave_the_terminal_dark_before_the_peers_they_name(
    tmp_path, peer_id
):
    calern = scenario("calern-pass")
    epoch_s = calern.epoch_utc_s
    spans = [(200.3, 230.7), (300.0, 310.0)]
    windows = tuple(
        KeepOutConfig(peer_id=peer_id, start_utc_s=epoch_s + begin, end_utc_s=epoch_s + end)
        for begin, end in spans
    )
    flown = msgspec.structs.replace(
        calern, node=msgspec.structs.replace(calern.node, keep_outs=windows)
    )
    target = fly(flown, tmp_path)
    for begin_s, end_s in spans:
        inside = set(range(math.ceil(begin_s), math.ceil(end_s)))
        assert not inside & lit(target)
    (log,) = target.world.link.logs
    assert log.keep_out_s == 0.0
    assert len(events(target, "LINK_ACQUIRED")) == 3
    assert_nothing_lost_or_doubled(target)


def times(target):
    """When the link came and went."""
    names = ("CONTACT_STARTED", "LINK_ACQUIRED", "LINK_LOST", "CONTACT_ENDED")
    return [(name, event.t_s) for name in names for event in events(target, name)]


def test_a_window_before_another_peer_takes_nothing(tmp_path):
    calern = scenario("calern-pass")
    window = KeepOutConfig(
        peer_id=7, start_utc_s=calern.epoch_utc_s + 200, end_utc_s=calern.epoch_utc_s + 300
    )
    changed = msgspec.structs.replace(
        calern, node=msgspec.structs.replace(calern.node, keep_outs=(window,))
    )
    plain, other = fly(calern, tmp_path / "plain"), fly(changed, tmp_path / "other")
    assert (lit(plain), looking(plain)) == (lit(other), looking(other))
    assert times(plain) == times(other)


def said(at_s, name, /, **arguments):
    return {"at_s": at_s, "action": "command", "command": name, "arguments": arguments}


def test_a_window_by_command_is_dark_though_light_is_on_and_after_a_reset_too(tmp_path):
    epoch_s = round(scenario("calern-pass").epoch_utc_s)
    spans = [(180, 200), (260, 280)]
    timeline = [
        said(170.0, "KEEP_OUT_ADD", peer_id=6, start_utc_s=epoch_s + begin, end_utc_s=epoch_s + end)
        for begin, end in spans
    ]
    timeline.append({"at_s": 210.0, "action": "reset"})
    target = fly(scenario("calern-pass", timeline=timeline), tmp_path)
    assert [e.args["total"] for e in events(target, "KEEP_OUTS_CHANGED")] == [1, 2]
    for begin_s, end_s in spans:
        assert not set(range(begin_s, end_s)) & (lit(target) | looking(target))
        assert begin_s - 5 in lit(target), "until then it was in use"
    assert max(lit(target)) > 300
    assert len(events(target, "BOOTED")) == 2
    assert target.world.recorder.column("link.keep_outs")[-1] == 2
    assert_nothing_lost_or_doubled(target)


def test_a_window_that_begins_in_the_past_turns_the_light_off_at_once(tmp_path):
    epoch_s = round(scenario("calern-pass").epoch_utc_s)
    dark = said(
        200.0, "KEEP_OUT_ADD", peer_id=0, start_utc_s=epoch_s + 100, end_utc_s=epoch_s + 250
    )
    target = fly(scenario("calern-pass", timeline=[dark]), tmp_path)
    (changed,) = events(target, "KEEP_OUTS_CHANGED")
    assert 200.0 <= changed.t_s < 203.0
    assert not set(range(math.ceil(changed.t_s) + 1, 250)) & lit(target)
    assert max(lit(target)) > 260


def test_clearing_a_configured_window_takes_two_steps_and_gives_the_light_back(tmp_path):
    calern = scenario("calern-pass")
    epoch_s = round(calern.epoch_utc_s)
    window = KeepOutConfig(peer_id=6, start_utc_s=epoch_s + 250, end_utc_s=epoch_s + 400)
    node = msgspec.structs.replace(calern.node, keep_outs=(window,))

    def flown(folder, at_s):
        timeline = [said(each, "KEEP_OUT_SET", peer_id=6, windows="") for each in at_s]
        told = scenario("calern-pass", timeline=timeline)
        return fly(msgspec.structs.replace(told, node=node), folder)

    once, twice = flown(tmp_path / "once", (180.0,)), flown(tmp_path / "twice", (180.0, 190.0))
    assert not set(range(250, 400)) & lit(once)
    assert len(events(once, "COMMAND_ARMED")) == 1
    assert set(range(260, 390)) <= lit(twice)
