"""No plan, a stale one, a planner that fails, a sensor lost or stuck, an actuator stuck.

Under heat and with little energy the guard alone keeps the limits.
"""

import msgspec
import numpy as np
import pytest
from short_flight import events, fly, scenario

from flight.thermal.plan_desk import PlanDesk
from flight.thermal.plan_keeper import STALE_S, PlanStanding
from hil.run_summary import build_summary

HEAT = {"at_s": 60.0, "for_s": 600.0, "action": "heat", "watts": 70.0}
CRAFT = {"soc_initial": 0.64, "array_area_m2": 0.08, "battery_parallel": 1}


def flown(folder, *timeline, duration_s=900.0, heat=True):
    made = scenario(
        "hot-minutes",
        duration_s=duration_s,
        node={"battery": {"parallel": 1}, "inference": {"governor": "planner"}},
        timeline=[*([HEAT] if heat else []), *timeline],
    )
    craft = msgspec.structs.replace(made.spacecraft, **CRAFT)
    target = fly(msgspec.structs.replace(made, spacecraft=craft), folder)
    summary = build_summary(target, wall_s=1.0, cpu_s=1.0)
    assert summary["violation_s_thermal"] == summary["violation_s_soc"] == 0.0
    assert summary["brown_outs"] == 0
    return target


def course(target, name):
    return target.world.recorder.column(name)


def test_without_a_plan_from_the_first_second_on(tmp_path, monkeypatch):
    monkeypatch.setattr(PlanDesk, "plan", lambda *_: None)
    target = flown(tmp_path)
    assert np.nanmax(course(target, "plan.standing")) == PlanStanding.NONE
    assert np.nanmax(course(target, "inference.jobs_total")) > 0


def test_a_plan_that_has_no_successor_grows_stale_and_ends(tmp_path, monkeypatch):
    due = PlanDesk.due
    monkeypatch.setattr(PlanDesk, "due", lambda desk, now_s: now_s < 200.0 and due(desk, now_s))
    target = flown(tmp_path, duration_s=1500.0)
    standing, age_s = course(target, "plan.standing"), course(target, "plan.age_s")
    assert standing[190] == PlanStanding.FRESH
    assert standing[190 + int(STALE_S) + 30] == PlanStanding.STALE
    assert standing[-1] == PlanStanding.NONE
    assert np.nanmax(age_s) > STALE_S


def test_a_planner_that_fails_each_time_is_told_and_holds_up_nothing(tmp_path, monkeypatch):
    def broken(*_):
        raise ArithmeticError("no solution")

    monkeypatch.setattr(PlanDesk, "plan", broken)
    target = flown(tmp_path)
    assert {event.args["name"] for event in events(target, "SERVICE_FAILED")} == {"planner"}
    assert target.resets == []
    cycles = course(target, "system.cycles")
    assert np.nanmax(cycles) >= 895


@pytest.mark.parametrize("action", ["sensor_lost", "sensor_stuck"])
@pytest.mark.parametrize(
    "sensor",
    ["die_mdegc", "sink_mdegc", "radiator_mdegc", "battery_mv", "battery_ma", "array_mw",
     "payload_mw"],
)  # fmt: skip
def test_a_sensor_that_fails_in_the_heat(tmp_path, action, sensor):
    fault = {"at_s": 200.0, "for_s": 500.0, "action": action, "sensor": sensor}
    target = flown(tmp_path, fault)
    assert target.resets == []
    assert events(target, "SERVICE_FAILED") == []


@pytest.mark.parametrize("actuator", ["payload_level", "heater", "laser", "target"])
def test_an_actuator_that_is_stuck(tmp_path, actuator):
    fault = {"at_s": 200.0, "for_s": 300.0, "action": "actuator_stuck", "actuator": actuator}
    target = flown(tmp_path, fault, heat=False)
    assert target.resets == []
    assert course(target, "governor.level")[-1] >= 0
