"""The recovery table at work: acted on, told, shown and kept."""

import pytest

from flight.fdir.recovery_row import Activity, RowState
from flight.fdir.recovery_table import SETTLE_NS, RecoveryTable
from flight.fdir.recovery_watch import RecoveryWatch
from flight.fdir.safety_tables import RECOVERIES
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog

S = 1_000_000_000
STALLED = "health.downlink.stalled"


class Room:
    def __init__(self, *, restarts=True):
        self.told, self.kept, self.asked, self.t = [], [], [], 0
        self.channels = ChannelValues()
        self.table = RecoveryTable(RECOVERIES)
        self.watch = RecoveryWatch(self.table, self.channels, EventLog(99, self.told.append))
        self.watch.keep = lambda memory, now_ns: self.kept.append(memory)
        self.watch.restart = lambda name, reason: self.asked.append((name, reason)) or restarts

    def cycles(self, conditions, count=1):
        for _ in range(count):
            self.t += 1
            self.watch.act(self.table.update(conditions, self.t * S), self.t * S)

    def names(self):
        return [event.name for event in self.told]

    def shown(self, slug):
        return self.channels.get(f"recovery.{slug}")


def test_a_row_that_fires_is_told_with_its_cause_shown_and_kept():
    room = Room()
    room.cycles({"die.red"}, 50)
    assert [event.args for event in room.told] == [
        {"condition": "die.red", "response": "shed_payload, enter_safe"}
    ]
    assert room.shown("die_too_hot") == RowState.STANDS
    assert room.shown("die_too_hot_fired") == 1
    assert room.kept == [{"die too hot": ("active", False, 1, 0)}]


def test_a_quiet_table_writes_nothing():
    room = Room()
    room.cycles((), 100)
    assert (room.told, room.kept) == ([], [])
    assert room.shown("die_too_hot") == RowState.ARMED
    assert room.shown("link_stands_still_left") == 3


def test_the_same_rule_in_shadow_logs_then_armed_acts_once():
    room = Room()
    room.table.set_activity("die too hot", Activity.SHADOW)
    room.cycles({"die.red"}, 20)
    assert room.names() == ["RECOVERY_SHADOWED"]
    assert (room.shown("die_too_hot_fired"), room.shown("die_too_hot_shadow")) == (0, 1)
    assert room.shown("die_too_hot") == RowState.SHADOW_HOLDS
    assert room.table.standing() == ()
    room.table.set_activity("die too hot", Activity.ACTIVE)
    room.cycles({"die.red"}, 20)
    assert room.names() == ["RECOVERY_SHADOWED", "RECOVERY_FIRED"]
    assert (room.shown("die_too_hot_fired"), room.shown("die_too_hot_shadow")) == (1, 1)


def test_a_service_is_begun_anew_as_often_as_the_budget_says_and_then_another_row_answers():
    room = Room()
    for _ in range(6):
        room.cycles({STALLED})
        room.cycles(())
    assert room.asked == [("downlink", STALLED)] * 3
    assert room.names() == ["RECOVERY_FIRED"] * 4 + ["RECOVERY_EXHAUSTED"]
    assert room.told[-1].args == {"name": "link stands still", "next": "link lost"}
    assert room.shown("link_stands_still") == RowState.EXHAUSTED
    assert room.shown("link_stands_still_left") == 0
    assert room.shown("link_lost") == RowState.STANDS


def test_what_could_not_be_started_is_told():
    room = Room(restarts=False)
    room.cycles({STALLED})
    assert room.names() == ["RECOVERY_FIRED", "RECOVERY_FAILED"]
    assert room.told[-1].args == {"name": "link stands still", "what": "restart of downlink"}


@pytest.mark.parametrize("activity", [Activity.SHADOW, Activity.DISABLED])
def test_what_the_ground_has_set_and_what_was_spent_outlives_a_reset(activity):
    room, after = Room(), Room()
    room.table.set_activity("sink too hot", activity)
    room.cycles({"die.red"})
    after.watch.restore(room.kept[-1], 0)
    assert (after.told, after.kept) == ([], [])
    assert after.shown("die_too_hot") == RowState.SPENT
    assert after.shown("sink_too_hot") == room.shown("sink_too_hot")
    after.cycles({"die.red", "sink.red"}, 5)
    assert "RECOVERY_FIRED" not in after.names()
    after.t = SETTLE_NS // S
    after.cycles(())
    after.cycles({"die.red"})
    assert after.names().count("RECOVERY_FIRED") == 1
