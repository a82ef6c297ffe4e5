import dataclasses

import pytest

from flight.inference.admission import Conditions, Limit, Need, Verdict, judge
from flight.inference.job import Tile

FINE = Conditions(
    enabled=True,
    payload_level=2,
    limit=Limit.NONE,
    energy_left_mj=5_000,
    jobs_waiting=1,
    jobs_capacity=4,
    store_free_bytes=1_000_000,
)
NEED = Need(energy_mj=1_000, run_ns=50, products_bytes=10_000, deadline_ns=1_000)
TILE = Tile(1, 0, bytes(192), 4, 4, bytes(32), "synthetic:0:0", synthetic=True)


def test_a_node_at_ease_admits():
    assert judge(TILE, NEED, FINE, 0) is Verdict.ADMIT


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"enabled": False}, Verdict.DISABLED),
        ({"payload_level": 0, "limit": Limit.POWER}, Verdict.REFUSE_POWER),
        ({"payload_level": 0, "limit": Limit.THERMAL}, Verdict.REFUSE_THERMAL),
        ({"payload_level": 0, "limit": Limit.NONE}, Verdict.REFUSE_POWER),
        ({"energy_left_mj": 999}, Verdict.REFUSE_POWER),
        ({"energy_left_mj": 1_000}, Verdict.ADMIT),
        ({"energy_left_mj": None}, Verdict.ADMIT),
        ({"limit": Limit.THERMAL}, Verdict.ADMIT),
        ({"jobs_waiting": 4}, Verdict.REFUSE_QUEUE_FULL),
        ({"store_free_bytes": 9_999}, Verdict.REFUSE_QUEUE_FULL),
    ],
)
def test_each_shortage_has_its_own_verdict(change, verdict):
    assert judge(TILE, NEED, dataclasses.replace(FINE, **change), 0) is verdict


@pytest.mark.parametrize(("now_ns", "verdict"), [(950, Verdict.ADMIT), (951, Verdict.REFUSE_STALE)])
def test_a_job_that_cannot_be_done_in_time_is_stale(now_ns, verdict):
    assert judge(TILE, NEED, FINE, now_ns) is verdict


@pytest.mark.parametrize(
    ("value_millis", "verdict"), [(999, Verdict.REFUSE_WORTH), (1_000, Verdict.ADMIT)]
)
def test_a_tile_is_to_be_worth_half_of_what_its_joules_earn_elsewhere(value_millis, verdict):
    priced = dataclasses.replace(FINE, price_millis_per_j=2_000.0)
    need = dataclasses.replace(NEED, value_millis=value_millis)
    assert judge(TILE, need, priced, 0) is verdict


def test_a_dark_tile_is_skipped_whatever_the_budget():
    dark = dataclasses.replace(TILE, sunlit=False)
    poor = dataclasses.replace(FINE, payload_level=0, limit=Limit.THERMAL)
    assert judge(dark, NEED, poor, 0) is Verdict.SKIP_DARK


def test_a_disabled_payload_says_so_before_anything_else():
    off = dataclasses.replace(FINE, enabled=False, payload_level=0, jobs_waiting=9)
    assert judge(dataclasses.replace(TILE, sunlit=False), NEED, off, 10_000) is Verdict.DISABLED
