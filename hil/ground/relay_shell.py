"""A relay shell over the node: contacts through other satellites when no station is in view.

A Walker i:T/P/F shell of synthetic satellites (mean elements through SGP4, no element text), line
of sight above a grazing height, a range cap, what the terminal's mount can follow, relays that have
no terminal free, and the longest-dwell choice of peer. The geometry of all satellites is taken in
one array call on a coarse grid; only chosen contacts are looked at more closely.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sgp4.api import WGS72, Satrec, SatrecArray

from hil.plant.constants import (
    DAY_S,
    J2000_JD,
    R_EARTH_KM,
    SGP4_MU_KM3_S2,
    TWO_PI,
)
from hil.plant.optical_channel import ContactGeometry
from hil.plant.orbit import Orbit, Vector
from hil.plant.passes import bisect

PEER_ID_BASE = 1000
LOOK_S = 5.0
"""Between two looks along a stay."""
_SGP4_EPOCH_JD = 2433281.5


@dataclass(frozen=True, slots=True)
class ShellConfig:
    """A Walker delta pattern and what its links can do."""

    inclination_deg: float = 53.0
    altitude_km: float = 550.0
    satellites: int = 1584
    planes: int = 72
    phasing: int = 39
    """F of i:T/P/F; not in the public grant, so a parameter."""
    range_km_max: float = 4000.0
    grazing_km: float = 100.0
    """The line of sight must clear the surface by this much."""
    slew_deg_s_max: float = 2.0
    """The line of sight turns no faster: a relay that flies past nearby cannot be followed."""
    free_share: float = 1.0
    """Share of time in which a relay has a terminal free; flown shells keep most of theirs busy."""
    free_seed: int = 0
    free_block_s: float = 900.0
    """A relay's terminal is free, or not, for so long."""
    grid_s: float = 60.0
    dwell_s_min: float = 120.0
    dwell_s_max: float = 900.0
    """A contact is cut here: the terminal is handed on."""
    contacts_max: int = 64

    def __post_init__(self) -> None:
        """The pattern must be whole and the numbers physical."""
        if self.planes < 1 or self.satellites % self.planes or self.satellites > 8192:
            raise ValueError("satellites must fill the planes evenly, 8192 at most")
        if not 300.0 <= self.altitude_km <= 2000.0 or self.range_km_max <= 0.0:
            raise ValueError("shell altitude must lie in 300..2000 km, the range be positive")
        if not 0.0 < self.dwell_s_min <= self.dwell_s_max or self.grid_s <= 0.0:
            raise ValueError("dwell limits and grid must be positive and in order")
        if not 0.0 < self.free_share <= 1.0 or min(self.slew_deg_s_max, self.free_block_s) <= 0.0:
            raise ValueError("the free share must lie in 0..1, slew rate and block be positive")


@dataclass(frozen=True, slots=True)
class RelayContact:
    """A stay of one relay in view; times in seconds from the node's epoch."""

    peer_id: int
    name: str
    start_s: float
    end_s: float
    range_km_min: float
    range_km_max: float


class RelayShell:
    """The shell at the epoch of a node's orbit."""

    def __init__(self, config: ShellConfig, orbit: Orbit) -> None:
        self.config = config
        self._orbit = orbit
        # Of the elements, so that another t = 0 on the same orbit meets the same relays.
        days_since_t0 = (orbit.elements_utc_s - orbit.epoch_utc_s) / DAY_S
        self._epoch_days = orbit.epoch_days_j2000 + days_since_t0 + (J2000_JD - _SGP4_EPOCH_JD)
        self._satrecs = [self._satrec(k) for k in range(config.satellites)]
        self._array = SatrecArray(self._satrecs)

    def _satrec(self, index: int) -> Satrec:
        config = self.config
        per_plane = config.satellites // config.planes
        plane, slot = divmod(index, per_plane)
        phase = slot / per_plane + config.phasing * plane / config.satellites
        a_km = R_EARTH_KM + config.altitude_km
        satrec = Satrec()
        satrec.sgp4init(
            WGS72,
            "i",
            index + 1,
            self._epoch_days,
            0.0,
            0.0,
            0.0,
            1.0e-4,
            0.0,
            math.radians(config.inclination_deg),
            TWO_PI * phase % TWO_PI,
            60.0 * math.sqrt(SGP4_MU_KM3_S2 / a_km**3),
            TWO_PI * plane / config.planes,
        )
        return satrec

    def position_km(self, index: int, t_s: float) -> Vector:
        """Inertial position of one relay."""
        return self._state(index, t_s)[0]

    def _state(self, index: int, t_s: float) -> tuple[Vector, Vector]:
        error, r, v = self._satrecs[index].sgp4(
            self._orbit.epoch_jd, self._orbit.epoch_fraction + t_s / DAY_S
        )
        if error:
            raise ValueError(f"SGP4 error {error} for relay {index}")
        return (float(r[0]), float(r[1]), float(r[2])), (float(v[0]), float(v[1]), float(v[2]))

    def range_km(self, index: int, t_s: float) -> float:
        """Distance from the node to one relay."""
        return math.dist(self._orbit.position_km(t_s), self.position_km(index, t_s))

    def clearance(self, index: int, t_s: float) -> float:
        """Positive while the link is allowed: the tightest of sight, range (km) and slew (deg/s).

        Below 0 as well while the relay has no terminal free.
        """
        if not self.is_free(index, t_s):
            return -1.0
        (node, node_v), (relay, relay_v) = self._orbit.state(t_s), self._state(index, t_s)
        height_km = _closest_approach_km(node, relay) - R_EARTH_KM - self.config.grazing_km
        along = np.subtract(relay, node)
        turn_rad_s = np.cross(along, np.subtract(relay_v, node_v)) / (along @ along)
        slew = self.config.slew_deg_s_max - math.degrees(math.hypot(*turn_rad_s))
        return min(height_km, self.config.range_km_max - math.dist(node, relay), slew)

    def is_free(self, index: int, t_s: float) -> bool:
        """Whether the relay has a terminal for this node; equal for equal seed, relay and block."""
        config = self.config
        if config.free_share == 1.0:
            return True
        block = math.floor(t_s / config.free_block_s) & 0xFFFFFFFF
        luck = np.random.Generator(np.random.PCG64((config.free_seed, index, block)))
        return float(luck.random()) < config.free_share

    def visibility(self, t0_s: float, t1_s: float) -> tuple[list[float], NDArray[np.bool_]]:
        """Grid times, and which relay (rows) is usable at which time (columns)."""
        count = max(2, math.ceil((t1_s - t0_s) / self.config.grid_s) + 1)
        times = [t0_s + (t1_s - t0_s) * k / (count - 1) for k in range(count)]
        fractions = np.array(times) / DAY_S + self._orbit.epoch_fraction
        _, relay, speed = self._array.sgp4(np.full(count, self._orbit.epoch_jd), fractions)
        states = [self._orbit.state(t) for t in times]
        node = np.array([state[0] for state in states])
        along = relay - node
        turning = np.cross(along, speed - np.array([state[1] for state in states]))
        distance2 = (along * along).sum(axis=2)
        # Foot of the perpendicular from the Earth's centre, kept on the segment.
        foot = np.clip(-(along * node).sum(axis=2) / distance2, 0.0, 1.0)
        nearest = node + foot[:, :, np.newaxis] * along
        height2 = (nearest * nearest).sum(axis=2)
        floor_km = R_EARTH_KM + self.config.grazing_km
        usable = (height2 > floor_km**2) & (distance2 < self.config.range_km_max**2)
        turn_rad_s = np.sqrt((turning * turning).sum(axis=2)) / distance2
        usable &= turn_rad_s < math.radians(self.config.slew_deg_s_max)
        if self.config.free_share < 1.0:
            for row, column in np.argwhere(usable):
                usable[row, column] = self.is_free(int(row), times[column])
        return times, usable

    def geometry(self, contact: RelayContact) -> ContactGeometry:
        """Range every second of a contact, for the channel; there is no air in between."""
        row = contact.peer_id - PEER_ID_BASE
        count = math.floor(contact.end_s - contact.start_s)
        ranges = tuple(self.range_km(row, contact.start_s + k) for k in range(count + 1))
        return ContactGeometry(contact.start_s, ranges, None)

    def contacts(self, t0_s: float, t1_s: float) -> list[RelayContact]:
        """One-terminal plan over `t0_s..t1_s`: at each hand-over the longest dwell left.

        Bounded by `contacts_max`; relays that stay less than `dwell_s_min` are passed over.
        """
        times, usable = self.visibility(t0_s, t1_s)
        plan: list[RelayContact] = []
        column = 0
        while column < len(times) - 1 and len(plan) < self.config.contacts_max:
            row, run = _longest_run(usable, column)
            if run * (times[1] - times[0]) < self.config.dwell_s_min:
                column += 1
                continue
            contact = self._refine(row, times, column, run)
            if contact.end_s - contact.start_s < self.config.dwell_s_min:
                column += 1
                continue
            plan.append(contact)
            column = next(
                (k for k in range(column + 1, len(times)) if times[k] >= contact.end_s),
                len(times),
            )
        return plan

    def make_before_break(
        self, plan: Sequence[RelayContact], acquisition_s: float
    ) -> list[RelayContact]:
        """The same plan for a node with two terminals, which take turns.

        Each contact begins so much before the one before it ends that the other terminal has lock
        by then, as far as its relay can be reached by then at all.
        """
        found = list(plan[:1])
        for before, each in pairwise(plan):
            row, start_s = each.peer_id - PEER_ID_BASE, each.start_s
            wanted_s = max(before.end_s - acquisition_s, before.start_s)
            while start_s > wanted_s:
                earlier_s = max(start_s - LOOK_S, wanted_s)
                if self.clearance(row, earlier_s) <= 0.0:
                    break
                start_s = earlier_s
            found.append(replace(each, start_s=start_s))
        return found

    def _refine(self, row: int, times: list[float], column: int, run: int) -> RelayContact:
        start_s = times[column]
        limit_s = start_s + self.config.dwell_s_max
        last = column + run
        end_s = times[min(last, len(times) - 1)]
        if last + 1 < len(times):
            end_s = bisect(lambda t: self.clearance(row, t), times[last], times[last + 1])
        end_s = self._first_stop(row, start_s, min(end_s, limit_s))
        ranges = [self.range_km(row, start_s + (end_s - start_s) * k / 8.0) for k in range(9)]
        name = f"relay-{row:04d}"
        return RelayContact(PEER_ID_BASE + row, name, start_s, end_s, min(ranges), max(ranges))

    def _first_stop(self, row: int, start_s: float, end_s: float) -> float:
        """Where a stay really ends: a relay that flies past is too fast between two grid times."""
        t_s = start_s
        while t_s + LOOK_S < end_s:
            if self.clearance(row, t_s + LOOK_S) <= 0.0:
                if self.clearance(row, t_s) <= 0.0:
                    return t_s
                return bisect(lambda t: self.clearance(row, t), t_s, t_s + LOOK_S)
            t_s += LOOK_S
        return end_s


def carrying_share(
    plan: Sequence[RelayContact], t0_s: float, t1_s: float, acquisition_s: float
) -> float:
    """Share of a span in which at least one contact of the plan has lock and carries."""
    carried_s, at_s = 0.0, t0_s
    for each in sorted(plan, key=lambda contact: contact.start_s):
        begin_s, end_s = max(each.start_s + acquisition_s, at_s), min(each.end_s, t1_s)
        if end_s > begin_s:
            carried_s += end_s - begin_s
            at_s = end_s
    return carried_s / (t1_s - t0_s)


def _longest_run(usable: NDArray[np.bool_], column: int) -> tuple[int, int]:
    """Row that stays usable longest from `column` on, and for how many grid steps more."""
    ahead = usable[:, column:]
    gaps = ~ahead
    lengths = np.where(gaps.any(axis=1), gaps.argmax(axis=1), ahead.shape[1])
    row = int(lengths.argmax())
    return row, int(lengths[row]) - 1


def _closest_approach_km(a: Vector, b: Vector) -> float:
    """Distance from the Earth's centre to the segment a-b."""
    d = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
    length2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    foot = -(a[0] * d[0] + a[1] * d[1] + a[2] * d[2]) / length2
    u = min(1.0, max(0.0, foot))
    return math.hypot(a[0] + u * d[0], a[1] + u * d[1], a[2] + u * d[2])


def relay_contacts(
    orbit: Orbit, t0_s: float, t1_s: float, config: ShellConfig | None = None
) -> list[RelayContact]:
    """Plan of relay contacts for a node's orbit: see `RelayShell.contacts`."""
    return RelayShell(config or ShellConfig(), orbit).contacts(t0_s, t1_s)
