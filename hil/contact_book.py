"""Every contact of a mission: planned from real geometry, handed to the node as its contact plan.

The channel of a contact is drawn when the contact begins and dropped when it is over, so a day of
contacts costs the memory of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from flight.config import ConfigError
from flight.link_config import ContactConfig, KeepOutConfig
from hil.ground.mission_window import station_passes
from hil.ground.relay_shell import PEER_ID_BASE, RelayShell, ShellConfig
from hil.ground.stations import STATIONS, Station, pass_geometry, station
from hil.plant.clouds import CloudTrace
from hil.plant.optical_channel import RELAY_CHANNEL, ChannelConfig, ContactTrace
from hil.plant.sun_keep_out import keep_outs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hil.plant.optical_channel import ContactGeometry
    from hil.plant.orbit import Orbit, Vector
    from hil.plant.sun_keep_out import Window
    from hil.scenario import Scenario, SiteSection

CLOUDY_MEAN_S = 45.0
SITE_PEER_BASE = 100
"""Peers of a user's own sites; below the relays, above the known stations."""
SUN_GUARD_S = 2.0
"""The node is told to look away so long before the Sun is too close, and for as long after it."""
RADIO_BASE = 1_000_001
"""First number of a radio contact, beyond those of the laser."""
RADIO_LEAST_S = 10.0
GUARD_S = 30.0
"""A relay contact keeps this much away from a station's pass: one terminal, one peer."""


@dataclass(frozen=True, slots=True)
class PlannedContact:
    """One contact; times in seconds from the epoch.

    Attributes:
        sun: when the Sun is too close to the line of sight: the terminal sees nothing then.
        avoid: when the node has been told to keep dark for another cause.
    """

    contact_id: int
    kind: str
    peer_id: int
    peer_name: str
    start_s: float
    end_s: float
    rate_bps: float
    max_elevation_deg: float | None
    geometry: ContactGeometry
    sun: tuple[Window, ...] = ()
    avoid: tuple[Window, ...] = ()

    def as_config(self, epoch_utc_s: float) -> ContactConfig:
        """The line of the uploaded contact plan."""
        return ContactConfig(
            contact_id=self.contact_id,
            peer_id=self.peer_id,
            peer_name=self.peer_name,
            kind=self.kind,
            start_utc_s=epoch_utc_s + self.start_s,
            end_utc_s=epoch_utc_s + self.end_s,
            rate_bps=self.rate_bps,
        )

    def sun_as_config(self, epoch_utc_s: float) -> tuple[KeepOutConfig, ...]:
        """What the node is told of the Sun, a guard around each window."""
        return tuple(
            KeepOutConfig(
                peer_id=self.peer_id,
                start_utc_s=epoch_utc_s + begin_s - SUN_GUARD_S,
                end_utc_s=epoch_utc_s + end_s + SUN_GUARD_S,
                cause="sun",
            )
            for begin_s, end_s in self.sun
        )


class ContactBook:
    """Plans the contacts of a scenario and draws their channels."""

    def __init__(self, scenario: Scenario, orbit: Orbit, seeds: np.random.SeedSequence) -> None:
        self._scenario = scenario
        self._seeds = seeds
        self.stations = tuple(
            station_of(key, scenario.ground.sites) for key in scenario.ground.stations
        )
        self.contacts = self._plan(orbit)
        self.radio = self._radio(orbit) if scenario.node.links.radio else ()
        self.skies = {each.peer_id: self._sky(each) for each in self.stations}

    def trace(self, contact: PlannedContact) -> ContactTrace:
        """The channel of one contact; equal for equal seed and contact number."""
        ground = self._scenario.ground
        seeds = _child(self._seeds, contact.contact_id)
        if contact.kind == "RELAY":
            return ContactTrace(RELAY_CHANNEL, contact.geometry, seeds)
        config = ChannelConfig(margin_db=ground.margin_zenith_db)
        covers = self.skies[contact.peer_id].over(contact.start_s, contact.end_s)
        return ContactTrace(config, contact.geometry, seeds, covers)

    def _plan(self, orbit: Orbit) -> tuple[PlannedContact, ...]:
        scenario, ground = self._scenario, self._scenario.ground
        passes = station_passes(
            orbit,
            0.0,
            scenario.duration_s,
            stations=self.stations,
            mask_deg=ground.elevation_mask_deg,
        )[: ground.max_passes]
        found = [
            PlannedContact(
                contact_id=0,
                kind="OGS",
                peer_id=each.station.peer_id,
                peer_name=each.station.name,
                start_s=each.look.rise_s,
                end_s=each.look.set_s,
                rate_bps=ground.rate_bps,
                max_elevation_deg=each.look.max_elevation_deg,
                geometry=pass_geometry(orbit, each.station, each.look),
                sun=self._sun(
                    orbit,
                    partial(each.station.position_km, orbit),
                    each.look.rise_s,
                    each.look.set_s,
                ),
            )
            for each in passes
        ]
        if ground.relay:
            found += self._relays(orbit, [(c.start_s, c.end_s) for c in found])
        found.sort(key=lambda contact: contact.start_s)
        return tuple(
            replace(contact, contact_id=i + 1, avoid=self._avoid(contact))
            for i, contact in enumerate(found)
        )

    def _sun(
        self, orbit: Orbit, peer_km: Callable[[float], Vector], begin_s: float, end_s: float
    ) -> tuple[Window, ...]:
        limit_deg = self._scenario.ground.sun_keep_out_deg
        return keep_outs(orbit, peer_km, (begin_s, end_s), limit_deg=limit_deg)

    def _radio(self, orbit: Orbit) -> tuple[PlannedContact, ...]:
        """Radio contacts one after the other: the modem has one peer at a time."""
        ground = self._scenario.ground
        keys = ground.radio_stations or ground.stations
        passes = station_passes(
            orbit,
            0.0,
            self._scenario.duration_s,
            stations=[station_of(key, ground.sites) for key in keys],
            mask_deg=ground.radio_mask_deg,
        )
        found: list[PlannedContact] = []
        free_s = 0.0
        for each in passes:
            start_s = max(each.look.rise_s, free_s)
            if each.look.set_s - start_s < RADIO_LEAST_S:
                continue
            free_s = each.look.set_s
            found.append(
                PlannedContact(
                    contact_id=RADIO_BASE + len(found),
                    kind="RADIO",
                    peer_id=each.station.peer_id,
                    peer_name=f"{each.station.name}, radio",
                    start_s=start_s,
                    end_s=free_s,
                    rate_bps=ground.radio_rate_bps,
                    max_elevation_deg=each.look.max_elevation_deg,
                    geometry=pass_geometry(orbit, each.station, each.look),
                )
            )
        return tuple(found)

    def _avoid(self, contact: PlannedContact) -> tuple[Window, ...]:
        epoch_s = self._scenario.epoch_utc_s
        spans = (
            (each.start_utc_s - epoch_s, each.end_utc_s - epoch_s)
            for each in self._scenario.node.keep_outs
            if each.peer_id in (0, contact.peer_id)
        )
        return tuple(s for s in spans if s[0] < contact.end_s and s[1] > contact.start_s)

    def _relays(self, orbit: Orbit, busy: Sequence[tuple[float, float]]) -> list[PlannedContact]:
        """Relay contacts on the scenario's grid, where the terminal is free and a relay in view."""
        ground, duration_s = self._scenario.ground, self._scenario.duration_s
        contacts: list[PlannedContact] = []
        shell = RelayShell(
            ShellConfig(
                dwell_s_max=max(ground.relay_contact_s, 120.0),
                free_share=ground.relay_free_share,
                free_seed=self._scenario.seed,
            ),
            orbit,
        )
        start_s = ground.relay_first_s
        while start_s + ground.relay_contact_s <= duration_s:
            end_s = start_s + ground.relay_contact_s
            free = all(end_s + GUARD_S < b0 or start_s - GUARD_S > b1 for b0, b1 in busy)
            offers = shell.contacts(start_s, end_s) if free else []
            if offers:
                offer = offers[0]
                last_s = min(offer.end_s, end_s)
                at = partial(shell.position_km, offer.peer_id - PEER_ID_BASE)
                contacts.append(
                    PlannedContact(
                        contact_id=0,
                        kind="RELAY",
                        peer_id=offer.peer_id,
                        peer_name=offer.name,
                        start_s=offer.start_s,
                        end_s=last_s,
                        rate_bps=ground.relay_rate_bps,
                        max_elevation_deg=None,
                        geometry=shell.geometry(offer),
                        sun=self._sun(orbit, at, offer.start_s, last_s),
                    )
                )
            start_s += ground.relay_every_s
        return contacts

    def _sky(self, over: Station) -> CloudTrace:
        scenario = self._scenario
        outages = [
            (entry.at_s, entry.at_s + entry.for_s)
            for entry in scenario.timeline
            if entry.action == "cloud" and entry.for_s > 0.0
        ]
        return CloudTrace(
            _child(self._seeds, 1_000_000 + over.peer_id),
            clear_fraction=over.clear_fraction if scenario.ground.cloud else 1.0,
            cloudy_mean_s=CLOUDY_MEAN_S,
            duration_s=scenario.duration_s,
            outages=outages,
        )


def station_of(key: str, sites: Sequence[SiteSection]) -> Station:
    """A known station or a site of the user's own; ConfigError names what there is."""
    for number, site in enumerate(sites):
        if site.key == key:
            return Station(peer_id=SITE_PEER_BASE + number, **msgspec.structs.asdict(site))
    try:
        return station(key)
    except KeyError:
        known = ", ".join([*(each.key for each in STATIONS), *(each.key for each in sites)])
        raise ConfigError(f"ground.stations: {key!r} unknown; known: {known}") from None


def _child(seeds: np.random.SeedSequence, key: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(entropy=seeds.entropy, spawn_key=(*seeds.spawn_key, key))
