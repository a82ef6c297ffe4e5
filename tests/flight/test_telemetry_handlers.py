from flight.base.channels import Bounded, Overflow
from flight.commanding.dispatcher import COMPLETED, failed
from flight.downlink.store_values import StoreError, StoreErrorKind
from flight.telemetry.command_table import DumpParameters, FilterEvents, HoldEvent
from flight.telemetry.definitions import Report, Severity
from flight.telemetry.event_log import EventLog
from flight.telemetry_handlers import FILTER, TelemetryHandlers, recover_filter
from flight.wire.telecommand import CommandReason


class Room:
    def __init__(self):
        self.told, self.blobs, self.full = [], {}, False
        self.events = EventLog(64, lambda event: self.told.append(event.name))
        self.requests = Bounded("telemetry_requests", 1, Overflow.REJECT_NEWEST)
        bindings = TelemetryHandlers(self.requests, self.events, self.save).bindings()
        self.handlers = {binding.command_type: binding.handler for binding in bindings}

    def save(self, name, blob):
        if self.full:
            raise StoreError(StoreErrorKind.FULL)
        self.blobs[name] = blob

    def command(self, command):
        return self.handlers[type(command)](command, 5)

    def raised(self, name, /, **args):
        before = len(self.told)
        self.events.emit(name, 6, **args)
        return len(self.told) > before


def test_a_report_is_asked_for_and_more_than_can_wait_are_refused_as_busy():
    room = Room()
    assert room.command(DumpParameters()) == COMPLETED
    assert room.command(DumpParameters()) == failed(CommandReason.BUSY)
    assert room.requests.take() is Report.PARAMETERS


def test_a_filter_by_severity_and_by_name_holds_back_outlives_a_reset_and_never_a_fatal_event():
    room = Room()
    assert room.command(FilterEvents("WARNING")) == COMPLETED
    assert room.command(HoldEvent("SENSOR_STALE", held=True)) == COMPLETED
    assert room.told == ["EVENT_FILTER_SET"] * 2
    again = EventLog(64, lambda event: room.told.append(event.name))
    recover_filter(again, room.blobs[FILTER], 0)
    for events in (room.events, again):
        room.events = events
        assert not room.raised("PARAMETER_SET", name="a", value=1.0)
        assert not room.raised("SENSOR_STALE", channel="x")
        assert room.raised("LINK_LOST", peer="p", state="DATA")
        assert room.raised("FATAL_ERROR", error="e")
        assert events.filter.filtered_total == 2


def test_an_event_is_told_again_when_it_is_released():
    room = Room()
    room.command(HoldEvent("SENSOR_STALE", held=True))
    room.command(HoldEvent("SENSOR_STALE", held=False))
    assert room.raised("SENSOR_STALE", channel="x")


def test_what_cannot_be_held_changes_nothing():
    room = Room()
    assert room.command(HoldEvent("NO_SUCH", held=True)) == failed(CommandReason.NOT_FOUND)
    assert room.command(HoldEvent("FATAL_ERROR", held=True)) == failed(CommandReason.REFUSED)
    room.full = True
    assert room.command(FilterEvents("ALARM")) == failed(CommandReason.REFUSED)
    assert room.events.filter.severity is Severity.DEBUG
    assert (room.blobs, room.told) == ({}, ["STORE_FAILED"])


def test_a_filter_that_cannot_be_read_is_told_and_holds_nothing_back():
    room = Room()
    recover_filter(room.events, b"\x00garbage", 0)
    assert room.told == ["EVENT_FILTER_LOST"]
    assert room.raised("PARAMETER_SET", name="a", value=1.0)
