import os

from flight.base.clock import UtcCorrelation
from flight.event_journal import EventJournal
from flight.telemetry.dictionary import EVENT_BY_NAME, Severity
from flight.telemetry.event_log import Event

UTC = UtcCorrelation(offset_ns=1_780_000_000_000_000_000)
DELIVERED = Event(EVENT_BY_NAME["PRODUCT_DELIVERED"].event_id, 0, {"product": 3})
SHUTDOWN = Event(EVENT_BY_NAME["SHUTDOWN"].event_id, 1_234_567_890, {"cause": "SIGTERM"})


def written(*events, **options):
    out, into = os.pipe()
    journal = EventJournal(UTC, into, **options)
    for event in events:
        journal(event)
    os.close(into)
    with os.fdopen(out, encoding="utf-8") as file:
        return file.read()


def test_an_event_is_one_line_with_utc_severity_name_and_sentence():
    expected = "2026-05-28T20:26:41.234Z NOTICE  SHUTDOWN: stopping: SIGTERM\n"
    assert written(SHUTDOWN) == expected


def test_what_is_below_the_least_severity_is_not_shown():
    assert written(DELIVERED) == ""
    assert "PRODUCT_DELIVERED" in written(DELIVERED, least=Severity.DEBUG)


def test_the_system_journal_gets_priorities():
    assert written(SHUTDOWN, priorities=True).startswith("<5>2026-")


def test_text_from_outside_stays_on_its_line():
    event = Event(EVENT_BY_NAME["SHUTDOWN"].event_id, 0, {"cause": "a\nNOTICE forged: b"})
    assert written(event).count("\n") == 1


def test_a_reader_that_went_away_costs_lines_and_never_the_flight():
    out, into = os.pipe()
    os.close(out)
    journal = EventJournal(UTC, into)
    journal(SHUTDOWN)
    journal(SHUTDOWN)
    os.close(into)
    assert journal.lost == 2
