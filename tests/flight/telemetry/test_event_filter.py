from hypothesis import given
from hypothesis import strategies as st

from flight.telemetry.dictionary import EVENT_BY_NAME, EVENTS, Severity
from flight.telemetry.event_filter import ALWAYS_TOLD, HELD_MAX, EventFilter

FATAL = EVENT_BY_NAME["FATAL_ERROR"]
WARNING = EVENT_BY_NAME["SENSOR_STALE"]


def test_everything_is_told_until_the_ground_says_otherwise():
    events = EventFilter()
    assert all(events.passes(event) for event in EVENTS)
    assert events.filtered_total == 0


def test_below_a_severity_nothing_is_told_and_each_is_counted():
    events = EventFilter()
    events.severity = Severity.ALARM
    told = [event for event in EVENTS if events.passes(event)]
    assert {event.severity for event in told if event.name != ALWAYS_TOLD} == {
        Severity.ALARM,
        Severity.FATAL,
    }
    assert events.filtered_total == len(EVENTS) - len(told)


def test_one_event_is_held_back_by_itself_and_told_again():
    events = EventFilter()
    assert events.hold(WARNING)
    assert not events.passes(WARNING)
    assert events.passes(EVENT_BY_NAME["LINK_LOST"])
    events.release(WARNING)
    assert events.passes(WARNING)
    assert (events.filtered_total, events.held) == (1, 0)


def test_a_fatal_event_and_a_change_of_the_filter_are_told_whatever_is_asked():
    events = EventFilter()
    events.severity = Severity.FATAL
    assert not events.hold(FATAL)
    assert events.passes(FATAL)
    assert events.passes(EVENT_BY_NAME[ALWAYS_TOLD])


def test_what_is_held_is_bounded():
    events = EventFilter()
    taken = [events.hold(event) for event in EVENTS if event.severity is not Severity.FATAL]
    assert taken.count(True) == min(HELD_MAX, len(taken))
    assert events.held <= HELD_MAX


def test_it_outlives_a_reset():
    events, again = EventFilter(), EventFilter()
    events.severity = Severity.NOTICE
    events.hold(WARNING)
    assert again.restore(events.dump())
    assert (again.severity, again.held) == (Severity.NOTICE, 1)
    assert not again.passes(WARNING)
    assert again.restore(None)


@given(st.binary(max_size=40))
def test_octets_that_are_no_filter_leave_everything_told_and_a_fatal_event_always(raw):
    events = EventFilter()
    if not events.restore(raw):
        assert all(events.passes(event) for event in EVENTS)
    assert events.passes(FATAL)
