import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight.telemetry.dictionary import EVENT_BY_NAME, Severity
from flight.telemetry.event_log import BURST, REFILL_NS, SOURCES_MAX, EventLog

S = 1_000_000_000


def taken(log):
    events = []
    while (event := log.pending.take()) is not None:
        events.append(event)
    return events


def fail(log, device, now_ns):
    log.emit("HAL_FAILED", now_ns, device=device, kind="IO")


def told(events):
    """Failures that were told, one by one or as a count, by device."""
    counts = {}
    for event in events:
        if event.name == "EVENTS_SUPPRESSED":
            device = event.args["name"].removeprefix("HAL_FAILED").strip()
            counts[device] = counts.get(device, 0) + event.args["count"]
        else:
            device = event.args["device"]
            counts[device] = counts.get(device, 0) + 1
    return counts


def test_a_hundred_thousand_equal_faults_give_few_events_and_hide_nobody_else():
    log = EventLog(1_024)
    for i in range(100_000):
        fail(log, "heater", i * 1_000_000)
        if i == 50_000:
            fail(log, "payload", i * 1_000_000)
            log.emit("COMMAND_LOSS", i * 1_000_000, seconds=600.0)
    log.step(100 * S + REFILL_NS)
    events = taken(log)
    assert len(events) < 60
    assert told(e for e in events if e.name != "COMMAND_LOSS") == {"heater": 100_000, "payload": 1}
    assert [e.name for e in events].count("COMMAND_LOSS") == 1
    assert log.pending.dropped == 0
    assert log.suppressed_total == 100_000 - sum(
        e.name == "HAL_FAILED" and e.args["device"] == "heater" for e in events
    )


def test_at_the_end_every_flood_is_told_in_full_without_waiting_for_its_bucket():
    log = EventLog(64)
    for _ in range(BURST + 500):
        fail(log, "heater", 0)
        fail(log, "payload", 0)
    log.finish(1)
    assert told(taken(log)) == {"heater": BURST + 500, "payload": BURST + 500}
    log.finish(2)
    assert taken(log) == []


def test_a_flood_that_has_ended_is_still_told_in_full():
    log = EventLog(64)
    for _ in range(BURST + 500):
        fail(log, "heater", 0)
    assert len(taken(log)) == BURST
    log.step(REFILL_NS - 1)
    assert taken(log) == []
    log.step(REFILL_NS)
    (announcement,) = taken(log)
    assert announcement.text == "500 times HAL_FAILED heater suppressed"
    log.step(10 * REFILL_NS)
    assert taken(log) == []


walks = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 30 * S), st.booleans()), max_size=200
)


@settings(deadline=None, max_examples=100)
@given(walks)
def test_every_event_is_told_or_counted_exactly_once(steps):
    log, now_ns, raised = EventLog(100_000), 0, {}
    for device, gap_ns, steps_too in steps:
        now_ns += gap_ns // 50
        fail(log, device, now_ns)
        raised[device] = raised.get(device, 0) + 1
        if steps_too:
            log.step(now_ns)
    log.step(now_ns + 2 * REFILL_NS)
    events = taken(log)
    assert told(events) == raised
    assert log.total == len(events)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5_000), st.integers(1, 10**9))
def test_the_rate_of_one_source_is_bounded(count, gap_ns):
    log = EventLog(100_000)
    for i in range(count):
        fail(log, "heater", i * gap_ns)
    passed = sum(event.name == "HAL_FAILED" for event in taken(log))
    assert passed <= BURST + 1 + count * gap_ns // REFILL_NS


def test_a_fatal_error_is_never_held_back_and_debug_only_reaches_the_listener():
    heard = []
    log = EventLog(10_000, heard.append)
    for _ in range(1_000):
        log.emit("FATAL_ERROR", 0, error="x")
        log.emit("PRODUCT_DELIVERED", 0, product=1)
    assert len(taken(log)) == 1_000
    assert len(heard) == 2_000
    assert log.suppressed_total == 0


def test_sources_beyond_bound_share_one_bucket_and_memory_stays_bounded():
    log = EventLog(100_000)
    for i in range(10 * SOURCES_MAX):
        for _ in range(2):
            fail(log, f"device{i}", 0)
    assert len(log._buckets) <= SOURCES_MAX + 1
    assert len(taken(log)) == 2 * SOURCES_MAX + BURST
    fail(log, "device3", 0)
    assert len(taken(log)) == 1, "a source known before the bound keeps its own bucket"


def test_a_full_queue_drops_the_oldest_and_counts_it():
    log = EventLog(4)
    for i in range(6):
        fail(log, f"device{i}", 0)
    assert [event.args["device"] for event in taken(log)] == [f"device{i}" for i in range(2, 6)]
    assert log.pending.dropped == 2


def test_an_argument_may_be_called_name():
    log = EventLog(4)
    log.emit("PARAMETER_SET", 7, name="power.soc_floor", value=0.6)
    (event,) = taken(log)
    assert event.text == "power.soc_floor = 0.6"
    assert (event.t_ns, event.severity) == (7, Severity.NOTICE)


def test_an_unknown_name_is_a_programmer_error():
    with pytest.raises(KeyError):
        EventLog(4).emit("NO_SUCH_EVENT", 0)


def test_the_announcement_itself_is_in_the_dictionary():
    assert EVENT_BY_NAME["EVENTS_SUPPRESSED"].severity > Severity.DEBUG
