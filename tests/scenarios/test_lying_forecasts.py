"""What nobody foretold: a string of the array lost, a radiator aged, cells that hold less, a camera
that is silent and then floods. It costs value and never a limit, and what is learned is told."""

import msgspec
import numpy as np
import pytest
from short_flight import events, fly, scenario

from hil.run_summary import build_summary

SMALL = {"soc_initial": 0.7, "array_area_m2": 0.1, "battery_parallel": 1}
ONE_STRING = {"battery": {"parallel": 1}}
HOT = {"at_s": 60.0, "for_s": 3000.0, "action": "heat", "watts": 45.0}
CASES = {
    "string": {
        "duration_s": 6000.0, "craft": SMALL, "node": ONE_STRING,
        "timeline": [{"at_s": 600.0, "action": "array", "share": 0.4}],
    },
    "radiator": {
        "duration_s": 3000.0, "craft": {"radiator_area_m2": 0.04},
        "node": {"planner": {"radiator_m2": 0.04}},
        "timeline": [HOT, {"at_s": 600.0, "action": "radiator", "share": 0.5}],
    },
    "cells": {
        "duration_s": 6000.0, "craft": SMALL, "node": ONE_STRING,
        "timeline": [{"at_s": 1.0, "action": "battery", "share": 0.25}],
    },
    "camera": {
        "duration_s": 2400.0, "craft": SMALL, "node": ONE_STRING,
        "timeline": [
            {"at_s": 120.0, "for_s": 900.0, "action": "camera", "pace": 0.0},
            {"at_s": 1020.0, "for_s": 600.0, "action": "camera", "pace": 20.0},
        ],
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=["guard", "planner"])
def governor(request):
    return request.param


def flown(case, governor, folder, **instead):
    changes = CASES[case] | instead
    craft, node = changes.pop("craft"), changes.pop("node")
    made = scenario("hot-minutes", node={**node, "inference": {"governor": governor}}, **changes)
    craft = msgspec.structs.replace(made.spacecraft, **craft)
    target = fly(msgspec.structs.replace(made, spacecraft=craft), folder)
    assert_within_limits(target)
    return target


def assert_within_limits(target):
    summary = build_summary(target, wall_s=1.0, cpu_s=1.0)
    assert summary["violation_s_thermal"] == summary["violation_s_soc"] == 0.0
    assert summary["brown_outs"] == 0
    assert target.resets == []
    assert events(target, "SERVICE_FAILED") == []


def course(target, name):
    return target.world.recorder.column(name)


def test_a_lost_string_passes_no_limit_and_shows_in_the_learned_array(governor, tmp_path):
    target = flown("string", governor, tmp_path)
    told, true = course(target, "learned.array_w"), course(target, "truth.array_available_w")
    assert told[1500] == pytest.approx(true[1500], rel=0.05)
    assert told[1500] < 0.65 * true[500]


def test_an_aged_radiator_passes_no_limit_and_shows_as_heat_it_does_not_get_rid_of(
    governor, tmp_path
):
    aged = flown("radiator", governor, tmp_path / "aged")
    whole = flown("radiator", governor, tmp_path / "whole", timeline=[HOT])
    more_w = course(aged, "learned.radiator_w") - course(whole, "learned.radiator_w")
    assert abs(more_w[590]) < 0.5
    assert 5.0 < more_w[-1] < 13.0, "half of what 0.04 m2 radiates at 320 to 330 K"
    jobs = [np.nanmax(course(each, "inference.jobs_total")) for each in (aged, whole)]
    assert jobs[0] < jobs[1], "it costs value"


def test_cells_that_hold_less_pass_no_limit(governor, tmp_path):
    target = flown("cells", governor, tmp_path)
    told = course(target, "learned.capacity")
    assert 0.5 < told[-1] <= 1.05


def test_a_camera_that_is_silent_and_then_floods_passes_no_limit_and_loses_only_frames(
    governor, tmp_path
):
    target = flown("camera", governor, tmp_path)
    dropped = course(target, "inference.dropped_total")
    silent, flood = dropped[1000] - dropped[200], dropped[1600] - dropped[1040]
    assert silent == 0
    assert flood > 5000
    jobs = course(target, "inference.jobs_total")
    assert jobs[-1] > jobs[1000]
