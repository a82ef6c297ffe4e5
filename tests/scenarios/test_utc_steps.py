"""UTC leaps an hour in the middle of a sequence of a flown node: delays hold, instants follow."""

from datetime import UTC, datetime, timedelta

import pytest
from short_flight import events, scenario

from flight.base.clock import UtcQuality
from flight.wire.space_packet import Apid, TimeBase, decode_all
from hil.sim_target import SimTarget

S = 1_000_000_000
HOUR_S = 3600.0
EPOCH = datetime(2026, 6, 21, 3, 30, tzinfo=UTC)
LEAP_AT_S = 120.0
"""In the delay of a minute between the first step and the second."""
CONFIRMED_S = 3.0
"""So many readings in a row make a step of UTC certain."""


def plan(instant_s):
    """A delay, a delay over the leap, an instant, a delay after it."""
    return {
        "name": "clocks",
        "step": [
            {"after_s": 10.0, "command": "DISABLE_INFERENCE"},
            {"after_s": 60.0, "command": "DUMP_PARAMETERS"},
            {"at_utc": (EPOCH + timedelta(seconds=instant_s)).isoformat(),
             "command": "ENABLE_INFERENCE"},
            {"after_s": 20.0, "command": "NO_OP"},
        ],
    }  # fmt: skip


def flight(folder, *, step_s, instant_s):
    timeline = [
        {"at_s": 45.0, "action": "sequence", "sequence": plan(instant_s)},
        {"at_s": 80.0, "action": "command", "command": "SEQUENCE_START",
         "arguments": {"name": "clocks"}},
    ]  # fmt: skip
    if step_s:
        timeline.append({"at_s": LEAP_AT_S, "action": "utc_step", "step_s": step_s})
    flown = scenario(
        "slow-relay",
        timeline=timeline,
        duration_s=instant_s - step_s + 60.0,
        node={"parameters": {"telemetry.period_s": 1.0}},
    )
    target = SimTarget(flown, folder)
    target.start()
    return target


def finished(target):
    target.advance(target.scenario.duration_s)
    target.finish()
    return target


def recorded(target, from_s, to_s):
    """Every packet of a while, as it waits to become a recording."""
    found, t_s = {}, from_s
    while t_s <= to_s:
        target.advance(t_s)
        for packet in decode_all(bytes(target.node._telemetry._recorder._buffer)):
            if packet.time_ns >= from_s * S:
                found[packet.apid, packet.seq_count] = packet
        t_s += 0.5
    return list(found.values())


def done_at_s(target):
    return {e.args["step"]: e.t_s for e in events(target, "SEQUENCE_STEP")}


@pytest.mark.parametrize(
    ("step_s", "instant_s"), [(HOUR_S, HOUR_S + 400.0), (-HOUR_S, 250.0), (0.0, 250.0)]
)
def test_utc_leaps_an_hour_mid_sequence_delays_hold_and_instants_follow(
    tmp_path, step_s, instant_s
):
    target = finished(flight(tmp_path, step_s=step_s, instant_s=instant_s))
    at_s = done_at_s(target)
    assert list(at_s) == [1, 2, 3, 4]
    assert at_s[1] < LEAP_AT_S < at_s[2]
    assert at_s[2] - at_s[1] == pytest.approx(60.0, abs=1.01)
    assert at_s[3] == pytest.approx(instant_s - step_s, abs=1.01)
    assert at_s[4] - at_s[3] == pytest.approx(20.0, abs=1.01)
    assert len(events(target, "SEQUENCE_ENDED")) == 1
    assert events(target, "SEQUENCE_STEP_MISSED") == []


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_the_leap_is_told_once_and_packets_carry_their_base_and_the_doubt_about_utc(
    tmp_path, step_s
):
    target = flight(tmp_path, step_s=step_s, instant_s=HOUR_S + 400.0)
    packets = recorded(target, LEAP_AT_S - 10.0, LEAP_AT_S + 20.0)
    assert {p.time_base for p in packets} == {TimeBase.MISSION}
    made = [p for p in packets if p.apid == Apid.HOUSEKEEPING]
    assert [p.time_ns for p in made] == sorted(p.time_ns for p in made), "an hour back is no time"
    doubted = {p.time_ns / S for p in made if p.utc_quality is UtcQuality.FLYWHEEL}
    assert doubted, "in between neither correlation is believed"
    assert all(LEAP_AT_S <= t_s <= LEAP_AT_S + CONFIRMED_S for t_s in doubted)
    trusted = [p.time_ns / S for p in made if p.utc_quality is UtcQuality.SYNCHRONISED]
    assert min(trusted) < LEAP_AT_S
    assert max(trusted) > LEAP_AT_S + 10.0
    node = target.node
    (stepped,) = events(target, "UTC_STEPPED")
    assert stepped.args["step_s"] == pytest.approx(step_s, abs=1e-3)
    assert node.channels.get("time.steps_total") == 1
    offset_s = EPOCH.timestamp() + step_s
    assert node.channels.get("time.utc_offset_s") == pytest.approx(offset_s, abs=1.0)
    target.finish()
