"""Drift joined with telling, health and the recoveries."""

import pytest

from flight.fdir.health_table import HealthCause
from flight.fdir.health_watch import COMPONENT, CONDITION, WELL_AFTER_NS, DriftWatch, HealthWatch
from flight.modes.mode_table import Part
from flight.modes.target_keeper import DRIFT_AFTER_NS, DRIFT_OVER_NS, Progress, Seen
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.definitions import Health, Mode
from flight.telemetry.event_log import EventLog

S = 1_000_000_000
FINE = Seen(3, False, False, False, 3, False, may_lase=False)
OUT = {
    Part.PAYLOAD: FINE._replace(payload_level=4),
    Part.LASER: FINE._replace(laser_on=True),
    Part.BEAM: FINE._replace(beam_lit=True),
    Part.HEATER: FINE._replace(heater_on=True),
}
LONG_S = DRIFT_AFTER_NS // S + 1


class Room:
    def __init__(self):
        self.heard = []
        self.channels, self.events = ChannelValues(), EventLog(1_000, self.heard.append)
        self.t = 0
        self.health = HealthWatch(self.channels, self.events)
        self.watch = DriftWatch(self.channels, self.events, self.health, 0)
        self.look(FINE)
        self.watch.enter(Mode.COMPUTE, FINE, self.t * S)
        self.look(FINE, 3)
        self.told()

    def look(self, seen, seconds=1):
        for _ in range(seconds):
            self.t += 1
            self.health.step(self.t * S)
            self.watch.look(seen, self.t * S)

    def told(self):
        found = list(self.heard)
        self.heard.clear()
        return found


@pytest.mark.parametrize("part", Part)
def test_a_drift_is_one_event_one_count_a_condition_and_a_matter_of_health(part):
    room = Room()
    room.look(OUT[part], LONG_S + 60)
    names = [event.name for event in room.told()]
    assert names == ["TARGET_DRIFTED", "HEALTH_CHANGED"]
    assert room.watch.conditions == (CONDITION[part],)
    assert room.watch.drifts(part)
    assert room.channels.get("mode.drifts_total") == 1
    assert room.channels.get("mode.progress") == Progress.DRIFTED.value
    assert room.health.table[COMPONENT[part]] is Health.NEEDS_RECOVERY


@pytest.mark.parametrize("part", Part)
def test_a_drift_that_is_over_is_told_and_its_component_well_again_after_a_while(part):
    room = Room()
    room.look(OUT[part], LONG_S)
    room.told()
    room.look(FINE, DRIFT_OVER_NS // S + 1)
    assert [event.name for event in room.told()] == ["TARGET_REGAINED"]
    assert room.watch.conditions == ()
    room.look(FINE, WELL_AFTER_NS // S + 1)
    assert room.health.table[COMPONENT[part]] is Health.HEALTHY
    assert room.channels.get("mode.progress") == Progress.REACHED.value


def test_the_event_says_what_is_shown_and_what_is_wanted():
    room = Room()
    room.look(OUT[Part.PAYLOAD], LONG_S)
    (drifted,) = [event for event in room.told() if event.name == "TARGET_DRIFTED"]
    assert drifted.args == {
        "part": "payload", "mode": "COMPUTE", "shown": 4,
        "need": "as told", "seconds": 10.0,
    }  # fmt: skip


@pytest.mark.parametrize("cause", [HealthCause.CONDEMNED, HealthCause.TAKEN_OVER])
def test_what_the_ground_has_taken_is_shown_as_drifting_and_is_no_danger_of_the_node(cause):
    room = Room()
    room.look(OUT[Part.PAYLOAD], LONG_S)
    assert room.watch.conditions
    room.health.apply("payload", cause, room.t * S)
    room.look(OUT[Part.PAYLOAD], 100)
    assert room.watch.conditions == ()
    assert room.watch.drifts(Part.PAYLOAD)
    room.health.apply("payload", HealthCause.CLEARED, room.t * S)
    room.look(OUT[Part.PAYLOAD])
    assert room.watch.conditions == ("drift.payload",)


def test_a_mode_that_is_reached_is_told_with_the_time_it_took():
    room = Room()
    room.watch.enter(Mode.SAFE, FINE, room.t * S)
    room.look(FINE._replace(told_level=0), 2)
    room.look(FINE._replace(told_level=0, payload_level=0))
    (reached,) = room.told()
    assert (reached.name, reached.args) == ("MODE_REACHED", {"mode": "SAFE", "seconds": 3.0})
