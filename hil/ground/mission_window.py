"""Choosing an epoch: when do the first three orbits hold the passes a mission wants?

The search is exhaustive over the time of day and the start along the orbit; it is run by
hand when a scenario is written, and by a test that keeps the shipped scenario honest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hil.ground.stations import STATIONS, Station
from hil.plant.constants import NS_PER_S
from hil.plant.orbit import Orbit, OrbitConfig
from hil.plant.passes import Pass, find_passes

ORBITS = 3
MASK_DEG = 20.0
GOOD_ELEVATION_DEG = 35.0


@dataclass(frozen=True, slots=True)
class StationPass:
    """A pass and the station it is over."""

    station: Station
    look: Pass


@dataclass(frozen=True, slots=True)
class MissionWindow:
    """A start that gives one good pass in orbit two and one in orbit three."""

    orbit: OrbitConfig
    duration_s: float
    passes: tuple[StationPass, ...]

    @property
    def quality(self) -> float:
        """The lower of the two culminations, degrees: more is better."""
        return min(each.look.max_elevation_deg for each in self.passes)


def station_passes(
    orbit: Orbit,
    t0_s: float,
    t1_s: float,
    *,
    stations: Sequence[Station] = STATIONS,
    mask_deg: float = MASK_DEG,
) -> list[StationPass]:
    """Passes over every station that culminate in the window, in order of rise."""
    found = [
        StationPass(each, look)
        for each in stations
        for look in find_passes(orbit, each.site(), t0_s, t1_s, mask_deg=mask_deg)
    ]
    return sorted(found, key=lambda each: (each.look.rise_s, each.station.peer_id))


def judge(config: OrbitConfig, stations: Sequence[Station]) -> MissionWindow | None:
    """The window of this start, if it holds exactly the two good passes wanted.

    The first comes after one whole orbit and the second in the third orbit, over another
    station, early enough that a quarter of an orbit is left behind it.
    """
    orbit = Orbit(config)
    end_s = ORBITS * orbit.period_s
    good = [
        each
        for each in station_passes(orbit, 0.0, end_s, stations=stations)
        if each.look.max_elevation_deg > GOOD_ELEVATION_DEG
    ]
    if len(good) != 2 or good[0].station == good[1].station:
        return None
    first, second = good[0].look, good[1].look
    if first.rise_s < orbit.period_s or first.set_s > 2.0 * orbit.period_s:
        return None
    if second.rise_s < 2.0 * orbit.period_s or second.set_s > end_s - 0.25 * orbit.period_s:
        return None
    return MissionWindow(config, end_s, tuple(good))


def search(
    day_utc_ns: int,
    *,
    mean_anomalies_deg: Iterable[float],
    step_s: int = 300,
    stations: Sequence[Station] = STATIONS,
) -> list[MissionWindow]:
    """Every start of one day that `judge` accepts, best first."""
    found = []
    for mean_anomaly_deg in mean_anomalies_deg:
        for second in range(0, 86400, step_s):
            config = OrbitConfig(
                epoch_utc_ns=day_utc_ns + second * NS_PER_S, mean_anomaly_deg=mean_anomaly_deg
            )
            window = judge(config, stations)
            if window is not None:
                found.append(window)
    return sorted(found, key=lambda each: (-each.quality, each.orbit.epoch_utc_ns))
