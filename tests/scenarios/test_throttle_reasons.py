"""Each thing that can hold the payload down, flown: every throttled second has its one reason.

With the planner as with the guard alone, in telemetry, as an event, in the summary and the report.
"""

import random
from datetime import datetime

import msgspec
import numpy as np
import pytest
from short_flight import SimTarget, events, fly, scenario

from flight.telemetry.dictionary import THROTTLE_LABELS, Mode
from flight.wire.product_packet import ProductClass
from hil.run_summary import build_summary

S = 1_000_000_000
HEAT = {"at_s": 30.0, "for_s": 400.0, "action": "heat", "watts": 75.0}
LOST = {"at_s": 100.0, "for_s": 200.0, "action": "sensor_lost", "sensor": "die_mdegc"}
SHADOW = {"duration_s": 2400.0, "epoch_utc": datetime.fromisoformat("2026-06-21T04:10:00+00:00")}
OFF = {"at_s": 41.0, "action": "command", "command": "DISABLE_INFERENCE"}
CASES = {
    "die": {
        "timeline": [HEAT],
        "node": {"parameters": {"governor.die_target_c": 50.0, "governor.sink_target_c": 80.0}},
    },
    "sink": {"timeline": [HEAT], "node": {"parameters": {"governor.sink_target_c": 45.0}}},
    "radiator": {"node": {"planner": {"radiator_c_max": 22.0}}},
    "battery_floor": {"craft": {"soc_initial": 0.575, "array_area_m2": 0.02}},
    "eclipse_reserve": {
        "craft": {"soc_initial": 0.66, "array_area_m2": 0.06, "battery_parallel": 1},
        "node": {"battery": {"parallel": 1}},
        **SHADOW,
    },
    "pass_reserve": {
        "craft": {"soc_initial": 0.62, "array_area_m2": 0.06, "laser_w": 200.0},
        "ground": {"relay": True, "relay_first_s": 240.0, "relay_contact_s": 200.0},
    },
    "queue_full": {
        "node": {
            "values": {"quicklook_cloud_max": 1.0},
            "store": {"cap_bytes": 1_000_000, "segment_bytes": 65_536},
        },
        "filled": True,
    },
    "command": {
        "ground": {"relay": True, "relay_first_s": 40.0, "relay_contact_s": 200.0},
        "timeline": [OFF],
    },
    "fault": {"timeline": [LOST]},
}  # fmt: skip
KEEPS_AWAKE = 1
"""While no frames are expected the planner keeps the payload at this level: no throttle."""


def fly_filled(flown, folder, at_s=30):
    """Flown with a queue that fills early with what is worth more than any picture."""
    target = SimTarget(flown, folder)
    target.start()
    target.advance(at_s)
    intake, luck = target.node._downlink.intake, random.Random(7)
    for number in range(22):
        assert intake.submit(
            name=f"fill-{number}.bin", klass=ProductClass.RAW, payload=luck.randbytes(39_700),
            value_millis=10**9, deadline_ns=None, now_ns=at_s * S,
        )  # fmt: skip
    intake.finish(at_s * S)
    target.advance(flown.duration_s)
    target.finish()
    return target


@pytest.fixture(scope="module", params=["guard", "planner"])
def governor(request):
    return request.param


@pytest.fixture(scope="module", params=CASES)
def flown(request, governor, tmp_path_factory):
    changes = dict(CASES[request.param])
    craft, node = changes.pop("craft", {}), dict(changes.pop("node", {}))
    fly_it = fly_filled if changes.pop("filled", False) else fly
    made = scenario("hot-minutes", node={**node, "inference": {"governor": governor}}, **changes)
    craft = msgspec.structs.replace(made.spacecraft, **craft)
    made = msgspec.structs.replace(made, spacecraft=craft)
    return request.param, governor, fly_it(made, tmp_path_factory.mktemp("reason"))


def column(target, name):
    return target.world.recorder.column(name)


def test_the_reason_is_told_each_second_as_an_event_and_in_the_summary(flown):
    reason, _, target = flown
    seconds = (column(target, "governor.throttle_reason") == THROTTLE_LABELS.index(reason)).sum()
    assert seconds >= 10
    assert reason in {event.args["reason"] for event in events(target, "THROTTLED")}
    summary = build_summary(target, wall_s=1.0, cpu_s=1.0)
    assert summary["throttle_s_by_reason"][reason] == seconds


def test_no_second_below_the_best_level_goes_without_a_reason_and_none_above_has_one(flown):
    _, governor, target = flown
    level, why = column(target, "governor.level"), column(target, "governor.throttle_reason")
    known, top = np.isfinite(level), target.world.profile.top
    throttled = known & (why > 0)
    assert not (throttled & (level == top)).any()
    silent = known & (why == 0) & (level < top)
    if governor == "guard":
        assert not silent.any()
    else:
        assert not (silent & (level == 0)).any()
        plan = column(target, "plan.level")
        assert set(level[silent]) <= {KEEPS_AWAKE, *plan[silent]}


def test_throttled_seconds_add_up(flown):
    _, _, target = flown
    counted = (column(target, "governor.throttle_reason") > 0).sum()
    assert np.nanmax(column(target, "governor.throttled_s")) == pytest.approx(counted, abs=2)


def test_whatever_holds_the_payload_down_no_limit_is_passed(flown):
    _, _, target = flown
    summary = build_summary(target, wall_s=1.0, cpu_s=1.0)
    assert summary["violation_s_thermal"] == summary["violation_s_soc"] == 0.0
    assert Mode.SAFE not in set(column(target, "mode.current"))
