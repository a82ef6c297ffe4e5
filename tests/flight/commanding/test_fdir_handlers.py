"""Commands about fault protection, through their handlers."""

import pytest

from flight.commanding.dispatcher import HandlerVerdict
from flight.commanding.fdir_handlers import INDISPENSABLE, FdirHandlers
from flight.fdir.health_table import HealthCause
from flight.fdir.health_watch import HealthWatch
from flight.fdir.recovery_row import Activity
from flight.fdir.recovery_table import RecoveryTable
from flight.fdir.safety_tables import RECOVERIES
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.command_table import RecoveryArm, RecoverySetActivity, SetHealth
from flight.telemetry.definitions import Health
from flight.telemetry.dictionary import COMMAND_BY_TYPE
from flight.telemetry.event_log import EventLog
from flight.wire.telecommand import CommandReason


class Room:
    def __init__(self):
        self.told, self.kept, self.asked, self.durable = [], [], [], True
        events = EventLog(100, self.told.append)
        self.table = RecoveryTable(RECOVERIES)
        self.health = HealthWatch(ChannelValues(), events)
        self.handlers = FdirHandlers(
            table=self.table, health=self.health, keep_health=self._keep, events=events
        )
        self.handlers.restart = lambda name, reason: self.asked.append(("restart", name)) or True
        self.handlers.halt = lambda name: self.asked.append(("halt", name)) or True

    def _keep(self, words, _now_ns):
        self.kept.append(words)
        return self.durable

    def does(self, command):
        """The reason it was not done, or None."""
        (handler,) = [
            b.handler for b in self.handlers.bindings() if b.command_type is type(command)
        ]
        result = handler(command, 0)
        return None if result.verdict is HandlerVerdict.COMPLETED else result.reason

    def row(self, name):
        return next(row for row in self.table.status() if row.name == name)


@pytest.mark.parametrize("activity", list(Activity))
def test_a_row_is_set_and_told(activity):
    room = Room()
    assert room.does(RecoverySetActivity("die too hot", activity.name)) is None
    assert room.row("die too hot").activity is activity
    assert [event.name for event in room.told] == ["RECOVERY_SET"]


def test_a_spent_row_is_armed():
    room = Room()
    room.table.update({"die.red"}, 0)
    assert room.does(RecoveryArm("die too hot")) is None
    assert room.row("die too hot").armed


def test_what_is_not_there_is_answered_so_and_changes_nothing():
    room = Room()
    for command in (
        RecoveryArm("x"), RecoverySetActivity("x", "SHADOW"), SetHealth("x", "CLEAR"),
    ):  # fmt: skip
        assert room.does(command) is CommandReason.NOT_FOUND
    assert (room.told, room.kept, room.asked) == ([], [], [])


def test_a_component_that_is_declared_permanently_faulty_is_halted_and_comes_back_when_cleared():
    room = Room()
    assert room.does(SetHealth("inference", "PERMANENTLY_FAULTY")) is None
    assert room.health.table["inference"] is Health.PERMANENTLY_FAULTY
    assert room.does(SetHealth("inference", "CLEAR")) is None
    assert room.health.table["inference"] is Health.NEEDS_RECOVERY
    assert room.asked == [("halt", "inference"), ("restart", "inference")]
    assert room.kept == [{"inference": Health.PERMANENTLY_FAULTY}, {}]


def test_one_that_the_ground_took_over_goes_on_running_and_is_given_back_as_it_is():
    room = Room()
    assert room.does(SetHealth("downlink", "EXTERNAL_CONTROL")) is None
    assert room.does(SetHealth("downlink", "CLEAR")) is None
    assert room.asked == []


def test_one_that_was_given_up_is_tried_again_when_cleared():
    room = Room()
    room.health.apply("inference", HealthCause.GIVEN_UP, 0)
    assert room.does(SetHealth("inference", "CLEAR")) is None
    assert room.asked == [("restart", "inference")]


@pytest.mark.parametrize("component", INDISPENSABLE)
def test_what_the_node_cannot_do_without_is_never_declared_permanently_faulty(component):
    room = Room()
    assert room.does(SetHealth(component, "PERMANENTLY_FAULTY")) is CommandReason.REFUSED
    assert room.health.table[component] is Health.HEALTHY


def test_a_word_that_would_change_nothing_is_refused():
    room = Room()
    assert room.does(SetHealth("payload", "CLEAR")) is CommandReason.REFUSED
    assert (room.told, room.kept) == ([], [])


def test_a_word_that_the_store_cannot_keep_does_not_count():
    room = Room()
    room.durable = False
    assert room.does(SetHealth("payload", "EXTERNAL_CONTROL")) is CommandReason.NOT_DURABLE
    assert room.health.table["payload"] is Health.HEALTHY


def test_what_could_disarm_the_node_takes_two_steps_and_what_arms_it_takes_one():
    dangerous = {c: COMMAND_BY_TYPE[c].dangerous for c in (RecoverySetActivity, SetHealth)}
    assert all(dangerous.values())
    assert not COMMAND_BY_TYPE[RecoveryArm].dangerous
