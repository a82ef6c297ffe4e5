"""The optical channel against the closed forms of fading, jitter and range."""

import math

import numpy as np
import pytest

from hil.plant._plant_native import lib
from hil.plant.clouds import Cover
from hil.plant.optical_channel import (
    RELAY_CHANNEL,
    ChannelConfig,
    ContactGeometry,
    ContactTrace,
    Stream,
    scintillation_sigma,
    stream,
    two_pole_noise,
)

MS = 1_000_000
DB = 10.0 / math.log(10.0)


def steady(
    seconds: int, elevation_deg: float | None = 45.0, range_km: float = 600.0
) -> ContactGeometry:
    elevations = None if elevation_deg is None else (elevation_deg,) * (seconds + 1)
    return ContactGeometry(1000.0, (range_km,) * (seconds + 1), elevations)


def trace(
    config: ChannelConfig, geometry: ContactGeometry, seed: int = 1, *covers: Cover
) -> ContactTrace:
    return ContactTrace(config, geometry, np.random.SeedSequence(seed), covers)


def test_two_pole_noise_is_unit_gaussian_with_its_closed_correlation() -> None:
    pole = math.exp(-0.5)
    rng = np.random.Generator(np.random.PCG64(3))
    x = two_pole_noise(rng, pole, 400_000)
    assert x.mean() == pytest.approx(0.0, abs=0.02)
    assert x.var() == pytest.approx(1.0, abs=0.02)
    for lag in (1, 3, 6):
        closed = pole**lag * (1.0 + lag * (1.0 - pole**2) / (1.0 + pole**2))
        assert float((x[:-lag] * x[lag:]).mean()) == pytest.approx(closed, abs=0.02)


def test_noise_is_stationary_from_its_first_sample() -> None:
    starts = np.array(
        [two_pole_noise(np.random.Generator(np.random.PCG64(k)), 0.9, 2) for k in range(4000)]
    )
    assert starts[:, 0].var() == pytest.approx(1.0, abs=0.07)
    assert starts[:, 1].var() == pytest.approx(1.0, abs=0.07)


def test_scintillation_keeps_the_lognormal_moments() -> None:
    config = ChannelConfig(jitter_urad=0.0, scintillation_index_zenith=0.10)
    geometry = steady(300, 90.0)
    intensity = np.exp((trace(config, geometry).down.samples_db() - 12.0) / DB)
    assert intensity.mean() == pytest.approx(1.0, abs=0.01)
    assert intensity.var() == pytest.approx(0.10, rel=0.06)
    assert np.log(intensity).std() == pytest.approx(math.sqrt(math.log1p(0.10)), rel=0.02)


def test_scintillation_grows_towards_the_horizon_and_saturates() -> None:
    config = ChannelConfig(scintillation_index_zenith=0.10)
    thirty = math.expm1(scintillation_sigma(config, 30.0) ** 2)
    assert thirty == pytest.approx(0.10 * 0.5 ** (-11.0 / 6.0))
    assert math.expm1(scintillation_sigma(config, 1.0) ** 2) == pytest.approx(1.0)


def test_pointing_loss_follows_its_power_law() -> None:
    config = ChannelConfig(scintillation_index_zenith=0.0, jitter_urad=3.5)
    contact = trace(config, steady(600, 90.0))
    intensity = np.exp((contact.down.samples_db() - 12.0) / DB)
    ratio = (15.0 / 3.5) ** 2  # waist over sigma, squared
    assert intensity.mean() == pytest.approx(1.0 / (1.0 + 4.0 / ratio), rel=0.005)
    for level in (0.3, 0.5, 0.8):
        assert (intensity < level).mean() == pytest.approx(level ** (ratio / 4.0), abs=0.01)


def test_five_times_the_jitter_is_the_same_law_with_its_sigma() -> None:
    config = ChannelConfig(scintillation_index_zenith=0.0, jitter_urad=1.0)
    contact = trace(config, steady(600, 90.0))
    contact.down.disturb(jitter_scale=5.0, extra_db=2.0)
    intensity = np.exp((contact.down.samples_db() - 10.0) / DB)
    assert intensity.mean() == pytest.approx(1.0 / (1.0 + 4.0 * (5.0 / 15.0) ** 2), rel=0.005)


def test_range_and_air_mass_cost_what_the_link_budget_says() -> None:
    config = ChannelConfig(scintillation_index_zenith=0.0, jitter_urad=0.0)
    near = trace(config, steady(2, 90.0)).down.mean_db(0, 1999)
    far = trace(config, steady(2, 30.0, 1200.0)).down.mean_db(0, 1999)
    assert near == pytest.approx(12.0, abs=1e-5)
    assert near - far == pytest.approx(20.0 * math.log10(2.0) + 0.5, abs=1e-5)


def test_the_uplink_has_three_decibels_more_and_its_own_fading() -> None:
    contact = trace(ChannelConfig(jitter_urad=0.0), steady(100))
    down, up = contact.down.samples_db(), contact.up.samples_db()
    assert up.mean() - down.mean() == pytest.approx(3.0, abs=0.1)
    assert abs(np.corrcoef(down, up)[0, 1]) < 0.05


def test_a_relay_has_neither_air_nor_clouds() -> None:
    contact = trace(RELAY_CHANNEL, steady(60, None, 3000.0), 1, Cover(0.0, 2000.0))
    assert contact.up.samples_db() == pytest.approx(9.0)
    assert contact.down.samples_db().max() <= 6.0


def test_a_cloud_takes_25_decibels_with_edges_of_one_second() -> None:
    quiet = ChannelConfig(scintillation_index_zenith=0.0, jitter_urad=0.0)
    clear = trace(quiet, steady(20)).down.samples_db()
    loss = clear - trace(quiet, steady(20), 1, Cover(1005.0, 1010.0)).down.samples_db()
    assert loss[[4400, 7000, 10600]] == pytest.approx([0.0, 25.0, 0.0], abs=1e-4)
    assert loss[[4750, 5000, 5250, 10_000]] == pytest.approx([6.25, 12.5, 18.75, 12.5], abs=1e-4)
    assert np.diff(loss).max() == pytest.approx(0.025, abs=1e-4)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    geometry = steady(5)
    one, two = trace(ChannelConfig(), geometry), trace(ChannelConfig(), geometry)
    other = trace(ChannelConfig(), geometry, 2)
    assert one.down.clear_db.tobytes() == two.down.clear_db.tobytes()
    assert one.down.clear_db.tobytes() != other.down.clear_db.tobytes()


def test_streams_are_named_children_that_leave_their_parent_alone() -> None:
    seeds = np.random.SeedSequence(9)
    first = stream(seeds, Stream.UPLINK).random()
    stream(seeds, Stream.JITTER_X).random()
    assert stream(seeds, Stream.UPLINK).random() == first
    assert seeds.n_children_spawned == 0
    child = np.random.SeedSequence(9).spawn(8)[int(Stream.UPLINK)]
    assert np.random.Generator(np.random.PCG64(child)).random() == first


def test_a_frames_luck_belongs_to_its_index_not_to_the_order_of_asking() -> None:
    contact = trace(ChannelConfig(margin_db=2.0), steady(10))
    start = 1000 * 1000 * MS

    def fate(k: int) -> bool:
        return contact.downlink_frame_ok(k, start + k * MS, start + (k + 1) * MS)

    forwards = [fate(k) for k in range(5000)]
    assert forwards == [fate(k) for k in reversed(range(5000))][::-1]
    assert 0.1 < sum(forwards) / 5000 < 0.9


def test_frames_survive_by_the_logistic_of_their_worst_margin() -> None:
    quiet = ChannelConfig(margin_db=0.2, scintillation_index_zenith=0.0, jitter_urad=0.0)
    contact = trace(quiet, steady(2, 90.0))
    start = 1000 * 1000 * MS
    share = sum(contact.downlink_frame_ok(k, start, start + MS) for k in range(20_000)) / 20_000
    assert share == pytest.approx(1.0 / (1.0 + math.exp(-6.0 * 0.2)), abs=0.01)


def test_a_frame_is_as_good_as_its_worst_millisecond() -> None:
    contact = trace(ChannelConfig(), steady(10))
    margins = contact.down.samples_db()
    for first in range(0, 9000, 777):
        worst = margins[first : first + 40].min()
        assert contact.down.worst_db(first, first + 39) == pytest.approx(worst, abs=1e-6)


def test_no_frame_passes_outside_the_contact() -> None:
    contact = trace(ChannelConfig(margin_db=60.0), steady(2))
    start = 1000 * 1000 * MS
    assert contact.downlink_frame_ok(0, start, start + MS)
    assert not contact.downlink_frame_ok(0, start - MS, start)
    assert not contact.uplink_frame_ok(0, start + 1999 * MS, start + 2001 * MS)
    assert contact.covers(start)
    assert not contact.covers(start + 2000 * MS)


def test_received_power_is_sensitivity_plus_margin() -> None:
    quiet = ChannelConfig(scintillation_index_zenith=0.0, jitter_urad=0.0)
    contact = trace(quiet, steady(2, 90.0))
    assert contact.rx_power_dbm(1001 * 1000 * MS) == pytest.approx(-35.0 + 15.0, abs=1e-5)


def test_the_counter_generator_is_splitmix64() -> None:
    # First outputs of SplitMix64 from seed 0, as published with the generator.
    first, second = 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4
    assert lib.plant_uniform(0, 0) == (first >> 11) * 2.0**-53
    assert lib.plant_uniform(0, 1) == (second >> 11) * 2.0**-53
    draws = np.array([lib.plant_uniform(77, k) for k in range(20_000)])
    assert draws.mean() == pytest.approx(0.5, abs=0.01)
    assert draws.var() == pytest.approx(1.0 / 12.0, abs=0.002)


def test_contacts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="lasts"):
        ContactGeometry(0.0, (600.0,), None)
    with pytest.raises(ValueError, match="same length"):
        ContactGeometry(0.0, (600.0, 600.0), (45.0,))
    with pytest.raises(ValueError, match="index"):
        ChannelConfig(scintillation_index_zenith=2.0)
