"""Optical ground stations the node may speak to: peers of the contact plan.

Positions are of real telescopes (degrees, metres), rounded by their operators' public
pages; the clear-sky fraction is a planning guess, not a climatology.
"""

import math
from dataclasses import dataclass

from hil.plant.optical_channel import ContactGeometry
from hil.plant.orbit import Geodetic, Orbit, Vector
from hil.plant.passes import Pass, Site


@dataclass(frozen=True, slots=True)
class Station:
    """One optical ground station; `peer_id` is what the terminal is told to point at."""

    peer_id: int
    key: str
    name: str
    lat_deg: float
    lon_deg: float
    alt_m: float
    clear_fraction: float

    def __post_init__(self) -> None:
        """A station is checked where it enters the table."""
        if not 0.0 < self.clear_fraction < 1.0:
            raise ValueError(f"{self.key}: clear fraction must lie inside 0..1")
        if self.peer_id <= 0:
            raise ValueError(f"{self.key}: peer 0 means stowed")

    def site(self) -> Site:
        """The station as a point of the plant's Earth."""
        return Site(Geodetic(self.lat_deg, self.lon_deg, self.alt_m / 1000.0))

    def position_km(self, orbit: Orbit, t_s: float) -> Vector:
        """Where it is at `t_s` in the orbit's inertial frame: the Earth has turned."""
        x, y, z = self.site().ecef_km
        theta = orbit.gmst_rad(t_s)
        c, s = math.cos(theta), math.sin(theta)
        return (c * x - s * y, s * x + c * y, z)


STATIONS: tuple[Station, ...] = (
    Station(1, "tenerife", "ESA OGS, Teide, Tenerife", 28.3010, -16.5118, 2393.0, 0.75),
    Station(2, "table-mountain", "OCTL / LCRD OGS-1, Table Mtn CA", 34.382, -117.683, 2260.0, 0.65),
    Station(3, "haleakala", "LCRD OGS-2, Haleakala HI", 20.707, -156.257, 3050.0, 0.70),
    Station(4, "palomar", "Palomar (Hale) CA", 33.356, -116.865, 1710.0, 0.65),
    Station(5, "white-sands", "White Sands NM", 32.50, -106.61, 1450.0, 0.70),
    Station(6, "calern", "MeO, Calern FR", 43.755, 6.923, 1270.0, 0.60),
    Station(7, "oberpfaffenhofen", "DLR Oberpfaffenhofen DE", 48.085, 11.278, 600.0, 0.40),
    Station(8, "nemea", "Nemea GR (commercial OGS)", 37.85, 22.62, 300.0, 0.65),
    Station(9, "kryoneri", "Kryoneri GR", 37.97, 22.62, 930.0, 0.60),
    Station(10, "holomondas", "Holomondas GR", 40.43, 23.51, 800.0, 0.55),
    Station(11, "skinakas", "Skinakas, Crete GR", 35.21, 24.90, 1750.0, 0.65),
    Station(12, "koganei", "NICT Koganei JP", 35.71, 139.49, 120.0, 0.45),
    Station(13, "perth", "TeraNet-1 Perth AU", -31.98, 115.82, 30.0, 0.60),
)  # fmt: skip
_BY_KEY = {station.key: station for station in STATIONS}
_BY_PEER = {station.peer_id: station for station in STATIONS}


def station(key: str) -> Station:
    """Station of this key; `KeyError` names the ones there are."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise KeyError(f"no station {key!r}; known: {', '.join(_BY_KEY)}") from None


def station_of_peer(peer_id: int) -> Station | None:
    """Station that a terminal pointing at `peer_id` looks at, or None."""
    return _BY_PEER.get(peer_id)


def pass_geometry(orbit: Orbit, over: Station, look: Pass) -> ContactGeometry:
    """Range and elevation every whole second of a pass, for the channel."""
    start_s = math.ceil(look.rise_s)
    count = math.floor(look.set_s) - start_s
    site = over.site()
    looks = [site.look(orbit, float(start_s + k)) for k in range(count + 1)]
    return ContactGeometry(
        float(start_s),
        tuple(each.range_km for each in looks),
        tuple(each.elevation_deg for each in looks),
    )
