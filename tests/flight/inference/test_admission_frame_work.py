import dataclasses

import pytest

from flight.inference.admission import PROBES, FrameWork, ImagingPlan
from flight.inference.job import Plausibility, Result, Screening
from flight.inference.model_registry import ModelRegistry
from flight.inference.result_products import ValueTable
from hil.imagery import synthetic_tiles

TILE = synthetic_tiles(seed=1, n=1, size=16)[0]
PLAN = ImagingPlan(
    model_name="cloud_unet", variant="fp32", threshold=0.5, frame_deadline_ns=10**9,
    backlog_frames=4, values=ValueTable(), deadlines_ns={},
)  # fmt: skip


def plan(**changes):
    return dataclasses.replace(PLAN, **changes)


def seen(permille):
    return Result(1, Screening(Plausibility.PLAUSIBLE, permille), "00", 0, 1, None, 1.0)


def stages(work, permille):
    job = work.first(TILE)
    found = []
    while job is not None:
        found.append(job.variant)
        job = work.next(job, seen(permille))
    return found


def test_without_a_cascade_a_frame_is_one_job():
    assert stages(FrameWork(PLAN), 0) == ["fp32"]


@pytest.mark.parametrize(("permille", "wanted"), [(0, 2), (849, 2), (850, 1), (1000, 1)])
def test_the_dear_network_sees_only_what_the_cheap_one_finds_clear(permille, wanted):
    work = FrameWork(plan(screen="small", screen_cloud_permille=850))
    assert stages(work, permille) == ["small", "fp32"][:wanted]


@pytest.mark.parametrize(("cheap", "dear", "again"), [(300, 500, 0), (300, 501, 1), (300, 99, 1)])
def test_networks_that_see_another_picture_have_a_tile_looked_at_twice_once(cheap, dear, again):
    work = FrameWork(plan(screen="small"))
    first = work.next(work.first(TILE), seen(cheap))
    assert (first.variant, first.twice) == ("fp32", False)
    second = work.next(first, seen(dear))
    assert (second is not None) == bool(again)
    if second is not None:
        assert (second.variant, second.twice) == ("fp32", True)
        assert work.next(second, seen(dear)) is None


def test_a_cascade_whose_dear_network_is_the_cheap_one_runs_it_once():
    assert stages(FrameWork(plan(screen="small", variant="small")), 0) == ["small"]


@pytest.mark.parametrize(("least", "twice"), [(0, False), (1121, False), (1120, True)])
def test_a_tile_that_may_be_worth_it_is_run_twice(least, twice):
    land = dataclasses.replace(TILE, land=True)
    assert FrameWork(plan(confirm_value_millis=least)).first(land).twice is twice


def test_the_sea_is_worth_less():
    sea = dataclasses.replace(TILE, land=False)
    work = FrameWork(plan(confirm_value_millis=1000))
    assert not work.first(sea).twice
    assert work.first(sea).value_hint_millis == 360


def test_the_fastest_run_of_each_candidate_decides_once():
    work = FrameWork(plan(candidates=("fp32", "int8")))
    probes = work.probes(TILE)
    assert [job.variant for job in probes] == ["fp32"] * PROBES + ["int8"] * PROBES
    for variant, ms in (("fp32", 3.0), ("int8", 9.0), ("int8", 2.0), ("fp32", 4.0)):
        work.timed(variant, ms)
    assert work.choose() == "int8"
    assert work.times_ms == {"fp32": 3.0, "int8": 2.0}
    assert work.probes(TILE) == []
    assert work.choose() is None
    assert work.first(TILE).variant == "int8"


def test_candidates_that_never_answered_leave_the_given_variant():
    work = FrameWork(plan(candidates=("fp32", "int8")))
    assert work.choose() is None
    assert work.first(TILE).variant == "fp32"


def test_a_model_that_came_up_flies_with_its_own_threshold_and_nothing_to_choose():
    model = ModelRegistry().load("cloud_unet", "int8")
    manifest = dataclasses.replace(model, name="mine")
    work = FrameWork(plan(candidates=("fp32", "int8"), screen="small"))
    work.fly(manifest, shipped=False)
    assert work.probes(TILE) == []
    first = work.first(TILE)
    assert (first.model_name, first.variant) == ("cloud_unet", "small")
    second = work.next(first, seen(0))
    assert (second.model_name, second.variant, second.threshold) == ("mine", "int8", 0.5)


def test_a_model_that_came_up_under_the_shipped_one_s_name_is_not_weighed_against_it():
    model = ModelRegistry().load("cloud_unet", "fp32")
    work = FrameWork(plan(candidates=("fp32", "int8")))
    work.fly(model, shipped=False)
    assert work.probes(TILE) == []
    work.fly(model, shipped=True)
    assert work.probes(TILE)


def test_what_flies_screens_nothing_though_it_is_of_the_cheap_network_s_variant():
    work = FrameWork(plan(screen="small"))
    first = work.first(TILE)
    assert work.screens(first)
    assert not work.screens(work.next(first, seen(0)))
    alone = FrameWork(plan(screen="small", variant="small"))
    assert not alone.screens(alone.first(TILE))
    assert not FrameWork(PLAN).screens(FrameWork(PLAN).first(TILE))
