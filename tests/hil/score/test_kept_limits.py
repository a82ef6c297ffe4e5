"""What a flown node kept: its targets as loose as they ever were, and its one backlog."""

import msgspec
import numpy as np
import pytest
from flown_run import mission

from hil.score.kept_limits import kept_limits

COOL = {f"truth.{name}_c": np.full(4, 20.0) for name in ("die", "sink", "radiator")}
AT_REST = {**COOL, "truth.payload_w": np.zeros(4)}


def led_by(governor, **parameters):
    scenario = mission()
    inference = msgspec.structs.replace(scenario.node.inference, governor=governor)
    node = msgspec.structs.replace(scenario.node, inference=inference, parameters=parameters)
    return msgspec.structs.replace(scenario, node=node)


def test_die_and_sink_as_the_ground_set_them_and_the_radiator_as_configured():
    kept = kept_limits(led_by("planner", **{"governor.sink_target_c": 55.0}), AT_REST)
    assert kept.work_c == {"die": 78.0, "sink": 68.0, "radiator": 62.0}


def test_a_target_above_what_the_board_and_its_heat_path_bear_counts_as_that():
    told = {"governor.die_target_c": 90.0, "governor.sink_target_c": 80.0}
    assert kept_limits(led_by("guard", **told), AT_REST).work_c["die"] == 81.0
    assert kept_limits(led_by("guard", **told), AT_REST).work_c["sink"] == 68.0


def test_a_target_raised_by_command_counts_as_raised():
    scenario = led_by("guard")
    entry = type(scenario.timeline[0])(
        at_s=100.0, action="command", command="SET_PARAMETER",
        arguments={"name": "governor.die_target_c", "value": 80.0},
    )  # fmt: skip
    scenario = msgspec.structs.replace(scenario, timeline=(*scenario.timeline, entry))
    assert kept_limits(scenario, AT_REST).work_c["die"] == 80.0


@pytest.mark.parametrize("second", [1, 2])
def test_a_limit_above_which_the_run_computed_counts_as_high_as_that(second):
    watts = np.zeros(4)
    watts[2] = 7.0
    sink = COOL["truth.sink_c"].copy()
    sink[second] = 71.5
    flown = {**COOL, "truth.sink_c": sink, "truth.payload_w": watts}
    assert kept_limits(led_by("guard"), flown).work_c["sink"] == 71.5


def test_waiting_above_a_limit_loosens_nothing():
    flown = {**AT_REST, "truth.sink_c": np.full(4, 75.0)}
    assert kept_limits(led_by("guard"), flown).work_c["sink"] == 68.0


def test_a_node_without_governor_keeps_no_target_and_still_has_one_backlog():
    kept = kept_limits(led_by("none"), AT_REST)
    assert not kept.work_c
    assert kept.frames_max == mission().node.camera.backlog_frames + 3
