"""The optical channel of one contact: margin every millisecond, and the fate of each frame.

Down: range loss, atmosphere 0.5 dB per extra air mass, log-normal scintillation through a
two-pole filter, pointing jitter on two axes, clouds. Up: its own scintillation, 3 dB more,
the same clouds. A relay contact has no air: range and jitter only. Slow terms are computed
at one-second knots with scalar maths; the rest is arithmetic in the C kernel, so equal seeds
give equal bits. Andrews and Phillips, Laser Beam Propagation, for the log-normal fading.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hil.plant._plant_native import ffi, lib
from hil.plant.clouds import Cover

CONTACT_S_MAX = 3600.0
_DB = 10.0 / math.log(10.0)
_MS_PER_S = 1000
_NS_PER_MS = 1_000_000


class Stream(IntEnum):
    """Named random streams of a contact: never share one, so old cases never move."""

    SCINTILLATION = 1
    JITTER_X = 2
    JITTER_Y = 3
    ACQUISITION = 5
    FRAMES = 6
    UPLINK = 7


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """The link's budget and its weather of fading."""

    margin_db: float = 12.0
    """Clear-sky margin at zenith from `reference_km`; 12 dB with a 20 degree mask."""
    reference_km: float = 600.0
    scintillation_index_zenith: float = 0.05
    coherence_s: float = 0.004
    """Scintillation time constant; two poles of half of it each."""
    jitter_urad: float = 3.5
    """Per axis, one sigma; 6 when stressed."""
    jitter_corner_hz: float = 30.0
    divergence_urad: float = 30.0
    """Full 1/e^2 angle of the beam."""
    cloud_db: float = 25.0
    uplink_extra_db: float = 3.0
    frame_middle_db: float = 0.0
    frame_slope_per_db: float = 6.0
    sensitivity_dbm: float = -35.0
    """Received power at zero margin."""

    def __post_init__(self) -> None:
        """Refuse values that make a fading process meaningless."""
        if not 0.0 <= self.scintillation_index_zenith <= 1.0:
            raise ValueError("scintillation index must lie in 0..1")
        if min(self.coherence_s, self.jitter_corner_hz, self.divergence_urad) <= 0.0:
            raise ValueError("time constant, corner and divergence must be positive")
        if self.reference_km <= 0.0 or self.jitter_urad < 0.0:
            raise ValueError("reference range must be positive, jitter not negative")

    @property
    def jitter_db(self) -> float:
        """Pointing loss per unit of squared jitter (both axes of one sigma each)."""
        waist_urad = 0.5 * self.divergence_urad
        return _DB * 2.0 * (self.jitter_urad / waist_urad) ** 2


RELAY_CHANNEL = ChannelConfig(margin_db=6.0, reference_km=3000.0, scintillation_index_zenith=0.0)
"""A link between satellites: 3.5 dB left at the range cap of 4000 km, before jitter."""


@dataclass(frozen=True, slots=True)
class ContactGeometry:
    """Range, and elevation where there is air, every second from `start_s`."""

    start_s: float
    range_km: tuple[float, ...]
    elevation_deg: tuple[float, ...] | None
    """None for a relay: no air in between."""

    def __post_init__(self) -> None:
        """At least one second, at most an hour, and as many elevations as ranges."""
        if not 2 <= len(self.range_km) <= int(CONTACT_S_MAX) + 1:
            raise ValueError(f"a contact lasts 1..{CONTACT_S_MAX:.0f} s")
        if self.elevation_deg is not None and len(self.elevation_deg) != len(self.range_km):
            raise ValueError("elevation and range must have the same length")

    @property
    def duration_s(self) -> float:
        """Length of the contact."""
        return float(len(self.range_km) - 1)


def stream(seeds: np.random.SeedSequence, name: Stream) -> np.random.Generator:
    """The named child stream of a contact's seed, without touching the parent."""
    child = np.random.SeedSequence(
        entropy=seeds.entropy, spawn_key=(*seeds.spawn_key, int(name)), pool_size=seeds.pool_size
    )
    return np.random.Generator(np.random.PCG64(child))


def two_pole_noise(rng: np.random.Generator, pole: float, count: int) -> NDArray[np.float64]:
    """Unit Gaussian noise through two equal poles, stationary from its first sample.

    The variance (1 + a^2) / (1 - a^2)^3 is divided out; the start is drawn from the joint
    stationary law of both stages.
    """
    if not 0.0 <= pole < 1.0:
        raise ValueError(f"pole {pole} is not inside 0..1")
    rest = 1.0 - pole * pole
    first_var, both_cov = 1.0 / rest, 1.0 / (rest * rest)
    second_var = (1.0 + pole * pole) / (rest * rest * rest)
    u, v = float(rng.standard_normal()), float(rng.standard_normal())
    x1 = math.sqrt(first_var) * u
    x2 = both_cov / first_var * x1 + math.sqrt(second_var - both_cov * both_cov / first_var) * v
    samples = rng.standard_normal(count)
    state = ffi.new("double[2]", [x1, x2])
    buffer = ffi.from_buffer("double[]", samples, require_writable=True)
    lib.plant_two_pole(pole, 1.0 / math.sqrt(second_var), state, buffer, count)
    return samples


def scintillation_sigma(config: ChannelConfig, elevation_deg: float) -> float:
    """Log-amplitude sigma s with s^2 = ln(1 + SI), SI growing as sin(el)^(-11/6), at most 1."""
    sine = math.sin(math.radians(max(elevation_deg, 1.0)))
    index = min(1.0, config.scintillation_index_zenith * math.pow(sine, -11.0 / 6.0))
    return math.sqrt(math.log1p(index))


def _knots(config: ChannelConfig, geometry: ContactGeometry) -> tuple[list[float], list[float]]:
    """Margin without fading, and scintillation sigma, at each second and one beyond."""
    base_db, sigma = [], []
    for k, range_km in enumerate(geometry.range_km):
        margin = config.margin_db - 20.0 * math.log10(range_km / config.reference_km)
        if geometry.elevation_deg is None:
            sigma.append(0.0)
        else:
            elevation = geometry.elevation_deg[k]
            margin -= 0.5 * (1.0 / math.sin(math.radians(max(elevation, 1.0))) - 1.0)
            sigma.append(scintillation_sigma(config, elevation))
        base_db.append(margin)
    return [*base_db, base_db[-1]], [*sigma, sigma[-1]]


class Direction:
    """One direction of a contact as the kernel reads it; owns its samples."""

    def __init__(
        self,
        clear_db: NDArray[np.float32],
        radial2: NDArray[np.float32] | None,
        jitter_db: float,
    ) -> None:
        self.clear_db = clear_db
        self.radial2 = radial2
        self._jitter_db = jitter_db
        self._keep = [ffi.from_buffer("float[]", clear_db, require_writable=True)]
        self.channel = ffi.new("struct plant_channel *")
        self.channel.clear_db = self._keep[0]
        if radial2 is not None:
            self._keep.append(ffi.from_buffer("float[]", radial2))
            self.channel.radial2 = self._keep[1]
        self.channel.count = clear_db.shape[0]
        self.channel.jitter_db = jitter_db

    def disturb(self, *, jitter_scale: float = 1.0, extra_db: float = 0.0) -> None:
        """What a fault adds from now on: jitter times `jitter_scale`, `extra_db` of loss."""
        self.channel.jitter_db = self._jitter_db * jitter_scale * jitter_scale
        self.channel.extra_db = extra_db

    def cover(self, cover: Cover, start_s: float, depth_db: float) -> None:
        """Lay one cloud over the samples."""
        lib.plant_apply_cloud(
            self._keep[0],
            self.channel.count,
            (cover.start_s - start_s) * _MS_PER_S,
            (cover.end_s - start_s) * _MS_PER_S,
            depth_db,
        )

    def worst_db(self, first: int, last: int) -> float:
        """Lowest margin over samples `first..last`."""
        return float(lib.plant_worst_margin(self.channel, first, last))

    def mean_db(self, first: int, last: int) -> float:
        """Mean margin over samples `first..last`."""
        return float(lib.plant_mean_margin(self.channel, first, last))

    def samples_db(self) -> NDArray[np.float64]:
        """Every margin of the contact: for reports and oracles, not for the loop."""
        margin: NDArray[np.float64] = self.clear_db.astype(np.float64)
        margin -= self.channel.extra_db
        if self.radial2 is not None:
            margin -= self.channel.jitter_db * self.radial2
        return margin


class ContactTrace:
    """Both directions of one contact, drawn in full when the contact is planned."""

    def __init__(
        self,
        config: ChannelConfig,
        geometry: ContactGeometry,
        seeds: np.random.SeedSequence,
        covers: Sequence[Cover] = (),
    ) -> None:
        """Draw the trace: about 0.1 s of work and 12 MB for a ten-minute contact.

        `covers` are disjoint closed-sky intervals in mission seconds; a relay ignores them.
        """
        self.config = config
        self.geometry = geometry
        self.seeds = seeds
        self.count = int(geometry.duration_s) * _MS_PER_S
        base_db, sigma = _knots(config, geometry)
        pole = math.exp(-2.0 * math.pi * config.jitter_corner_hz / _MS_PER_S)
        x = two_pole_noise(stream(seeds, Stream.JITTER_X), pole, self.count)
        y = two_pole_noise(stream(seeds, Stream.JITTER_Y), pole, self.count)
        radial2 = np.empty(self.count, dtype=np.float32)
        lib.plant_radial_square(
            ffi.from_buffer("double[]", x),
            ffi.from_buffer("double[]", y),
            ffi.from_buffer("float[]", radial2, require_writable=True),
            self.count,
        )
        self.down = Direction(
            self._clear(base_db, sigma, Stream.SCINTILLATION), radial2, config.jitter_db
        )
        raised = [each + config.uplink_extra_db for each in base_db]
        self.up = Direction(self._clear(raised, sigma, Stream.UPLINK), None, 0.0)
        if geometry.elevation_deg is not None:
            for each in covers:
                self.down.cover(each, geometry.start_s, config.cloud_db)
                self.up.cover(each, geometry.start_s, config.cloud_db)
        # One key for each direction: a frame's luck depends on its index, not on the order.
        draw = stream(seeds, Stream.FRAMES)
        self._down_key, self._up_key = (int(each) for each in draw.integers(0, 1 << 63, 2))

    def _clear(
        self, base_db: Sequence[float], sigma: Sequence[float], name: Stream
    ) -> NDArray[np.float32]:
        out = np.empty(self.count, dtype=np.float32)
        if self.geometry.elevation_deg is None:
            z = np.zeros(self.count)
        else:
            pole = math.exp(-2.0 / (self.config.coherence_s * _MS_PER_S))
            z = two_pole_noise(stream(self.seeds, name), pole, self.count)
        lib.plant_clear_margin(
            ffi.new("double[]", base_db),
            ffi.new("double[]", [_DB * each for each in sigma]),
            ffi.new("double[]", [_DB * 0.5 * each * each for each in sigma]),
            ffi.from_buffer("double[]", z),
            ffi.from_buffer("float[]", out, require_writable=True),
            self.count,
        )
        return out

    def sample(self, t_ns: int) -> int:
        """Index of the millisecond that holds mission time `t_ns`; outside: out of range."""
        return (t_ns - round(self.geometry.start_s * 1e9)) // _NS_PER_MS

    def covers(self, t_ns: int) -> bool:
        """Whether the contact's geometry stands at `t_ns`."""
        return 0 <= self.sample(t_ns) < self.count

    def downlink_frame_ok(self, index: int, t0_ns: int, t1_ns: int) -> bool:
        """Fate of downlink frame `index` sent over `t0_ns..t1_ns`; same index, same luck."""
        return self._survives(self.down, self._down_key, index, t0_ns, t1_ns)

    def uplink_frame_ok(self, index: int, t0_ns: int, t1_ns: int) -> bool:
        """Fate of uplink frame `index`."""
        return self._survives(self.up, self._up_key, index, t0_ns, t1_ns)

    def _survives(self, direction: Direction, key: int, index: int, t0_ns: int, t1_ns: int) -> bool:
        first, last = self.sample(t0_ns), self.sample(max(t0_ns, t1_ns - 1))
        if first < 0 or last >= self.count:
            return False
        config = self.config
        worst_db = lib.plant_worst_margin(direction.channel, first, last)
        luck = lib.plant_uniform(key, index)
        return bool(
            lib.plant_frame_survives(
                worst_db, config.frame_middle_db, config.frame_slope_per_db, luck
            )
        )

    def rx_power_dbm(self, t_ns: int) -> float:
        """Received uplink power: sensitivity plus the mean margin of the last 50 ms."""
        at = self.sample(t_ns)
        margin_db = self.up.mean_db(at - lib.PLANT_BOXCAR_MS + 1, at)
        return self.config.sensitivity_dbm + margin_db
