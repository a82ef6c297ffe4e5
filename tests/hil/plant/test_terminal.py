"""Acquisition and tracking as flight meets them."""

import numpy as np
import pytest

from hal.sample import TermFlag
from hil.plant.clouds import Cover
from hil.plant.optical_channel import ChannelConfig, ContactGeometry, ContactTrace
from hil.plant.terminal import AcquisitionConfig, PatState, TerminalModel

MS = 1_000_000
START_MS = 1000 * 1000
LOCKED = TermFlag.BEACON | TermFlag.COARSE | TermFlag.FINE
SURE = AcquisitionConfig(second_scan_probability=0.0)


def terminal(
    seed: int = 1,
    config: AcquisitionConfig = SURE,
    covers: tuple[Cover, ...] = (),
    seconds: int = 120,
) -> TerminalModel:
    geometry = ContactGeometry(1000.0, (700.0,) * (seconds + 1), (60.0,) * (seconds + 1))
    contact = ContactTrace(ChannelConfig(), geometry, np.random.SeedSequence(seed), covers)
    return TerminalModel(contact, config)


def flags_over(model: TerminalModel, step_ms: int, end_ms: int = 110_000) -> dict[int, int]:
    return {t: model.step((START_MS + t) * MS, True, True) for t in range(0, end_ms, step_ms)}


def test_a_terminal_that_is_not_pointed_sees_nothing() -> None:
    model = terminal()
    assert {model.step((START_MS + t) * MS, False, False) for t in range(0, 60_000, 500)} == {0}
    assert model.state is PatState.IDLE


def test_the_flags_come_in_the_order_of_acquisition() -> None:
    seen = list(dict.fromkeys(flags_over(terminal(), 50).values()))
    tx, beacon, coarse = TermFlag.TX, TermFlag.BEACON, TermFlag.BEACON | TermFlag.COARSE
    assert seen == [tx, tx | beacon, tx | coarse, tx | LOCKED, tx | LOCKED | TermFlag.SYNC]


def test_fine_lock_needs_no_laser_but_synchronisation_does() -> None:
    model = terminal()
    for t in range(0, 60_000, 500):
        flags = model.step((START_MS + t) * MS, True, False)
    assert flags == LOCKED
    assert not model.in_sync
    model.step((START_MS + 60_000) * MS, True, True)
    assert not model.in_sync
    assert model.step((START_MS + 60_500) * MS, True, True) & TermFlag.SYNC
    assert not model.step((START_MS + 61_000) * MS, True, False) & TermFlag.SYNC


def test_acquisition_starts_when_flight_points_not_when_the_contact_does() -> None:
    early, late = terminal(), terminal()
    first = next(t for t, f in flags_over(early, 50).items() if f & TermFlag.FINE)
    fine = next(
        t
        for t in range(20_000, 110_000, 50)
        if late.step((START_MS + t) * MS, True, True) & TermFlag.FINE
    )
    assert fine - first == 20_000


def test_the_flags_do_not_depend_on_how_often_the_plant_steps() -> None:
    covers = (Cover(1040.0, 1055.0),)
    fine = flags_over(terminal(covers=covers), 50)
    coarse = flags_over(terminal(covers=covers), 1000)
    assert coarse == {t: f for t, f in fine.items() if t % 1000 == 0}


def test_lock_is_lost_behind_a_cloud_and_found_again_after_it() -> None:
    model = terminal(covers=(Cover(1040.0, 1055.0),))
    flags = flags_over(model, 100)
    assert flags[39_000] & TermFlag.SYNC
    lost = next(t for t in flags if t > 39_000 and not flags[t] & TermFlag.FINE)
    assert 40_000 < lost < 41_500
    assert all(not flags[t] & TermFlag.FINE for t in range(42_000, 54_500, 100))
    assert flags[109_900] & TermFlag.SYNC
    assert (model.locks, model.losses) == (2, 1)


def test_a_fade_shorter_than_the_hold_does_not_break_the_lock() -> None:
    quick = terminal(covers=(Cover(1040.0, 1040.3),))
    flags_over(quick, 100)
    assert (quick.locks, quick.losses) == (1, 0)


def test_a_wildly_pointing_terminal_loses_its_lock() -> None:
    model = terminal()
    flags_over(model, 100, 40_000)
    model.trace.down.disturb(jitter_scale=8.0)
    assert not model.step((START_MS + 45_000) * MS, True, True) & TermFlag.FINE


def test_first_lock_takes_its_lognormal_time() -> None:
    times = np.array([terminal(seed, seconds=2)._draw_ms(first=True) for seed in range(2000)])
    assert np.median(times) == pytest.approx(8000.0, rel=0.05)
    assert np.log(times[times > 2000]).std() == pytest.approx(0.5, abs=0.05)
    assert times.min() >= 2000


def test_one_first_scan_in_ten_is_four_times_as_long() -> None:
    always = AcquisitionConfig(second_scan_probability=1.0)
    pairs = [
        (
            terminal(s, seconds=2)._draw_ms(first=True),
            terminal(s, always, seconds=2)._draw_ms(first=True),
        )
        for s in range(200)
    ]
    assert all(b == pytest.approx(4 * a, abs=4) for a, b in pairs if a > 2000)
    tenth = AcquisitionConfig(log_sigma=1e-9, second_scan_probability=0.10)
    slow = sum(terminal(s, tenth, seconds=2)._draw_ms(first=True) > 9000 for s in range(2000))
    assert slow / 2000 == pytest.approx(0.10, abs=0.02)


def test_a_contact_may_be_one_of_those_that_never_lock() -> None:
    model = terminal(config=AcquisitionConfig(failure_probability=1.0))
    assert set(flags_over(model, 500).values()) == {int(TermFlag.TX)}
    assert model.state is PatState.FAILED


def test_pointing_away_and_back_acquires_anew() -> None:
    model = terminal()
    flags_over(model, 100, 40_000)
    assert model.step((START_MS + 41_000) * MS, False, True) == TermFlag.TX
    assert not model.step((START_MS + 42_000) * MS, True, True) & TermFlag.FINE
    for t in range(43_000, 110_000, 1000):
        flags = model.step((START_MS + t) * MS, True, True)
    assert flags & TermFlag.SYNC
    assert model.locks == 2


def test_times_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="times"):
        AcquisitionConfig(first_median_s=0.0)
    with pytest.raises(ValueError, match="failure"):
        AcquisitionConfig(failure_probability=1.5)
