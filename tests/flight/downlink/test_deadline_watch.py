"""Deadlines come in order, and only of what is still there."""

from __future__ import annotations

from flight.downlink.deadline_watch import DeadlineWatch
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import Entry
from flight.wire.ranges import RangeSet


def entry_of(number, deadline_ns):
    product = Product(number, ProductClass.MASK, 10, 1, deadline_ns, 0, 0, "p")
    return Entry(product, RangeSet([(0, 10)]), RangeSet())


def test_what_is_due_comes_in_order_and_once():
    entries = {n: entry_of(n, d) for n, d in ((1, 30), (2, 10), (3, 20), (4, None), (5, 99))}
    watch = DeadlineWatch(entries)
    for entry in entries.values():
        watch.watch(entry.product)
    assert [entry.product.product_id for entry in watch.due(30)] == [2, 3, 1]
    assert list(watch.due(30)) == []


def test_what_has_left_is_not_met_any_more():
    entries = {1: entry_of(1, 10), 2: entry_of(2, 10)}
    watch = DeadlineWatch(entries)
    watch.watch(entries[1].product)
    watch.watch(entry_of(2, 5).product)
    del entries[1]
    assert list(watch.due(50)) == []
