"""Heaps whose items die lazily never hand out the dead."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flight.downlink.entry_heap import EntryHeap
from flight.downlink.product import Product, ProductClass
from flight.downlink.queue_entry import Entry
from flight.wire.ranges import RangeSet


def entry_of(number):
    product = Product(number, ProductClass.MASK, 10, 1, None, 0, 0, "p")
    entry = Entry(product, RangeSet([(0, 10)]), RangeSet())
    entry.ready, entry.stamp = True, 0
    return entry


STEPS = st.lists(
    st.tuples(st.sampled_from(["push", "rerank", "sleep", "wake", "pop"]), st.integers(0, 9)),
    max_size=400,
)


@settings(deadline=None)
@given(STEPS)
def test_the_head_is_always_the_lowest_of_the_living(steps):
    heap, entries = EntryHeap(1), [entry_of(number) for number in range(10)]
    keys = {}
    for verb, number in steps:
        entry = entries[number]
        if verb == "push" and entry.ready:
            if not entry.heaps & 1:
                keys[number] = number * 7 % 5
            heap.push(number * 7 % 5, entry)
        elif verb == "rerank":
            entry.stamp += 1
            entry.heaps = 0
            keys.pop(number, None)
        elif verb == "sleep":
            entry.ready = False
        elif verb == "wake" and not entry.ready:
            entry.ready = True
        elif verb == "pop":
            popped = heap.pop()
            if popped is not None:
                keys.pop(popped.product.product_id)
        # What was found asleep at the top has been taken out.
        keys = {known: key for known, key in keys.items() if entries[known].heaps & 1}
        living = [(key, known) for known, key in keys.items() if entries[known].ready]
        head = heap.head()
        assert (None if head is None else head.product.product_id) == (
            min(living)[1] if living else None
        )
        assert {each.product.product_id for each in heap.living()} == {k for _, k in living}
    assert len(heap) <= 2 * 10 + 65


def test_clearing_takes_all_out_so_that_they_can_come_again():
    heap, entry = EntryHeap(1), entry_of(1)
    heap.push(1, entry)
    heap.clear()
    assert heap.head() is None
    heap.push(1, entry)
    assert heap.head() is entry
