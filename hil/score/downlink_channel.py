"""The channel of a seeded case: the bench's optical channel, slot by slot.

Each contact is drawn by `hil/plant/optical_channel.py` in milliseconds; a slot's frame is judged by
the worst of the milliseconds it lasts. Lock comes after an acquisition of random length, is lost
when the margin stays hopeless, and comes back after a shorter search.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from hil.plant.clouds import CloudTrace
from hil.plant.optical_channel import ChannelConfig, ContactGeometry, ContactTrace

if TYPE_CHECKING:
    from numpy.typing import NDArray


EARTH_KM = 6371.0
ALTITUDE_KM = 550.0
MASK_DEG = 20.0
TRACK_DB = -10.0
LOST_AFTER_S = 0.5
_NS_PER_MS = 1_000_000


class Sky(msgspec.Struct, frozen=True):
    """What a family's contacts look like.

    Attributes:
        channel: of the plant.
        elevation_deg: range of culminations; None: a relay without air.
        duration_s: range of lengths.
        cloudy, cloud_s: share of time and mean length of clouds.
        acquisition_s, again_s: median times to the first and a later lock.
        failed: share of contacts without any lock.
        reports_lost: share of reports that is lost besides the channel.
    """

    channel: ChannelConfig = ChannelConfig(scintillation_index_zenith=0.02)
    elevation_deg: tuple[float, float] | None = (45.0, 75.0)
    duration_s: tuple[float, float] = (285.0, 315.0)
    cloudy: float = 0.0
    cloud_s: float = 20.0
    acquisition_s: float = 8.0
    again_s: float = 4.0
    failed: float = 0.03
    reports_lost: float = 0.0


class Masks(NamedTuple):
    """Per slot: the frame arrives, the modem has lock, a report gets up."""

    good: NDArray[np.bool_]
    lock: NDArray[np.bool_]
    uplink: NDArray[np.bool_]


def draw_contact(sky: Sky, slots: int, slot_ns: int, seeds: np.random.SeedSequence) -> Masks:
    """One contact of `slots` slots; equal seeds give equal masks."""
    cloud_seeds, trace_seeds, luck_seeds = seeds.spawn(3)
    rng = np.random.Generator(np.random.PCG64(luck_seeds))
    seconds = math.ceil(slots * slot_ns / 1e9) + 1
    trace = ContactTrace(
        sky.channel,
        _geometry(sky, seconds, rng),
        trace_seeds,
        CloudTrace(
            cloud_seeds,
            clear_fraction=1.0 - sky.cloudy,
            cloudy_mean_s=sky.cloud_s,
            duration_s=float(seconds),
        ).covers,
    )
    down = trace.down.samples_db()
    worst = _worst(down, slots, slot_ns)
    lock = _lock(sky, down, slots, slot_ns, rng)
    config = sky.channel
    good = _survives(config, worst, rng) & lock
    up = _survives(config, _worst(trace.up.samples_db(), slots, slot_ns), rng) & lock
    return Masks(good, lock, up & (rng.random(slots) >= sky.reports_lost))


def _survives(
    config: ChannelConfig, margin_db: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whether each frame arrives: the plant's waterfall."""
    over_db = np.clip(config.frame_slope_per_db * (margin_db - config.frame_middle_db), -50, 50)
    arrives: NDArray[np.bool_] = rng.random(len(margin_db)) * (1 + np.exp(-over_db)) < 1
    return arrives


def _geometry(sky: Sky, seconds: int, rng: np.random.Generator) -> ContactGeometry:
    if sky.elevation_deg is None:
        still = (sky.channel.reference_km,) * (seconds + 1)
        return ContactGeometry(0.0, still, None)
    highest = _central_angle(rng.uniform(*sky.elevation_deg))
    lowest = _central_angle(MASK_DEG)
    along = math.acos(min(1.0, math.cos(lowest) / math.cos(highest)))
    ranges, elevations = [], []
    for second in range(seconds + 1):
        x = along * (2 * second / seconds - 1)
        angle = math.acos(math.cos(highest) * math.cos(x))
        orbit = EARTH_KM + ALTITUDE_KM
        distance = math.sqrt(EARTH_KM**2 + orbit**2 - 2 * EARTH_KM * orbit * math.cos(angle))
        ranges.append(distance)
        elevations.append(math.degrees(math.asin((orbit * math.cos(angle) - EARTH_KM) / distance)))
    return ContactGeometry(0.0, tuple(ranges), tuple(elevations))


def _central_angle(elevation_deg: float) -> float:
    elevation = math.radians(elevation_deg)
    return math.acos(EARTH_KM * math.cos(elevation) / (EARTH_KM + ALTITUDE_KM)) - elevation


def _worst(margin_db: NDArray[np.float64], slots: int, slot_ns: int) -> NDArray[np.float64]:
    """The lowest of the milliseconds each slot touches."""
    first = np.arange(slots) * slot_ns // _NS_PER_MS
    last = (np.arange(1, slots + 1) * slot_ns - 1) // _NS_PER_MS
    worst = margin_db[first]
    for step in range(1, int((last - first).max()) + 1):
        worst = np.minimum(worst, margin_db[np.minimum(first + step, last)])
    return worst


def _lock(
    sky: Sky, margin_db: NDArray[np.float64], slots: int, slot_ns: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Acquired, held through fades, lost when the 50 ms mean stays under `TRACK_DB`."""
    lock = np.zeros(slots, np.bool_)
    slot_s = slot_ns / 1e9
    acquisition_s = max(2.0, sky.acquisition_s * math.exp(0.5 * rng.standard_normal()))
    acquisition_s *= 4.0 if rng.random() < 0.1 else 1.0
    if rng.random() < sky.failed:
        return lock
    power = np.concatenate(([0.0], np.cumsum(np.exp(margin_db * (math.log(10) / 10)))))
    ends = np.minimum(np.arange(1, slots + 1) * slot_ns // _NS_PER_MS, len(margin_db))
    begins = np.maximum(ends - 50, 0)
    low = (power[ends] - power[begins]) / np.maximum(ends - begins, 1) < 10 ** (TRACK_DB / 10)
    hold = int(LOST_AFTER_S / slot_s)
    sums = np.concatenate(([0], np.cumsum(low)))
    hopeless = np.flatnonzero(sums[hold:] - sums[:-hold] == hold)
    back = np.flatnonzero(~low)
    at = int(acquisition_s / slot_s)
    while at < slots:
        index = int(np.searchsorted(hopeless, at))
        end = slots if index == len(hopeless) else int(hopeless[index]) + hold
        lock[at:end] = True
        index = int(np.searchsorted(back, end))
        if index == len(back):
            break
        again_s = max(1.0, sky.again_s * math.exp(0.5 * rng.standard_normal()))
        at = int(back[index]) + int(again_s / slot_s)
    return lock
