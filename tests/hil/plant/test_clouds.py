"""Clouds against the closed forms of a two-state chain."""

import numpy as np
import pytest

from hil.plant.clouds import CloudTrace


def sky(seed: int, *, clear: float = 0.65, duration_s: float = 100_000.0) -> CloudTrace:
    return CloudTrace(
        np.random.SeedSequence(seed),
        clear_fraction=clear,
        cloudy_mean_s=45.0,
        duration_s=duration_s,
    )


def test_the_long_run_clear_share_is_the_stations() -> None:
    cloudy_s = sum(
        min(c.end_s, 100_000.0) - c.start_s for seed in range(8) for c in sky(seed).covers
    )
    assert 1.0 - cloudy_s / 800_000.0 == pytest.approx(0.65, abs=0.01)


def test_clouds_last_their_mean_and_vary_as_an_exponential() -> None:
    lengths = np.array([c.end_s - c.start_s for seed in range(8) for c in sky(seed).covers])
    assert lengths.mean() == pytest.approx(45.0, rel=0.05)
    assert lengths.std() == pytest.approx(45.0, rel=0.07)


def test_the_sky_is_stationary_from_its_first_second() -> None:
    cloudy = sum(sky(seed, duration_s=1.0).cloudy(0.0) for seed in range(3000))
    assert cloudy / 3000 == pytest.approx(0.35, abs=0.03)


def test_the_same_seed_is_the_same_sky() -> None:
    assert sky(3).covers == sky(3).covers
    assert sky(3).covers != sky(4).covers


def test_outages_join_the_clouds_without_overlap() -> None:
    trace = CloudTrace(
        np.random.SeedSequence(1),
        clear_fraction=1.0,
        cloudy_mean_s=45.0,
        duration_s=1000.0,
        outages=[(50.0, 90.0), (10.0, 20.0), (80.0, 120.0)],
    )
    assert trace.covers == ((10.0, 20.0), (50.0, 120.0))
    assert [trace.cloudy(t) for t in (9.9, 10.0, 20.0, 119.0)] == [False, True, False, True]
    assert trace.over(15.0, 50.0) == [(10.0, 20.0)]


def test_a_sky_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="fraction"):
        sky(1, clear=0.0)
    with pytest.raises(ValueError, match="outage"):
        CloudTrace(
            np.random.SeedSequence(1),
            clear_fraction=1.0,
            cloudy_mean_s=1.0,
            duration_s=1.0,
            outages=[(5.0, 5.0)],
        )
    with pytest.raises(ValueError, match="raise the mean"):
        sky(1, duration_s=1e7)
