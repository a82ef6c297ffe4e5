"""A medium that hangs raises nothing, and is told all the same."""

from types import SimpleNamespace

import pytest

from flight.downlink.store_values import StoreCounters
from flight.downlink.store_watch import STALLED_NS, StoreWatch
from flight.telemetry.channel_values import ChannelValues
from flight.telemetry.event_log import EventLog

S = 1_000_000_000


@pytest.fixture
def bench():
    store = SimpleNamespace(
        products=3, payload_bytes=300, outstanding=0, durable_mark=0, closed=False,
        counters=StoreCounters(commits=7, records_damaged=2, records_repaired=1),
    )  # fmt: skip
    channels, told = ChannelValues(), []
    events = EventLog(16, lambda event: told.append((event.name, event.args["seconds"])))
    return SimpleNamespace(
        store=store, channels=channels, told=told, watch=StoreWatch(store, channels, events)
    )


def test_requests_that_wait_too_long_are_told_once_and_so_is_their_end(bench):
    bench.watch.step(0)
    bench.store.outstanding = 2
    for second in range(1, 10):
        bench.watch.step(second * S)
        assert bench.channels.get("store.failed") == (second * S >= STALLED_NS)
    bench.store.durable_mark = 1
    bench.watch.step(10 * S)
    assert bench.told == [("STORE_STALLED", 3), ("STORE_RESUMED", 10)]
    assert bench.channels.get("store.failed") == 0


def test_a_medium_that_is_slow_and_gets_on_is_not_told(bench):
    bench.store.outstanding = 5
    for second in range(20):
        bench.store.durable_mark = second // 2
        bench.watch.step(second * S)
    assert bench.told == []


def test_figures_reach_telemetry(bench):
    bench.store.closed = True
    bench.watch.step(0)
    names = ("products", "bytes", "commits_total", "failed", "damaged_total", "repaired_total")
    assert [bench.channels.get(f"store.{name}") for name in names] == [3, 300, 7, 1, 2, 1]
