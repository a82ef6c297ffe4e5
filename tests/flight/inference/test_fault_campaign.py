from functools import partial

import numpy as np
import pytest

from flight.inference.fault_campaign import STAYING, FaultCampaign, Place
from flight.inference.fault_score import together
from flight.inference.guarded_ort import plain_layout, plain_session
from flight.inference.integrity import golden_tile
from flight.inference.model_registry import ModelRegistry

MODEL = ModelRegistry().load("cloud_unet", "fp32")
TILES = [golden_tile(32, pattern) for pattern in (0, 1)]


def campaign(seed=1):
    return FaultCampaign(
        MODEL.data,
        MODEL.manifest.variants["fp32"].golden,
        partial(plain_session, manifest=MODEL.manifest),
        plain_layout,
        TILES,
        0.5,
        seed,
    )


@pytest.fixture(scope="module")
def scores():
    return campaign().run(60)


@pytest.mark.parametrize("place", [Place.WEIGHT, Place.EXPONENT, Place.BURST])
def test_every_fault_that_stays_in_a_weight_is_noticed_and_righted(scores, place):
    score = scores[place]
    assert score.trials == score.noticed == 60
    assert score.caught == score.righted == score.corrupting
    assert score.worst_silent == 0.0


def test_faults_in_exponents_do_corrupt_so_that_the_guard_has_something_to_prove(scores):
    assert scores[Place.EXPONENT].corrupting > 0
    assert scores[Place.EXPONENT].worst_bare > 0.01


def test_a_passing_fault_is_found_by_the_second_session_and_bounded_without_it(scores):
    assert scores[Place.PASSING_TWICE].worst_silent == 0.0
    assert scores[Place.PASSING_TWICE].caught == scores[Place.PASSING_TWICE].corrupting
    assert scores[Place.PASSING].worst_silent <= scores[Place.PASSING].worst_bare


@pytest.mark.parametrize("place", [Place.INPUT, Place.ANSWER])
def test_no_flipped_octet_gets_past_a_crc(scores, place):
    assert scores[place].noticed == 60
    assert scores[place].worst_silent == 0.0


def test_the_same_seed_gives_the_same_scores_and_another_one_others(scores):
    assert campaign().run(60) == scores
    assert campaign(seed=2).run(60) != scores


def test_a_campaign_leaves_the_weights_as_they_were(scores):
    ran = campaign()
    before = {name: array.copy() for name, array in ran._guard.bank.arrays.items()}
    ran.run(10)
    after = ran._guard.bank.arrays
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_several_places_together_add_up_and_keep_the_worst(scores):
    whole = together([scores[place] for place in STAYING])
    assert whole.trials == whole.noticed == 180
    assert whole.corrupting == sum(scores[place].corrupting for place in STAYING)
    assert whole.worst_bare == max(scores[place].worst_bare for place in STAYING)
    assert whole.by_check["all of them"] == whole.corrupting
    assert sum(seen for seen, _ in whole.by_bits.values()) == 180
