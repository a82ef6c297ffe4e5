"""One product's place in the queue."""

from __future__ import annotations

from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import Entry
from flight.wire.ranges import RangeSet


def test_what_remains_is_what_the_ground_has_not_reported():
    product = Product(1, ProductClass.RAW, 100, 1, None, 0, 0, "p")
    entry = Entry(product, RangeSet([(0, 100)]), RangeSet())
    entry.pending.take_first(60)
    assert entry.remaining_bytes == 100, "in flight is not there yet"
    entry.acked.add(0, 40)
    assert entry.remaining_bytes == 60
