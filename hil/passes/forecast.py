"""What contacts an orbit will have: stations from geometry, relays from the shell over it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hil.ground.mission_window import station_passes
from hil.ground.relay_shell import PEER_ID_BASE, RelayShell, ShellConfig, carrying_share
from hil.plant.sun_keep_out import keep_outs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hil.ground.stations import Station
    from hil.plant.orbit import Orbit
    from hil.plant.sun_keep_out import Window

RELAY_CONTACT_S = 300.0
"""A relay is held this long at most, then the next one is looked for."""
RELAY_STEP_S = 60.0
ACQUISITION_S = 12.0
"""Between two satellites, as flown meshes report it."""
DUTY_SPAN_S = 6000.0
DUTY_SHELL = ShellConfig(grid_s=10.0, dwell_s_min=60.0, dwell_s_max=DUTY_SPAN_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAhead:
    """One contact; times in seconds from the forecast's own zero.

    Attributes:
        number: from 1, in order of time; what `--contact` takes.
        peer: key of a station, name of a relay.
        max_elevation_deg, azimuths_deg: at culmination; at rise, culmination and set. None for a
            relay, which has neither.
        clear_fraction: share of time with a clear sky there; None where there is no sky.
        sun: when the line of sight runs too close to the Sun, which leaves the terminal dark.
    """

    number: int
    peer: str
    name: str
    start_s: float
    end_s: float
    range_km_min: float
    max_elevation_deg: float | None = None
    azimuths_deg: tuple[float, float, float] | None = None
    clear_fraction: float | None = None
    sun: tuple[Window, ...] = ()

    @property
    def length_s(self) -> float:
        """Seconds above the mask, or in reach."""
        return self.end_s - self.start_s

    @property
    def sun_s(self) -> float:
        """Seconds of it that the Sun takes."""
        return sum(end_s - begin_s for begin_s, end_s in self.sun)


def stations_ahead(
    orbit: Orbit, stations: Sequence[Station], until_s: float, mask_deg: float, sun_deg: float
) -> list[ContactAhead]:
    """Passes over the stations that culminate before `until_s` and have not yet begun at zero."""
    found: list[ContactAhead] = []
    for each in station_passes(orbit, 0.0, until_s, stations=stations, mask_deg=mask_deg):
        look, site = each.look, each.station.site()
        if look.rise_s < 0.0:
            continue
        at = [site.look(orbit, t_s) for t_s in (look.rise_s, look.culmination_s, look.set_s)]
        found.append(
            ContactAhead(
                number=len(found) + 1,
                peer=each.station.key,
                name=each.station.name,
                start_s=look.rise_s,
                end_s=look.set_s,
                range_km_min=at[1].range_km,
                max_elevation_deg=look.max_elevation_deg,
                azimuths_deg=(at[0].azimuth_deg, at[1].azimuth_deg, at[2].azimuth_deg),
                clear_fraction=each.station.clear_fraction,
                sun=keep_outs(
                    orbit,
                    partial(each.station.position_km, orbit),
                    (look.rise_s, look.set_s),
                    limit_deg=sun_deg,
                ),
            )
        )
    return found


def relays_ahead(orbit: Orbit, until_s: float, most: int, sun_deg: float) -> list[ContactAhead]:
    """Relay contacts one after the other, each with the relay that stays in reach longest."""
    shell = RelayShell(ShellConfig(dwell_s_max=RELAY_CONTACT_S), orbit)
    found: list[ContactAhead] = []
    start_s = 0.0
    while start_s + RELAY_CONTACT_S <= until_s and len(found) < most:
        offers = shell.contacts(start_s, start_s + RELAY_CONTACT_S)
        if not offers:
            start_s += RELAY_STEP_S
            continue
        offer = offers[0]
        at = partial(shell.position_km, offer.peer_id - PEER_ID_BASE)
        found.append(
            ContactAhead(
                number=len(found) + 1,
                peer=offer.name,
                name=offer.name,
                start_s=offer.start_s,
                end_s=offer.end_s,
                range_km_min=offer.range_km_min,
                sun=keep_outs(orbit, at, (offer.start_s, offer.end_s), limit_deg=sun_deg),
            )
        )
        start_s = offer.end_s
    return found


@dataclass(frozen=True, slots=True)
class RelayDuty:
    """Share of an orbit or so in which relays carry, with one terminal and with two."""

    span_s: float
    acquisition_s: float
    one_terminal: float
    two_terminals: float


def relay_duty(orbit: Orbit, acquisition_s: float = ACQUISITION_S) -> RelayDuty:
    """What a second terminal is worth: it has the next relay before the first lets go of its own.

    Contacts last as long as their relay can be reached, and each costs an acquisition.
    """
    shell = RelayShell(DUTY_SHELL, orbit)
    plan = shell.contacts(0.0, DUTY_SPAN_S)
    turns = shell.make_before_break(plan, acquisition_s)
    return RelayDuty(
        DUTY_SPAN_S,
        acquisition_s,
        carrying_share(plan, 0.0, DUTY_SPAN_S, acquisition_s),
        carrying_share(turns, 0.0, DUTY_SPAN_S, acquisition_s),
    )


def best(contacts: Sequence[ContactAhead]) -> ContactAhead:
    """The one worth flying: the highest pass out of the Sun; of relays the first."""
    return max(
        contacts,
        key=lambda each: (not each.sun, each.max_elevation_deg or 0.0, -each.number),
    )
