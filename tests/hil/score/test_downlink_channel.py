"""Masks of a contact: lock before frames, fades and clouds where the sky says so."""

from __future__ import annotations

import numpy as np
import pytest

from hil.plant.optical_channel import ChannelConfig
from hil.score.downlink_channel import Sky, draw_contact

SLOT_NS = 1_310_720
SLOTS = 60_000_000_000 // SLOT_NS


def draw(sky, seed):
    return draw_contact(sky, SLOTS, SLOT_NS, np.random.SeedSequence(seed))


def test_equal_seeds_give_equal_masks_and_no_frame_arrives_without_lock():
    for seed in range(3):
        one, two = draw(Sky(), seed), draw(Sky(), seed)
        for mine, other in zip(one, two, strict=True):
            assert np.array_equal(mine, other)
        assert not (one.good & ~one.lock).any()
        assert not (one.uplink & ~one.lock).any()
        assert not one.lock[: int(2e9 // SLOT_NS)].any(), "acquisition takes its time"


def test_clouds_cost_frames_and_lock():
    clear = [draw(Sky(failed=0.0), seed).good.mean() for seed in range(8)]
    cloudy = [
        draw(Sky(failed=0.0, cloudy=0.5, cloud_s=10.0), seed).good.mean() for seed in range(8)
    ]
    assert np.mean(cloudy) < 0.75 * np.mean(clear)


def test_a_shaking_terminal_loses_frames_without_losing_lock():
    relay = Sky(ChannelConfig(margin_db=8.0, jitter_urad=7.0), None, failed=0.0, acquisition_s=2.0)
    masks = [draw(relay, seed) for seed in range(4)]
    lost = np.mean([(mask.lock & ~mask.good).sum() / mask.lock.sum() for mask in masks])
    assert 0.02 < lost < 0.6


def test_lost_reports_are_lost_besides_the_channel():
    deaf = Sky(failed=0.0, reports_lost=0.9)
    masks = [draw(deaf, seed) for seed in range(4)]
    share = np.mean([mask.uplink.sum() / mask.lock.sum() for mask in masks])
    assert share == pytest.approx(0.1, abs=0.03)


def test_a_failed_contact_has_no_lock_at_all():
    assert not draw(Sky(failed=1.0), 1).lock.any()
